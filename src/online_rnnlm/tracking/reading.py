"""What an experiment's files say of its runs, and whether they have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, main_evaluations
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json
from online_rnnlm.storage.paths import ExperimentDirectory

_MAIN = (NONE, DOCUMENT_VECTOR)
Stamp = tuple[tuple[str, int, int], ...]
"""Files with their times and sizes: what tells whether any has changed."""


@dataclass(frozen=True)
class RunFiles:
    """What the JSON files of a run say."""

    record: dict[str, Any]
    result: dict[str, Any] | None
    """None if it is not finished: that of an older training under the same name is none."""
    failure: dict[str, Any] | None
    """None if it has not failed, or is trained again."""
    evaluations: dict[str, dict[str, Any] | None]
    """Those that have to be there, None if they are not, and what else belongs to the run."""
    jobs: list[dict[str, Any]]
    """What Slurm says of the jobs that trained it, if it does."""


def run_names(directory: ExperimentDirectory) -> list[str]:
    """The runs that have begun."""
    return sorted(path.parent.name for path in directory.path.glob("runs/*/run.json"))


def read_run(directory: ExperimentDirectory, name: str) -> RunFiles:
    """Read them; raises UserError for a file that is not what training writes."""
    files = directory.run(name)
    record = read_object(files.run)
    if "began" not in record:
        raise UserError(f"{files.run}: written by an older version: train it again")
    result, failure = (_read_of(path, record["identity"]) for path in (files.result, files.failure))
    if result is not None:
        failure = None
    evaluations = {} if failure else _read_evaluations(directory, name, record)
    told = read_object(files.accounting) if files.accounting.is_file() else {}
    return RunFiles(record, result, failure, evaluations, told.get("jobs", []))


def _read_evaluations(
    directory: ExperimentDirectory, name: str, record: dict[str, Any]
) -> dict[str, dict[str, Any] | None]:
    if record["searched"]:
        return {}
    paths = sorted(directory.evaluations(name).glob("*.json"))
    read = {path.stem: _read_of(path, record["identity"]) for path in paths}
    main = main_evaluations(record["settings"]["document_size"])
    others = {name: found for name, found in read.items() if found and name not in main}
    return {name: read.get(name) for name in main} | others


def _read_of(path: Path, identity: str) -> dict[str, Any] | None:
    """What a file says of the training of that identity; None if it is of another, or not there."""
    found = read_object(path) if path.is_file() else {}
    return found if found.get("identity") == identity else None


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
    return {"": [files.run, files.metrics, end, files.log, *accounting], "evaluations": evaluations}


def read_epochs(directory: ExperimentDirectory, name: str) -> list[dict[str, Any]]:
    """The lines of `metrics.jsonl`, if it is there."""
    path = directory.run(name).metrics
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file; raises UserError."""
    try:
        found: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    return found


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
