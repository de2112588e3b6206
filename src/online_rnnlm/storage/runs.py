"""A run's files as they were written when it ended: what has changed since is not used."""

from __future__ import annotations

from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Epoch, RunResult


def check_finished(run: RunDirectory, result: RunResult) -> None:
    """Raise UserError if the model or the metrics are not those that the run ended with."""
    for file in (run.model, run.metrics):
        check(file, result.files, run.result)


def read_epochs(run: RunDirectory) -> list[Epoch]:
    """Read the epochs that a run has had so far.

    Raises UserError if they are missing or damaged, or not those that a finished run ended with.
    """
    result = records.read_if_there(RunResult, run.result)
    if result is not None:
        check(run.metrics, result.files, run.result)
    return records.read_lines(Epoch, run.metrics)
