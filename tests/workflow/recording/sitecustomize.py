"""Records which of the package's modules and data files every verb loads.

Python runs this file first if its folder is on PYTHONPATH. Each process writes one file into the
folder that `VERBS_LOADED` names.
"""

import atexit
import json
import os
import sys
from pathlib import Path

PACKAGE = "online_rnnlm"
_OPENED: set[str] = set()


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and "__pycache__" not in arguments[0]:
        _OPENED.add(arguments[0])


def _write(folder: Path, verb: str) -> None:
    names = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
    package = Path(str(sys.modules[PACKAGE].__file__)).parent
    data = {Path(file) for file in _OPENED if not file.endswith(".py")}
    found = {
        "verb": verb,
        "modules": sorted(name.partition(".")[2] for name in names),
        "data": sorted(str(f.relative_to(package)) for f in data if f.is_relative_to(package)),
    }
    (folder / f"{os.getpid()}.json").write_text(json.dumps(found), encoding="utf-8")


_command = sys.orig_argv[sys.orig_argv.index("-m") :] if "-m" in sys.orig_argv else []
if "VERBS_LOADED" in os.environ and _command[1:2] == [PACKAGE]:
    sys.addaudithook(_note)
    atexit.register(_write, Path(os.environ["VERBS_LOADED"]), _command[2])
