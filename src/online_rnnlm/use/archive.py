"""A sealed archive: one file of records, texts and arrays, never of pickles.

It is a zip archive without compression, with a checksum behind it (docs/data-formats.md). A reader
checks every size before it allocates memory for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.config.messages import first_message
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import WrongInputError, as_wrong_input
from online_rnnlm.storage.files import is_sealed, replacing, seal
from online_rnnlm.storage.records import Record

_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes
_ZIP = b"PK\x03\x04"
_LONGEST_DESCRIPTION = 1 << 20
_LONGEST_TEXT = 1 << 28
"""Bytes of the largest text that is read."""
_MAGIC = npy.magic(1, 0)
_HEADER = re.compile(
    rb"\{'descr': '([<>|]\w{1,9})', 'fortran_order': False, 'shape': \((\d[\d, ]*)\), *\} *\n"
)
"""The header of an array; numpy's own reader parses it as Python, which is slower and less safe."""
_LONGEST_HEADER = 4096
"""Bytes that an array's header may take."""
_UNREADABLE = (
    *(OSError, ValueError, EOFError, BadZipFile, KeyError, OverflowError),
    *(NotImplementedError, RuntimeError, TypeError),
)
"""The errors that Python's readers of zip archives and arrays raise for damaged ones."""
AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class Kind:
    """The words for one kind of archive in messages."""

    noun: str
    """Such as `model`."""
    needed: str
    """Such as `a model's file`."""
    writer: str
    """The command that writes it."""
    again: str
    """Advice for a damaged one."""


@dataclass(frozen=True)
class Text:
    """A text member of an archive; `str` names the file and the member."""

    file: Path
    name: str
    content: bytes

    def read_text(self, *, encoding: str) -> str:
        """Return the whole text."""
        return self.content.decode(encoding)

    def __str__(self) -> str:
        """Return the place as messages have it."""
        return f"{self.file}, {self.name}"


def write_archive(
    path: Path, texts: Mapping[str, bytes], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write these members by their names, an array's without `.npy`: all of them or nothing."""
    with replacing(path) as temporary:
        with ZipFile(temporary, "w", ZIP_STORED) as archive:
            for name, content in texts.items():
                archive.writestr(ZipInfo(name, _DATE), content)
            for name, array in arrays.items():
                with archive.open(ZipInfo(_of_array(name), _DATE), "w", force_zip64=True) as out:
                    npy.write_array(out, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
        seal(temporary)


def json_bytes(record: Record) -> bytes:
    """Return a record as the text of a member."""
    text = json.dumps(record.model_dump(mode="json"), indent=2, allow_nan=False, sort_keys=False)
    return f"{text}\n".encode()


def _of_array(name: str) -> str:
    return f"{name}.npy"


def damaged(path: Path, why: str) -> WrongInputError:
    """Return the error for an archive that is damaged."""
    return WrongInputError(f"{path}: damaged: {why}")


class Archive:
    """An open archive, whose members are read by name."""

    def __init__(self, path: Path, archive: ZipFile, kind: Kind) -> None:
        self.path, self._zip, self._kind = path, archive, kind
        self._members = _members(path, archive)

    def __contains__(self, name: str) -> bool:
        """Return True if there is a member of that name."""
        return name in self._members

    def description(self, record: type[AnyRecord], name: str) -> AnyRecord:
        """Read the record that says what the archive is, then check the archive's checksum.

        Raises WrongInputError if it is missing, or made by a later version of this program.
        """
        kind = self._kind
        if name not in self:
            raise WrongInputError(
                f"{self.path}: no {kind.noun}: it has no `{name}`; {kind.writer} writes one"
            )
        text = self.text(name, _LONGEST_DESCRIPTION)
        values = json.loads(text.content)
        version = values.get("format") if isinstance(values, dict) else None
        known = record.version()
        if isinstance(version, int) and version > known:
            raise WrongInputError(
                f"{self.path}: made by a later version of this program (`format` {version}, this "
                f"one reads {known}): use that version"
            )
        found = _record(record, text)
        if not is_sealed(self.path):
            raise damaged(self.path, f"its checksum is not that of its content: {kind.again}")
        return found

    def record(self, record: type[AnyRecord], name: str) -> AnyRecord:
        """Read a record; raises WrongInputError if it is damaged."""
        return _record(record, self.text(name))

    def text(self, name: str, most: int = _LONGEST_TEXT) -> Text:
        """Read a text; refuses one of more than `most` bytes, or larger than the whole file."""
        info = self._members[name]
        if info.file_size > min(most, self.path.stat().st_size):
            raise damaged(self.path, f"`{name}` has {info.file_size} bytes, at most {most} fit")
        return Text(self.path, name, self._zip.read(info))

    def check_members(
        self,
        texts: Collection[str],
        arrays: Mapping[str, tuple[int, ...]],
        dtype: np.dtype[Any],
        optional: Collection[str] = (),
    ) -> None:
        """Raise WrongInputError unless there are these texts, these arrays, and nothing else.

        `arrays` are their shapes. What is `optional` may be missing.
        """
        needed = {*texts, *map(_of_array, arrays)}
        missing = sorted(needed - self._members.keys())
        if missing:
            raise damaged(self.path, f"has no `{missing[0]}`")
        unknown = sorted(self._members.keys() - needed - set(optional))
        if unknown:
            raise damaged(self.path, f"has an unknown part `{_short(unknown[0])}`")
        for name, shape in arrays.items():
            self._check_size(self._members[_of_array(name)], _bytes(shape, dtype))

    def _check_size(self, info: ZipInfo, needed: int) -> None:
        """Raise WrongInputError unless a member has the array's bytes and room for its header."""
        if not needed <= info.file_size <= min(needed + _LONGEST_HEADER, self.path.stat().st_size):
            raise damaged(
                self.path,
                f"`{info.filename}` has {info.file_size} bytes, but the sizes of the "
                f"{self._kind.noun} need an array of {needed}",
            )

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Read an array; its header is checked before memory is allocated for its values."""
        needed, short = _bytes(shape, dtype), name.rpartition("/")[2]
        with self._zip.open(_of_array(name)) as file:
            header = file.read(len(_MAGIC) + 2)
            length = int.from_bytes(header[len(_MAGIC) :], "little")
            found = _HEADER.fullmatch(file.read(min(length, _LONGEST_HEADER)))
            if not header.startswith(_MAGIC) or found is None:
                raise damaged(
                    self.path, f"`{short}` is no array of numpy's format 1.0 in C's order"
                )
            descr, numbers = (text.decode() for text in found.groups())
            if (descr, tuple(map(int, re.findall(r"\d+", numbers)))) != (dtype.str, shape):
                raise damaged(
                    self.path, f"`{short}` is {descr} ({numbers}), but {dtype} {shape} is needed"
                )
            content = file.read()
        if len(content) != needed:
            raise damaged(self.path, f"`{short}` has {len(content)} bytes, but {needed} are needed")
        return np.frombuffer(content, dtype).reshape(shape).copy()


@contextmanager
def opened(path: Path, kind: Kind) -> Iterator[Archive]:
    """Open an archive for the block.

    All that is found to be wrong in the block, by this module or by Python's own readers, becomes a
    WrongInputError of one line that names the file.
    """
    why = why_no_file(path)
    if why is not None:
        raise WrongInputError(f"{path}: {why}: {kind.needed} is needed")
    try:
        with as_wrong_input(), _zip_of(path, kind) as archive:
            yield Archive(path, archive, kind)
    except _UNREADABLE as error:
        raise damaged(path, " ".join(str(error).split())[:200] or type(error).__name__) from None


def _zip_of(path: Path, kind: Kind) -> ZipFile:
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise WrongInputError(f"{path}: no {kind.noun}: {kind.writer} writes one")
    try:
        return ZipFile(path)
    except BadZipFile:
        raise damaged(path, f"it is cut off, or no {kind.noun} at all: {kind.again}") from None


def _members(path: Path, archive: ZipFile) -> dict[str, ZipInfo]:
    """Return the archive's members by name: each once, uncompressed and not encrypted."""
    found: dict[str, ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in found:
            raise damaged(path, f"has `{_short(info.filename)}` twice")
        plain = info.compress_type == ZIP_STORED and info.compress_size == info.file_size
        if not plain or info.flag_bits & 1:
            raise damaged(path, f"`{_short(info.filename)}` is compressed or encrypted")
        found[info.filename] = info
    return found


def _short(name: str) -> str:
    return name if name.isprintable() and len(name) < 100 else f"{name[:60]!r}…"


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return int(np.prod(shape)) * dtype.itemsize


def _record(kind: type[AnyRecord], text: Text) -> AnyRecord:
    try:
        return kind.model_validate_json(text.content, strict=True)
    except ValidationError as error:
        raise WrongInputError(f"{text}: damaged: {first_message(error)}") from None
