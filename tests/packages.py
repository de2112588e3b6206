"""Environments with some packages of this one, which are linked, and the one with Theano."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import output_of
from tests.project import ROOT


def with_what_they_need(names: Iterable[str]) -> set[str]:
    """Return the packages and all that they require and that are here; ours with its pipeline."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            try:
                wanted = [Requirement(text) for text in requires(name) or []]
            except PackageNotFoundError:
                continue
            found.add(name)
            extra = {"extra": "pipeline" if name == "online-rnnlm" else ""}
            wanted = [w for w in wanted if w.marker is None or w.marker.evaluate(extra)]
            waiting += [canonicalize_name(w.name) for w in wanted]
    return found


def environment_with(packages: Iterable[str], folder: Path) -> Path:
    """Make an environment that has only these packages; return the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [site] = (folder / "lib").glob("python*/site-packages")
    for name in packages:
        files = distribution(name).files
        assert files
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            if not (site / top).exists():  # several packages may share a folder
                (site / top).symlink_to(str(distribution(name).locate_file(top)))
    return folder / "bin"


def python_of_theano() -> str:
    """Return the Python of the environment with Theano 1.0.5, which `make theano` makes if needed.

    The test is skipped on a machine that cannot have one.
    """
    if "THEANO_PYTHON" in os.environ:
        return os.environ["THEANO_PYTHON"]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    of_pyenv = pyenv.glob("versions/3.[89].*/bin/python")
    bases = ("python3.9", "python3.8", *map(str, of_pyenv))
    # Some of pyenv's commands only report an error.
    found = [b for b in bases if shutil.which(b) and not output_of([b, "-c", ""]).returncode]
    if not found or not shutil.which("g++"):
        pytest.skip("Theano 1.0.5 needs Python 3.8 or 3.9, and g++")
    with (ROOT / "Makefile").open(encoding="utf-8") as makefile:
        fcntl.flock(makefile, fcntl.LOCK_EX)  # another worker may be making it
        subprocess.run(["make", "-C", ROOT, f"THEANO_BASE={found[0]}", "theano"], check=True)
    return str(ROOT / ".venv-theano" / "bin" / "python")
