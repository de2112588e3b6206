"""Reading of the user's text files, compressed or not; damaged text is always an error."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from online_rnnlm.errors import UserError

Item = TypeVar("Item")

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, lzma.LZMAError, zlib.error)


def inner_suffix(path: Path) -> str:
    """The suffix without that of a compression: `.jsonl` of `articles.jsonl.xz`."""
    return (path.with_suffix("") if path.suffix in OPENERS else path).suffix


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressed by its suffix; raises UserError if it cannot be read."""
    if not path.is_file():
        what = "is a directory, not a file" if path.is_dir() else "no such file"
        raise UserError(f"{path}: {what}")
    try:
        stream: IO[bytes] = OPENERS.get(path.suffix, open)(path, "rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    return stream


def read_lines(path: Path) -> Iterator[str]:
    """Stream the lines of a UTF-8 text file without their newlines.

    Raises UserError, naming the file and the line, if the file is damaged or no UTF-8 text.
    """
    with open_bytes(path) as file:
        number = 0
        try:
            for number, raw in enumerate(file, 1):
                yield _decode(path, number, raw).removesuffix("\n")
        except BROKEN as error:
            where = f"after line {number}" if number else "at its start"
            raise UserError(f"{path}: damaged {where}: {error}") from None


def refuse_none(items: Iterable[Item], origin: object) -> Iterator[Item]:
    """Yield the items; raises UserError at the end if there was none.

    `origin` is the items' origin in the message.
    """
    found = False
    for item in items:
        found = True
        yield item
    if not found:
        raise UserError(f"{origin}: no text in it: the file is empty")


def _decode(path: Path, number: int, raw: bytes) -> str:
    if b"\0" in raw:
        position = raw.index(b"\0") + 1
        raise UserError(f"{path}, line {number}, byte {position}: a NUL byte: this is no text file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"{path}, line {number}, byte {error.start + 1}"
        raise UserError(
            f"{where}: not UTF-8: this is no text file, or in another encoding"
        ) from None
    return text.removeprefix("\ufeff") if number == 1 else text
