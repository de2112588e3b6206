"""The process that enters runs into MLflow while they train."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.tracking import TrackingSettings
from online_rnnlm.process.stop_signals import PARENT
from online_rnnlm.storage.paths import ExperimentDirectory


class Watcher:
    """A process beside Snakemake's own that enters runs into MLflow while they train."""

    def __init__(self, experiment: Experiment, directory: ExperimentDirectory) -> None:
        self._tracking = experiment.tracking
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it ends by itself when the process that started it ends.

        Ctrl-C does not reach it, because it has a process group of its own.
        """
        if not self._tracking.watch_seconds:
            return
        seconds = ("--watch", f"{self._tracking.watch_seconds:g}")
        command = [sys.executable, "-m", "online_rnnlm", "track", *store_arguments(self._tracking)]
        packages = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        changes = {"PYTHONPATH": ":".join(filter(None, packages)), PARENT: str(os.getpid())}
        self._process = subprocess.Popen(
            [*command, *seconds, str(self._directory.path)],
            env=os.environ | changes,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Terminate the process at once; the next synchronisation completes its work."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def store_arguments(tracking: TrackingSettings) -> list[str]:
    """Return the arguments of `track` that choose the store."""
    return ["--store", tracking.store] if tracking.store else []
