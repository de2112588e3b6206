"""The search for the sentences of a text whose document vectors are nearest to a given one's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.errors import WrongInputError
from online_rnnlm.storage.records import ModelDescription, SentenceIndex
from online_rnnlm.use.archive import Kind, damaged, json_bytes, opened, write_archive
from online_rnnlm.use.places import writable_place
from online_rnnlm.use.vectors import VectorRow

Vectors = NDArray[np.float32]
_DESCRIPTION, _SENTENCES, _VECTORS = "index.json", "sentences.txt", "vectors"
_KIND = Kind(
    noun="index",
    needed="an index",
    writer="`online-rnnlm nearest --write-index`",
    again="write it again",
)
_DTYPE = np.dtype(np.float32)


class Index(NamedTuple):
    """The sentences of a text and their document vectors."""

    texts: list[str]
    """(S,): the words of each sentence, with spaces between them."""
    vectors: Vectors
    """(S, D): each of length 1, or 0."""


class Found(NamedTuple):
    """A sentence that was found."""

    sentence: int
    """Its number in the index, from 0."""
    cosine: float
    text: str


def index_of(rows: Iterable[VectorRow]) -> Index:
    """Put the document vectors of one or more sentences into an index."""
    found = list(rows)
    vectors = np.stack([row.vector for row in found]).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return Index([row.text for row in found], unit.astype(np.float32))


def nearest(index: Index, query: Vectors, number: int) -> Iterator[Found]:
    """Yield the sentences with the highest cosines to a vector (D,) of length 1, the highest first.

    Of equal ones, the first in the text comes first.
    """
    cosines = index.vectors @ query
    for place in np.argsort(-cosines, kind="stable")[:number].tolist():
        yield Found(place, float(cosines[place]), index.texts[place])


def write_index(index: Index, model: ModelDescription, path: Path) -> None:
    """Write an index, whole or not at all.

    An index that is there already is replaced; raises WrongInputError for another file or folder.
    """
    place = writable_place(path, _is_index, advice=": give a new name")
    sentences, size = index.vectors.shape
    record = SentenceIndex(model=model.identity, sentences=sentences, document_size=size)
    texts = {
        _DESCRIPTION: json_bytes(record),
        _SENTENCES: "".join(f"{text}\n" for text in index.texts).encode(),
    }
    write_archive(place, texts, {_VECTORS: index.vectors})


def read_index(path: Path, model: ModelDescription) -> Index:
    """Read an index of a model's vectors.

    Raises WrongInputError, in one line, if it is missing, damaged, no index, or another model's.
    """
    record, index = _read(path)
    if record.model != model.identity:
        raise WrongInputError(f"{path}: an index of another model's vectors: {_KIND.again}")
    return index


def _read(path: Path) -> tuple[SentenceIndex, Index]:
    with opened(path, _KIND) as archive:
        record = archive.description(SentenceIndex, _DESCRIPTION)
        shape = record.sentences, record.document_size
        archive.check_members((_DESCRIPTION, _SENTENCES), {_VECTORS: shape}, _DTYPE)
        *texts, rest = archive.text(_SENTENCES).read_text(encoding="utf-8").split("\n")
        if rest or len(texts) != record.sentences:
            raise damaged(path, f"has {len(texts)} sentences, but {record.sentences} are needed")
        vectors = archive.array(_VECTORS, shape, _DTYPE)
        if not np.isfinite(vectors).all():
            raise damaged(path, "a vector is not finite")
        return record, Index(texts, vectors)


def _is_index(path: Path) -> bool:
    try:
        _read(path)
    except WrongInputError:
        return False
    return True
