"""The process that enters runs into MLflow while they train."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.tracking import TrackingSettings
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.syntax import PACKAGE


class Watcher:
    """What enters runs into MLflow while they train: a process beside Snakemake's own."""

    def __init__(self, experiment: Experiment, directory: ExperimentDirectory) -> None:
        self._tracking = experiment.tracking
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; it ends by itself with the process that started it."""
        if not self._tracking.watch_seconds:
            return
        seconds = ("--watch", f"{self._tracking.watch_seconds:g}")
        command = [sys.executable, "-m", PACKAGE, "track", *store_arguments(self._tracking)]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        self._process = subprocess.Popen(
            [*command, *seconds, str(self._directory.path)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """End, in the midst of what it does: the next synchronisation completes it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def store_arguments(tracking: TrackingSettings) -> list[str]:
    """The arguments of `track` that say which store runs are entered into."""
    return ["--store", tracking.store] if tracking.store else []
