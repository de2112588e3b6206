"""Finished trainings that the configuration no longer asks for, kept in case it asks again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import saying_what_cannot_be_written
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import RunRecord
from online_rnnlm.storage.runs import check_finished, read_end


def finished_identity(run: RunDirectory) -> str | None:
    """Return the identity of a run that has finished or diverged.

    None if its files are incomplete or damaged.
    """
    with suppress(UserError):
        record, end = records.read(RunRecord, run.record), read_end(run)
        if end is None:
            return None
        check_finished(run, end)
        if record.identity == end.identity and run.model.is_file():
            return record.identity
    return None


def exchange(run: RunDirectory, identity: str, folder: Path) -> bool:
    """Keep the finished training in a run's folder, and put the one with this identity there.

    `folder` has a folder for each training that was kept. Returns True if it had this one.
    """
    present = finished_identity(run)
    if present == identity:
        return False
    if present is not None:
        _keep(run, folder / present)
    kept = RunDirectory(folder / identity)
    if finished_identity(kept) != identity:
        return False
    for file in run.finished_files():  # the result is the last one
        _place(kept.path / file.name, file)
    return True


def kept_runs(folder: Path) -> Iterator[RunDirectory]:
    """Yield the folders of the trainings that were kept."""
    for path in sorted(folder.glob("*")):
        if finished_identity(RunDirectory(path)) is not None:
            yield RunDirectory(path)


def _keep(run: RunDirectory, place: Path) -> None:
    """Put a finished run's files into a folder, which is there complete or not at all."""
    if place.exists():
        return
    unfinished = place.with_name(f".{place.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    with saying_what_cannot_be_written(place, unfinished):
        unfinished.mkdir(parents=True)
        for file in run.finished_files():
            _place(file, unfinished / file.name)
        unfinished.replace(place)


def _place(file: Path, target: Path) -> None:
    """Put a file at another path, too: by a link if the file system has them, else by a copy.

    The files of runs are replaced as a whole and never changed, so both may share one content.
    """
    temporary = target.with_name(f".{target.name}.placed")
    temporary.unlink(missing_ok=True)
    try:
        os.link(file, temporary)
    except OSError:
        shutil.copy2(file, temporary)
    temporary.replace(target)
