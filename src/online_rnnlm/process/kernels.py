"""The compiled kernels of this machine, which every process loads."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from online_rnnlm.config.training import RunSettings
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage.code import PACKAGE
from online_rnnlm.storage.files import lock

logger = logging.getLogger(__name__)

_COMPILE = """
import signal, sys
from online_rnnlm.process import kernels
signal.signal(signal.SIGINT, signal.SIG_DFL)
kernels.compile_here(sys.argv[1])
"""


def provide_kernels(settings: RunSettings) -> None:
    """Compile the kernels in another process, unless it has been done on such a machine.

    A process that compiles kernels itself would call them with other code than those that load
    them, and round last bits in another way. `prepare_process` must have been called. One process
    compiles, while others that need the same kernels wait.
    """
    if settings.engine != "kernel" or _mark(settings.precision).is_file():
        return
    folder = _mark(settings.precision).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as file:
        lock(file, wait=True)
        if not _mark(settings.precision).is_file():
            logger.warning("The kernels are compiled, once on this machine: a minute or two.")
            path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
            environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}
            command = [sys.executable, "-c", _COMPILE, settings.precision]
            subprocess.run(command, env=environment, check=True)


def compile_here(precision: Literal["float32", "float64"]) -> None:
    """Compile the kernels of a precision in this process, and mark that they are there.

    The mark belongs to the code as it is now: it may have changed since another process asked.
    """
    prepare_process()
    from online_rnnlm.core.engines.kernels.compilation import compile_kernels  # noqa: PLC0415

    settings = RunSettings(corpus="any", hidden_size=1, precision=precision)
    compile_kernels(settings.network, settings.rule)
    _mark(precision).touch()


def _mark(precision: str) -> Path:
    """Return the file that says that the kernels of a precision have been compiled."""
    return Path(os.environ["NUMBA_CACHE_DIR"], f"{precision}.compiled")
