"""Reading of the user's text files, compressed or not; damaged text is always an error."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from online_rnnlm.corpora.streams import open_bz2, open_xz
from online_rnnlm.errors import UserError

Item = TypeVar("Item")


def _open_zst(path: Path, mode: str) -> IO[bytes]:
    import pyarrow as pa  # noqa: PLC0415  # it takes time to load

    return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))


OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": open_bz2,
    ".xz": open_xz,
    ".zst": _open_zst,
}
"""The functions that open compressed files, by suffix."""
_PACKED = {
    **{"7z": rb"7z\xbc\xaf\x27\x1c", "zip": rb"PK\x03\x04", "gzip": rb"\x1f\x8b"},
    **{"bzip2": rb"BZh[1-9]1AY&SY", "xz": rb"\xfd7zXZ\x00", "zstandard": rb"\x28\xb5\x2f\xfd"},
}
"""Patterns of the first bytes of compressed files."""
_LONGEST_START = 10
BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, lzma.LZMAError, zlib.error)
BYTE_ORDER_MARK = "\ufeff"
"""A mark that stands at the start of files, and where such files were put together."""


def inner_suffix(path: Path) -> str:
    """The suffix without that of a compression, in lower case: `.jsonl` of `articles.JSONL.xz`."""
    compressed = path.suffix.lower() in OPENERS
    return (path.with_suffix("") if compressed else path).suffix.lower()


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressed by its suffix; raises UserError if it cannot be read."""
    why = why_no_file(path)
    if why is not None:
        raise UserError(f"{path}: {why}")
    try:
        if path.suffix.lower() not in OPENERS:
            _refuse_packed(path)
        stream: IO[bytes] = OPENERS.get(path.suffix.lower(), open)(path, "rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    return stream


def _refuse_packed(path: Path) -> None:
    """Raise UserError if a file is compressed, while its name says that it is not."""
    with path.open("rb") as file:
        start = file.read(_LONGEST_START)
    for name, first in _PACKED.items():
        if re.match(first, start):
            raise UserError(
                f"{path}: is packed ({name}): allowed are plain files, and files whose names end "
                f"in {', '.join(OPENERS)} and that are packed so"
            )


def why_no_file(path: Path) -> str | None:
    """Return why a path is no file that can be read again and again; None if it is one."""
    try:
        if path.is_dir():
            return "is a directory, not a file"
        if path.is_file():
            return None
        if path.exists():
            return "is not a regular file: it cannot be read twice"
        return "is a link that leads to no file" if path.is_symlink() else "no such file"
    except OSError as error:
        return str(error.strerror)


def read_lines(path: Path) -> Iterator[str]:
    """Stream the lines of a UTF-8 text file without their ends, which are LF, CR LF or CR.

    Byte order marks are left out. Raises UserError, naming the file and the line, if the file is
    damaged or no UTF-8 text.
    """
    with open_bytes(path) as file:
        number = 0
        try:
            for number, raw in enumerate(file, 1):
                yield from _without_ends(_decode(path, number, raw))
        except BROKEN as error:
            where = f"after line {number}" if number else "at its start"
            raise UserError(f"{path}: damaged {where}: {error}") from None


def lines_in(stream: IO[bytes], name: Path) -> Iterator[str]:
    """Stream the lines of an open UTF-8 text, such as standard input, as `read_lines` does."""
    for number, raw in enumerate(stream, 1):
        yield from _without_ends(_decode(name, number, raw))


def refuse_none(
    items: Iterable[Item], origin: object, why: str = "the file is empty"
) -> Iterator[Item]:
    """Yield the items; raises UserError at the end if there was none.

    `origin` is the items' origin in the message, and `why` says why there may be none.
    """
    found = False
    for item in items:
        found = True
        yield item
    if not found:
        raise UserError(f"{origin}: no text in it: {why}")


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
    return text.replace(BYTE_ORDER_MARK, "")


def _without_ends(text: str) -> Iterator[str]:
    """Yield the lines in what ends with the first LF: one line, if CR alone ends none."""
    text = text.removesuffix("\n").removesuffix("\r")
    yield from text.split("\r") if "\r" in text else (text,)
