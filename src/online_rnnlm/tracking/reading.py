"""What an experiment's files say of its runs, and whether they have changed."""

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
"""Files with their times and sizes: what tells whether any has changed."""


OfTraining = TypeVar("OfTraining", RunResult, RunFailure, Evaluation)
"""A record that belongs to one training of a run."""


@dataclass(frozen=True)
class RunFiles:
    """What the JSON files of a run say."""

    record: RunRecord
    result: RunResult | None
    """None if it is not finished: that of an older training under the same name is none."""
    failure: RunFailure | None
    """None if it has not failed, or is trained again."""
    evaluations: dict[str, Evaluation | None]
    """Those that have to be there, None if they are not, and what else belongs to the run."""
    jobs: tuple[Job, ...]
    """What Slurm says of the jobs that trained it, if it does."""

    @property
    def end(self) -> RunResult | RunFailure | None:
        """How it has ended, if it has."""
        return self.result or self.failure


def run_names(directory: ExperimentDirectory) -> list[str]:
    """The runs that have begun."""
    return sorted(path.parent.name for path in directory.path.glob("runs/*/run.json"))


def read_run(directory: ExperimentDirectory, name: str) -> RunFiles:
    """Read them; raises UserError for a file that is not what the stages write."""
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
    """What a file says of this training; None if it is of another, or not there."""
    found = records.read_if_there(kind, path)
    return found if found is not None and found.identity == record.identity else None


def run_files(directory: ExperimentDirectory, name: str, run: RunFiles) -> dict[str, list[Path]]:
    """All files that a complete entry is made of, by the folder they belong into."""
    files = directory.run(name)
    end = files.failure if run.failure else files.result
    evaluations = [
        path
        for evaluation in run.evaluations
        for path in (
            directory.evaluation(name, evaluation),
            # Of the others, the sentences' scores are in the results folder only: they are large.
            *([directory.sentence_scores(name, evaluation)] if evaluation in _MAIN else []),
        )
    ]
    accounting = [files.accounting] if run.jobs else []
    return {
        "": [files.record, files.metrics, end, files.log, *accounting],
        "evaluations": evaluations,
    }


def files_in(folder: Path) -> list[Path]:
    """Its files, sorted, but those that are being written."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def stamp_of(paths: Iterable[Path]) -> Stamp:
    """The stamp of those of these files that are there."""
    found = []
    for path in paths:
        try:
            about = path.stat()
        except FileNotFoundError:  # not there, or replaced just now
            continue
        found.append((str(path), about.st_mtime_ns, about.st_size))
    return tuple(found)


def digest_of(directory: ExperimentDirectory, files: dict[str, list[Path]]) -> str:
    """sha256 over names and contents."""
    digest = hashlib.sha256()
    for path in (path for paths in files.values() for path in paths):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory.path)} {len(content)}\n".encode() + content)
    return digest.hexdigest()
