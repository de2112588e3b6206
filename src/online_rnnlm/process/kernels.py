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
kernels.compile_here(*sys.argv[1:])
"""
_PARTS = ("compile_training", "compile_scoring")
"""The functions of `core.engines.kernels.compilation`, each of which a process calls."""


def provide_kernels(settings: RunSettings) -> None:
    """Compile the kernels in two other processes, unless it has been done on such a machine.

    A process that compiles kernels itself would call them with other code than those that load
    them, and round last bits in another way. `prepare_process` must have been called. Others that
    need the same kernels wait.
    """
    if settings.engine != "kernel" or _mark(settings.precision).is_file():
        return
    folder = _mark(settings.precision).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as file:
        lock(file, wait=True)
        if not _mark(settings.precision).is_file():
            logger.warning("The kernels are compiled, once on this machine: about a minute.")
            path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
            environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}
            command = [sys.executable, "-c", _COMPILE, settings.precision]
            processes = [subprocess.Popen([*command, part], env=environment) for part in _PARTS]
            statuses = [process.wait() for process in processes]
            if any(statuses):
                raise subprocess.CalledProcessError(max(map(abs, statuses)), command)
            _mark(settings.precision).touch()


def compile_here(precision: Literal["float32", "float64"], part: str) -> None:
    """Compile a part of the kernels of a precision in this process."""
    prepare_process()
    from online_rnnlm.core.engines.kernels import compilation  # noqa: PLC0415

    settings = RunSettings(corpus="any", hidden_size=1, precision=precision)
    getattr(compilation, part)(settings.network, settings.rule)


def _mark(precision: str) -> Path:
    """Return the file that says that the kernels of a precision have been compiled."""
    return Path(os.environ["NUMBA_CACHE_DIR"], f"{precision}.compiled")
