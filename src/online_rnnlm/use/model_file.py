"""One file that is a whole model: weights, vocabulary, text preparation, and how it was made.

It is a zip archive of arrays and text, never of pickles, with a checksum behind it
(docs/data-formats.md). A reader checks every size before it allocates memory for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from pydantic import ValidationError

from online_rnnlm.config.messages import first_message
from online_rnnlm.corpora.corpus import UNKNOWN, Corpus, read_vocabulary
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import WrongInputError, as_wrong_input
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for, sizes_of_run
from online_rnnlm.storage.files import is_sealed, replacing, seal
from online_rnnlm.storage.records import ModelDescription, SentenceSplitter

SUFFIX = ".onlm"
DESCRIPTION, VOCABULARY, SPLITTER = "description.json", "vocabulary.tsv", "splitter.json"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
_ZIP = b"PK\x03\x04"
_LONGEST_DESCRIPTION = 1 << 20
_LONGEST_TEXT = 1 << 28
"""Bytes of the largest vocabulary or splitter that is read."""
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<>|]\w{1,9})', 'fortran_order': False, 'shape': \((\d[\d, ]*)\), *\} *\n"
)
"""The header of an array; numpy's own reader parses it as Python, which is slower and less safe."""
_LONGEST_HEADER = 4096
"""Bytes that an array's header may take."""
AnyRecord = TypeVar("AnyRecord", ModelDescription, SentenceSplitter)
_UNREADABLE = (
    *(OSError, ValueError, EOFError, BadZipFile, KeyError, OverflowError),
    *(NotImplementedError, RuntimeError, TypeError),
)
"""The errors that Python's readers of zip archives and arrays raise for damaged ones."""


@dataclass(frozen=True)
class Contents:
    """The contents of a model's file."""

    description: ModelDescription
    corpus: Corpus
    """The vocabulary and its classes; there are no splits."""
    weights: Parameters
    splitter: SentenceSplitter | None
    """None if Punkt is not needed to find the ends of sentences."""

    def own_splitter(self) -> SentenceSplitter | None:
        """Return the splitter; unlike a lambda, this method can be pickled with its object."""
        return self.splitter


@dataclass(frozen=True)
class _Text:
    """A text member of a model's file; `str` names the file and the member."""

    file: Path
    name: str
    content: bytes

    def read_text(self, *, encoding: str) -> str:
        """Return the whole text."""
        return self.content.decode(encoding)

    def __str__(self) -> str:
        return f"{self.file}, {self.name}"


def write(
    path: Path,
    description: ModelDescription,
    vocabulary: bytes,
    weights: Parameters,
    splitter: SentenceSplitter | None,
) -> None:
    """Write a model's file, whole or not at all; `vocabulary` is the text of `vocabulary.tsv`."""
    texts = {DESCRIPTION: _json(description), VOCABULARY: vocabulary}
    if splitter is not None:
        texts[SPLITTER] = _json(splitter)
    with replacing(path) as temporary:
        with ZipFile(temporary, "w", ZIP_STORED) as archive:
            for name, content in texts.items():
                archive.writestr(ZipInfo(name, _DATE), content)
            for name, array in weights._asdict().items():
                with archive.open(ZipInfo(_member_of(name), _DATE), "w", force_zip64=True) as out:
                    npy.write_array(out, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
        seal(temporary)


def _json(record: ModelDescription | SentenceSplitter) -> bytes:
    text = json.dumps(record.model_dump(mode="json"), indent=2, allow_nan=False, sort_keys=False)
    return f"{text}\n".encode()


def _member_of(parameter: str) -> str:
    return f"weights/{parameter}.npy"


def read(path: Path) -> Contents:
    """Read a model's file.

    Raises WrongInputError, in one line, if it is missing, truncated, changed, no model, or made by
    a later version of this program, or if its parts do not fit each other.
    """
    with _refusing(path), _opened(path) as archive:
        members = _members(path, archive)
        description = _description(path, archive, members)
        if not is_sealed(path):
            raise _damaged(path, "its checksum is not that of its content: export it again")
        settings = description.settings
        sizes = sizes_of_run(settings, description.vocabulary_size, description.classes)
        shapes = parameters.shapes(sizes)._asdict()
        _check_members(path, members, list(shapes))
        dtype = np.dtype(settings.precision)
        for name, shape in shapes.items():
            _check_size(path, members[_member_of(name)], int(np.prod(shape)) * dtype.itemsize)
        corpus = _corpus(path, archive, members, description)
        arrays = {name: _array(path, archive, name, shape, dtype) for name, shape in shapes.items()}
        weights = parameters.named(arrays)
        parameters.check_fit(weights, sizes_for(settings, corpus), settings.precision, path)
        if not parameters.all_finite(weights):
            raise _damaged(path, "a weight is not a finite number")
        return Contents(description, corpus, weights, _splitter(path, archive, members))


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what readers raise for a damaged file into a WrongInputError of one line."""
    try:
        with as_wrong_input():
            yield
    except _UNREADABLE as error:
        raise _damaged(path, " ".join(str(error).split())[:200] or type(error).__name__) from None


def _damaged(path: Path, why: str) -> WrongInputError:
    return WrongInputError(f"{path}: damaged: {why}")


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    why = why_no_file(path)
    if why is not None:
        raise WrongInputError(f"{path}: {why}: a model's file is needed")
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            raise WrongInputError(f"{path}: no model: `online-rnnlm export` writes one")
    try:
        archive = ZipFile(path)
    except BadZipFile:
        raise _damaged(path, "it is cut off, or no model at all: export it again") from None
    with archive:
        yield archive


def _members(path: Path, archive: ZipFile) -> dict[str, ZipInfo]:
    """Return the archive's members by name: each once, uncompressed and not encrypted."""
    found: dict[str, ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in found:
            raise _damaged(path, f"has `{_short(info.filename)}` twice")
        plain = info.compress_type == ZIP_STORED and info.compress_size == info.file_size
        if not plain or info.flag_bits & 1:
            raise _damaged(path, f"`{_short(info.filename)}` is compressed or encrypted")
        found[info.filename] = info
    return found


def _short(name: str) -> str:
    return name if name.isprintable() and len(name) < 100 else f"{name[:60]!r}…"


def _text(path: Path, archive: ZipFile, info: ZipInfo, most: int) -> _Text:
    """Read a text member; refuses one of more than `most` bytes, or larger than the whole file."""
    if info.file_size > min(most, path.stat().st_size):
        raise _damaged(path, f"`{info.filename}` has {info.file_size} bytes, at most {most} fit")
    return _Text(path, info.filename, archive.read(info))


def _description(path: Path, archive: ZipFile, members: dict[str, ZipInfo]) -> ModelDescription:
    if DESCRIPTION not in members:
        raise WrongInputError(
            f"{path}: no model: it has no `{DESCRIPTION}`; `online-rnnlm export` writes one"
        )
    text = _text(path, archive, members[DESCRIPTION], _LONGEST_DESCRIPTION)
    values = json.loads(text.content)
    version = values.get("format") if isinstance(values, dict) else None
    known = ModelDescription.version()
    if isinstance(version, int) and version > known:
        raise WrongInputError(
            f"{path}: made by a later version of this program (`format` {version}, this one reads "
            f"{known}): use that version"
        )
    return _record(ModelDescription, text)


def _record(kind: type[AnyRecord], text: _Text) -> AnyRecord:
    try:
        return kind.model_validate_json(text.content, strict=True)
    except ValidationError as error:
        raise WrongInputError(f"{text}: damaged: {first_message(error)}") from None


def _check_members(path: Path, members: dict[str, ZipInfo], names: Sequence[str]) -> None:
    """Raise WrongInputError unless the file has these parameters, all texts, and nothing else."""
    needed = {DESCRIPTION, VOCABULARY, *map(_member_of, names)}
    missing = sorted(needed - members.keys())
    if missing:
        raise _damaged(path, f"has no `{missing[0]}`")
    unknown = sorted(members.keys() - needed - {SPLITTER})
    if unknown:
        raise _damaged(path, f"has an unknown part `{_short(unknown[0])}`")


def _check_size(path: Path, info: ZipInfo, needed: int) -> None:
    """Raise WrongInputError unless a member has the array's bytes and room for its header."""
    if not needed <= info.file_size <= min(needed + _LONGEST_HEADER, path.stat().st_size):
        raise _damaged(
            path,
            f"`{info.filename}` has {info.file_size} bytes, but the sizes of the model need an "
            f"array of {needed}",
        )


def _array(
    path: Path, archive: ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    """Read an array; its header is checked before memory is allocated for its values."""
    needed = int(np.prod(shape)) * dtype.itemsize
    with archive.open(_member_of(name)) as file:
        header = file.read(len(_MAGIC) + 2)
        length = int.from_bytes(header[len(_MAGIC) :], "little")
        found = _HEADER.fullmatch(file.read(min(length, _LONGEST_HEADER)))
        if not header.startswith(_MAGIC) or found is None:
            raise _damaged(path, f"`{name}` is no array of numpy's format 1.0 in C's order")
        descr, numbers = (text.decode() for text in found.groups())
        if (descr, tuple(map(int, re.findall(r"\d+", numbers)))) != (dtype.str, shape):
            raise _damaged(path, f"`{name}` is {descr} ({numbers}), but {dtype} {shape} is needed")
        content = file.read()
    if len(content) != needed:
        raise _damaged(path, f"`{name}` has {len(content)} bytes, but {needed} are needed")
    return np.frombuffer(content, dtype).reshape(shape).copy()


def _corpus(
    path: Path, archive: ZipFile, members: dict[str, ZipInfo], description: ModelDescription
) -> Corpus:
    text = _text(path, archive, members[VOCABULARY], _LONGEST_TEXT)
    found = read_vocabulary(text)
    sizes = len(found.words), len(found.class_offsets) - 1
    if sizes != (description.vocabulary_size, description.classes):
        raise WrongInputError(
            f"{text}: damaged: {sizes[0]} words in {sizes[1]} classes, but {DESCRIPTION} says "
            f"{description.vocabulary_size} in {description.classes}"
        )
    if len(set(found.words)) < len(found.words):
        raise WrongInputError(f"{text}: damaged: a word is there twice")
    return Corpus(
        words=found.words,
        counts=found.counts,
        class_offsets=found.class_offsets,
        unk_id=found.words.index(UNKNOWN),
        splits={},
        digest=description.corpus_digest,
    )


def _splitter(path: Path, archive: ZipFile, members: dict[str, ZipInfo]) -> SentenceSplitter | None:
    if SPLITTER not in members:
        return None
    return _record(SentenceSplitter, _text(path, archive, members[SPLITTER], _LONGEST_TEXT))
