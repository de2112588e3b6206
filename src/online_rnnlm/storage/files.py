"""Safe files: a file is written under a temporary name first, and checked by its checksum."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from uuid import uuid4

from online_rnnlm.errors import UserError

_UNWRITABLE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the block a temporary path, and move that file to `path` if the block succeeds.

    Nobody ever sees a half-written file, not even after a power failure; if the block fails, the
    old file stays. Temporary files left by killed processes are removed. Raises UserError if the
    disk is full or must not be written to.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    with saying_what_cannot_be_written(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        with temporary.open("wb") as held:
            lock(held)
            try:
                yield temporary
                with temporary.open("rb+") as written:
                    os.fsync(written.fileno())  # some file systems report only now that it is full
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)


@contextmanager
def writing_output(path: Path) -> Iterator[Path]:
    """Give the block a temporary path, and write that file where a user asked for it.

    A link is followed. A device or a pipe is written into, and never replaced. A file is replaced
    if the block succeeds. Raises UserError if the folder is not there, or cannot be written to.
    """
    if path.exists() and not path.is_file():
        with TemporaryDirectory() as folder, saying_what_cannot_be_written(path):
            temporary = Path(folder, path.name)
            yield temporary
            with temporary.open("rb") as written, path.open("wb") as out:
                shutil.copyfileobj(written, out)
        return
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise UserError(f"{path}: cannot be written: there is no folder {place.parent}")
    with replacing(place) as temporary:
        yield temporary


def _remove_leftovers(path: Path) -> None:
    """Remove the path's temporary files that no running process, on any machine, is writing."""
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}.") and left.suffix == ".tmp":
            try:
                with left.open("rb+") as file:
                    if lock(file):
                        left.unlink(missing_ok=True)
            except FileNotFoundError:
                continue  # its process has just moved it to `path`


def lock(file: IO[Any], *, wait: bool = False) -> bool | None:
    """Lock an open file until it is closed; the system closes it when the process ends.

    With `wait` it waits until no other process holds the lock. Returns True if this process holds
    the lock now, False if another process, on any machine, holds it, and None if the file system
    has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def saying_what_cannot_be_written(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Turn the system's error about a full or read-only disk into a UserError that names `path`."""
    try:
        yield
    except OSError as error:
        reason = why_unwritable(error)
        ours = {None, *map(str, (path, temporary, *path.parents))}
        if reason is None or error.filename not in ours:
            raise
        raise UserError(f"{path}: cannot be written: {reason}") from error


def why_unwritable(error: OSError) -> str | None:
    """Return the system's reason if a file cannot be written (such as no space left), else None."""
    if error.errno in _UNWRITABLE:
        return os.strerror(error.errno)
    # On a full disk numpy's error has no number; it says "4096 requested and 1024 written".
    return os.strerror(errno.ENOSPC) if str(error).endswith("written") else None


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json_text(value), encoding="utf-8")


def json_text(value: Any) -> str:
    """Return a value as indented JSON with a line end."""
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def sha256_of(file: Path) -> str:
    """Return a file's sha256 as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check(file: Path, digests: Mapping[str, str], record: Path) -> None:
    """Raise UserError if a file is missing, or if its sha256 is not the one that the record lists
    for its name."""
    if not file.is_file():
        raise UserError(f"{file}: missing: start the experiment again")
    if sha256_of(file) != digests.get(file.name):
        raise UserError(
            f"{file}: changed since it was made: its checksum is not the one in {record.name}: "
            "delete it, and start the experiment again"
        )
