"""Reading of the files of an experiment's runs, and detection of changes in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from online_rnnlm.config.evaluations import (
    DOCUMENT_VECTOR,
    NONE,
    evaluations_of,
    is_evaluation,
    main_evaluations,
)
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import (
    Accounting,
    Evaluation,
    FailedEvaluation,
    Job,
    RunDivergence,
    RunRecord,
)
from online_rnnlm.storage.runs import End, read_end

_MAIN = (NONE, DOCUMENT_VECTOR)
Stamp = tuple[tuple[str, int, int], ...]
"""Paths of files with their times of change (ns) and sizes (bytes), to detect changes."""


class BeingMade(UserError):
    """A file that was just there is gone, because a job of the experiment makes it anew.

    The next attempt goes without the file, or finds the new one.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: is just being made anew: try again")


@dataclass(frozen=True)
class RunFiles:
    """The contents of the JSON files of a run."""

    record: RunRecord
    end: End | None
    """The run's end, or None if it has not ended; those of older trainings are ignored."""
    evaluations: dict[str, Evaluation | None]
    """The required evaluations, with None for those that are missing, and all others that have
    finished. Those that diverged are left out."""
    failure: str | None
    """The reason if the run, or one of its required evaluations, has diverged."""
    jobs: tuple[Job, ...]
    """Slurm's accounting of the jobs that trained the run; empty if there is none."""


def run_names(directory: ExperimentDirectory) -> list[str]:
    """Return the sorted names of the runs that have begun."""
    return sorted(path.parent.name for path in directory.path.glob("runs/*/run.json"))


def read_run(
    directory: ExperimentDirectory, name: str, testing: TestingSettings | None = None
) -> RunFiles:
    """Read the JSON files of a run; raises UserError for a file in a wrong format.

    Evaluations that `testing`, if it is given, does not ask for are left out.
    """
    files = directory.run(name)
    record = records.read(RunRecord, files.record)
    end = read_end(files)
    if end is not None and end.identity != record.identity:
        end = None
    told = records.read_if_there(Accounting, files.accounting)
    jobs = told.jobs if told else ()
    if isinstance(end, RunDivergence):
        return RunFiles(record, end, {}, end.reason, jobs)
    found = {} if record.searched else _read_evaluations(directory, name, record, testing)
    finished = {name: one for name, one in found.items() if not isinstance(one, FailedEvaluation)}
    main = () if record.searched else main_evaluations(record.settings.document_size)
    diverged = [one for name in main if isinstance(one := found.get(name), FailedEvaluation)]
    return RunFiles(record, end, finished, diverged[0].reason if diverged else None, jobs)


def _read_evaluations(
    directory: ExperimentDirectory, name: str, record: RunRecord, testing: TestingSettings | None
) -> dict[str, Evaluation | FailedEvaluation | None]:
    """Read the required evaluations, with None for those that are missing, and all others.

    Evaluations of older trainings, copies under another name, other files, and evaluations that
    `testing`, if it is given, does not ask for are ignored.
    """
    paths = sorted(directory.evaluations(name).glob("*.json"))
    kinds = (Evaluation, FailedEvaluation)
    asked = evaluations_of(record.settings.document_size, testing) if testing else None
    found = {
        path.stem: records.read_one_of_if_there(kinds, path)
        for path in paths
        if (is_evaluation(path.stem) if asked is None else path.stem in asked)
    }
    ours = {
        evaluation: one
        for evaluation, one in found.items()
        if one is not None
        and (one.run, one.evaluation, one.identity) == (name, evaluation, record.identity)
    }
    main = main_evaluations(record.settings.document_size)
    return {name: ours.get(name) for name in main} | ours


def run_files(directory: ExperimentDirectory, name: str, run: RunFiles) -> dict[str, list[Path]]:
    """Return all files of a complete entry, by their folder among the entry's artifacts."""
    files = directory.run(name)
    evaluations = [
        path
        for evaluation in run.evaluations
        for path in (
            directory.evaluation(name, evaluation),
            # Other evaluations' sentence scores stay in the results folder, because they are large.
            *([directory.sentence_scores(name, evaluation)] if evaluation in _MAIN else []),
        )
    ]
    accounting = [files.accounting] if run.jobs else []
    return {
        "": [files.record, files.metrics, files.result, files.log, *accounting],
        "evaluations": evaluations,
    }


def files_in(folder: Path) -> list[Path]:
    """Return the sorted files in a folder, without those that are still being written."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def stamp_of(paths: Iterable[Path]) -> Stamp:
    """Return the stamp of those of the files that exist."""
    found = []
    for path in paths:
        try:
            about = path.stat()
        except FileNotFoundError:  # The file does not exist, or is just being replaced.
            continue
        found.append((str(path), about.st_mtime_ns, about.st_size))
    return tuple(found)


def digest_of(directory: ExperimentDirectory, files: dict[str, list[Path]]) -> str:
    """Return the sha256 of the names and contents of the files.

    Raises BeingMade if one is not there any more, and UserError if one cannot be read.
    """
    digest = hashlib.sha256()
    for path in (path for paths in files.values() for path in paths):
        content = _content(path)
        digest.update(f"{path.relative_to(directory.path)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BeingMade(path) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def refuse_missing(path: Path) -> None:
    """Raise BeingMade if a file is not there any more."""
    if not path.is_file():
        raise BeingMade(path)
