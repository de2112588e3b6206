"""The files of a run that has ended, checked: a file that has changed since then is refused."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Epoch, RunDivergence, RunRecord, RunResult

End = RunResult | RunDivergence
"""The contents of `result.json`."""


def refuse_older(path: Path, identity: str, record: RunRecord) -> None:
    """Raise UserError if a file of that identity is not of the training that a record describes."""
    if identity != record.identity:
        raise UserError(f"{path}: belongs to an older training of `{record.name}`")


def read_end(run: RunDirectory) -> End | None:
    """Read how a run has ended; None if it has not. Raises UserError for a damaged file."""
    return records.read_if_there(RunResult, run.result, RunDivergence)


def read_result(run: RunDirectory) -> RunResult:
    """Read a finished run's results; raises UserError if it has not finished, or has diverged."""
    end = records.read(RunResult, run.result, RunDivergence)
    if isinstance(end, RunDivergence):
        raise UserError(f"{run.result}: {end.reason}")
    return end


def read_whole(run: RunDirectory) -> End | None:
    """Read how a run has ended; None if files are missing or belong to different trainings.

    Raises UserError if one is damaged.
    """
    if not all(file.is_file() for file in run.finished_files()):
        return None
    record = records.read(RunRecord, run.record)
    end = records.read(RunResult, run.result, RunDivergence)
    check_finished(run, end)
    return end if end.identity == record.identity else None


def check_finished(run: RunDirectory, end: End) -> None:
    """Raise UserError if the model or the metrics have changed since the run ended."""
    for file in (run.model, run.metrics):
        check(file, end.files, run.result)


def read_epochs(run: RunDirectory) -> list[Epoch]:
    """Read the records of the epochs that a run has finished so far.

    Raises UserError if they are missing or damaged, or have changed since the run ended.
    """
    end = read_end(run)
    if end is not None:
        check(run.metrics, end.files, run.result)
    return records.read_lines(Epoch, run.metrics)
