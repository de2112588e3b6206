"""Runs jobs in forks of a process that has already loaded numerical libraries, to save time.

A job, `python3 -m online_rnnlm VERB`, loads numba, PyTensor, pandas or MLflow: one to three seconds
of processor time, longer than most jobs of a test. So Snakemake finds a small program in the place
of Python, which asks for a fork. The fork loads the package from the test's copy of the project.
"""

from __future__ import annotations

import gc
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from tests import in_pythons_place
from tests.forking import Forks

PACKAGE = "online_rnnlm"
STAGES = (
    "training.train",
    "evaluation.evaluate",
    "corpora.tokenisation",
    "corpora.encoding",
    "analysis.tables.write",
    "analysis.figures.drawing",
    "analysis.verdicts",
    "analysis.report",
    "use.model",
)
"""Modules of the package whose libraries are loaded, but not kept: each copy has its own."""
SETTINGS = "PYTENSOR NUMBA MLFLOW JAX XLA OMP OPENBLAS MKL PYTHONH VERBS"
"""Beginnings of the variables that libraries, or Python itself, read when they are loaded."""
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
"""The variables that Snakemake and the workflow set for a job of one thread."""


class JobServer:
    """The process, and the folder with the programs in the place of Python."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start the process with these variables."""
        ours = {**environment, **ONE_THREAD}
        self._forks = Forks([__name__], ours)
        assert self._forks.call(f"{__name__}:load") == 0
        self._folder = tempfile.TemporaryDirectory(prefix="online-rnnlm-jobs-")
        known = in_pythons_place.settings(ours, tuple(SETTINGS.split()))
        folder = Path(self._folder.name)
        about = f"{self._forks.address}\n{SETTINGS}\n{known}"
        (folder / "settings").write_text(about, encoding="utf-8")
        program = f"#!{sys.executable} -IS\n{Path(in_pythons_place.__file__).read_text('utf-8')}"
        for name in ("python", "python3"):
            (folder / name).write_text(program, encoding="utf-8")
            (folder / name).chmod(0o755)

    @property
    def python(self) -> str:
        """The program in the place of Python; other things than jobs it lets Python do."""
        return f"{self._folder.name}/python"

    def close(self) -> None:
        """End the process, and remove the folder."""
        self._forks.close()
        self._folder.cleanup()


def main(arguments: Sequence[str], python: str) -> None:
    """Run Snakemake, whose jobs take `python` for Python."""
    sys.executable = python
    import_module("snakemake.cli").main(list(arguments))


def run(arguments: Sequence[str]) -> None:
    """Run a job in this process, a fork, like `python -m online_rnnlm`."""
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = list(arguments[1:])  # the module's name takes the place of its path
    import_module(f"{PACKAGE}.process.environment").prepare_process()
    import_module("numba").core.config.reload_config()
    runpy.run_module(PACKAGE, run_name="__main__", alter_sys=True)


def load() -> None:
    """Load what the package's stages load, and forget the package."""
    environment = dict(os.environ)
    import_module(f"{PACKAGE}.process.environment").prepare_process()
    for stage in STAGES:
        import_module(f"{PACKAGE}.{stage}")
    import_module(f"{PACKAGE}.tracking.store").mlflow()
    for store in ("tracking", "model_registry"):
        import_module(f"mlflow.store.{store}.sqlalchemy_store")
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)
    gc.collect()
    gc.freeze()
