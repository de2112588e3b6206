"""The files of a finished run, checked: a file that has changed since it was written is refused."""

from __future__ import annotations

from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Epoch, RunResult


def check_finished(run: RunDirectory, result: RunResult) -> None:
    """Raise UserError if the model or the metrics have changed since the run ended."""
    for file in (run.model, run.metrics):
        check(file, result.files, run.result)


def read_epochs(run: RunDirectory) -> list[Epoch]:
    """Read the records of the epochs that a run has finished so far.

    Raises UserError if they are missing or damaged, or have changed since the run ended.
    """
    result = records.read_if_there(RunResult, run.result)
    if result is not None:
        check(run.metrics, result.files, run.result)
    return records.read_lines(Epoch, run.metrics)
