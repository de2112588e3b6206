"""Reading of the files of an experiment's runs, and detection of changes in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, main_evaluations
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import (
    Accounting,
    Evaluation,
    Job,
    RunFailure,
    RunRecord,
    RunResult,
)

_MAIN = (NONE, DOCUMENT_VECTOR)
Stamp = tuple[tuple[str, int, int], ...]
"""Paths of files with their times of change (ns) and sizes (bytes), to detect changes."""


OfTraining = TypeVar("OfTraining", RunResult, RunFailure, Evaluation)
"""A record that belongs to one training of a run."""


@dataclass(frozen=True)
class RunFiles:
    """The contents of the JSON files of a run."""

    record: RunRecord
    result: RunResult | None
    """The result, or None if the run has not finished; older trainings' results are ignored."""
    failure: RunFailure | None
    """The failure, or None if the run has not failed or is trained again."""
    evaluations: dict[str, Evaluation | None]
    """The required evaluations, with None for those that are missing, and all others that exist."""
    jobs: tuple[Job, ...]
    """Slurm's accounting of the jobs that trained the run; empty if there is none."""

    @property
    def end(self) -> RunResult | RunFailure | None:
        """The result or the failure; None if the run has not ended."""
        return self.result or self.failure


def run_names(directory: ExperimentDirectory) -> list[str]:
    """Return the sorted names of the runs that have begun."""
    return sorted(path.parent.name for path in directory.path.glob("runs/*/run.json"))


def read_run(directory: ExperimentDirectory, name: str) -> RunFiles:
    """Read the JSON files of a run; raises UserError for a file in a wrong format."""
    files = directory.run(name)
    record = records.read(RunRecord, files.record)
    result = _read_of(RunResult, files.result, record)
    failure = None if result else _read_of(RunFailure, files.failure, record)
    evaluations = {} if failure else _read_evaluations(directory, name, record)
    told = records.read_if_there(Accounting, files.accounting)
    return RunFiles(record, result, failure, evaluations, told.jobs if told else ())


def _read_evaluations(
    directory: ExperimentDirectory, name: str, record: RunRecord
) -> dict[str, Evaluation | None]:
    if record.searched:
        return {}
    paths = sorted(directory.evaluations(name).glob("*.json"))
    read = {path.stem: _read_of(Evaluation, path, record) for path in paths}
    main = main_evaluations(record.settings.document_size)
    others = {name: found for name, found in read.items() if found and name not in main}
    return {name: read.get(name) for name in main} | others


def _read_of(kind: type[OfTraining], path: Path, record: RunRecord) -> OfTraining | None:
    """Read a record of this training; None if it belongs to another training or does not exist."""
    found = records.read_if_there(kind, path)
    return found if found is not None and found.identity == record.identity else None


def run_files(directory: ExperimentDirectory, name: str, run: RunFiles) -> dict[str, list[Path]]:
    """Return all files of a complete entry, by their folder among the entry's artifacts."""
    files = directory.run(name)
    end = files.failure if run.failure else files.result
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
        "": [files.record, files.metrics, end, files.log, *accounting],
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
    """Return the sha256 of the names and contents of the files."""
    digest = hashlib.sha256()
    for path in (path for paths in files.values() for path in paths):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory.path)} {len(content)}\n".encode() + content)
    return digest.hexdigest()
