"""The processes beside Snakemake's own that nothing waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.process.stop_signals import PARENT
from online_rnnlm.storage.paths import ExperimentDirectory


class Companions:
    """A process that compiles kernels while texts are prepared.

    It ends by itself when the process that started it ends. Ctrl-C does not reach it, because it
    has a process group of its own.
    """

    def __init__(self, experiment: Experiment, directory: ExperimentDirectory) -> None:
        self._corpora = experiment.corpora
        self._directory = directory
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *, trains_here: bool) -> None:
        """Start the processes; `trains_here` says whether trainings run on this machine."""
        prepared = (self._directory.corpus(name).statistics.is_file() for name in self._corpora)
        if trains_here and not all(prepared):
            configuration = str(self._directory.configuration)
            # A training compiles what this process does not, and reports what is wrong.
            self._start("compile", "--config", configuration, errors=subprocess.DEVNULL)

    def _start(self, *arguments: str, errors: int | None = None) -> None:
        packages = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        changes = {"PYTHONPATH": ":".join(filter(None, packages)), PARENT: str(os.getpid())}
        process = subprocess.Popen(
            [sys.executable, "-m", "online_rnnlm", *arguments],
            env=os.environ | changes,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        self._processes.append(process)

    def stop(self) -> None:
        """Terminate the processes at once; the next synchronisation completes what they did."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait()
