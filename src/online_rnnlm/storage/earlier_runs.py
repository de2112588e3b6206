"""Finished trainings that the configuration no longer asks for, kept in case it asks again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import saying_what_cannot_be_written, sha256_of
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Receipt
from online_rnnlm.storage.runs import read_whole

_SEAL = "receipt.json"
"""The receipt of a training that was kept: the sha256 of its files."""


def finished_identity(run: RunDirectory) -> str | None:
    """Return the identity of a run that has finished or diverged.

    None if its files are incomplete or damaged.
    """
    with suppress(UserError):
        end = read_whole(run)
        return None if end is None else end.identity
    return None


def exchange(run: RunDirectory, identity: str, folder: Path) -> bool:
    """Keep the finished training in a run's folder, and put the one with this identity there.

    `folder` has a folder for each training that was kept. If it does not have this one, a run of
    the experiment may have it under another name: names change with the settings that are searched.
    Returns True if the training was found.
    """
    present = finished_identity(run)
    if present == identity:
        return False
    if present is not None:
        _keep(run, folder / present)
    kept = _kept(folder, identity) or _with_another_name(run, identity)
    if kept is None:
        return False
    try:
        if kept.log.is_file():
            run.log.write_bytes(kept.log.read_bytes())  # in place: a process may hold its lock
        for file in run.finished_files():  # the result is the last one
            _place(kept.path / file.name, file)
    except FileNotFoundError:  # a job has begun to train the other run anew
        return False
    return True


def _kept(folder: Path, identity: str) -> RunDirectory | None:
    """Return the folder of a training that was kept and is unchanged, if there is one."""
    found = RunDirectory(folder / identity)
    return found if _kept_identity(found) == identity else None


def _with_another_name(run: RunDirectory, identity: str) -> RunDirectory | None:
    """Return the folder of a finished run of the same experiment with this identity, if any."""
    for result in sorted(run.path.parent.glob("*/result.json")):
        other = RunDirectory(result.parent)
        # Few results name the identity, so the others' files need not be read.
        if other.path == run.path:
            continue
        with suppress(FileNotFoundError):  # a job has begun to train the other run anew
            if identity.encode() in result.read_bytes() and finished_identity(other) == identity:
                return other
    return None


def _kept_identity(kept: RunDirectory) -> str | None:
    """Return the identity of a training that was kept; None if a file has changed since then."""
    with suppress(UserError):
        seal = records.read_if_there(Receipt, kept.path / _SEAL)
        if seal is not None and seal.outputs == _sums(kept):
            return finished_identity(kept)
    return None


def _sums(run: RunDirectory) -> dict[str, str]:
    """Return the sha256 of those of a finished run's files that are there, by name."""
    return {file.name: sha256_of(file) for file in run.finished_files() if file.is_file()}


def kept_runs(folder: Path) -> Iterator[tuple[RunDirectory, bool]]:
    """Yield the folders of the trainings that were kept, each with True if it is unchanged."""
    for path in sorted(folder.glob("*")):
        kept = RunDirectory(path)
        yield kept, _kept_identity(kept) is not None


def _keep(run: RunDirectory, place: Path) -> None:
    """Put a finished run's files into a folder, which is there complete or not at all."""
    if _kept_identity(RunDirectory(place)) is not None:
        return
    unfinished = place.with_name(f".{place.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    with saying_what_cannot_be_written(place, unfinished):
        unfinished.mkdir(parents=True)
        for file in run.finished_files():
            _place(file, unfinished / file.name)
        if run.log.is_file():
            shutil.copy2(run.log, unfinished / run.log.name)
        made = _sums(RunDirectory(unfinished))
        seal = Receipt(
            rule="earlier", name="", identity=place.name, finished=True, inputs={}, outputs=made
        )
        records.write(unfinished / _SEAL, seal)
        shutil.rmtree(place, ignore_errors=True)
        unfinished.replace(place)


def _place(file: Path, target: Path) -> None:
    """Put a file at another path, too: weights by a link if the file system has them, else a copy.

    A file with a link would change at both places if somebody edited it.
    """
    temporary = target.with_name(f".{target.name}.placed")
    temporary.unlink(missing_ok=True)
    try:
        if file.suffix != ".npz":
            raise OSError
        os.link(file, temporary)
    except OSError:
        shutil.copy2(file, temporary)
    temporary.replace(target)
