"""The document vectors of a text, and the search for the sentences whose vectors are nearest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.way import Way
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.text import Layout, read_text

Vectors = NDArray[np.float32]


class VectorRow(NamedTuple):
    """The document vector after a sentence."""

    document: int
    """Number of the document, from 0."""
    sentence: int
    """Number of the sentence, from 0."""
    vector: NDArray[np.floating]
    """(D,)"""
    text: str
    """The words of the sentence."""


def vectors_of(
    model: TrainedModel, files: Sequence[str], layout: Layout, way: Way
) -> Iterator[VectorRow]:
    """Yield the vector after each sentence of a text.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    number = 0
    for part in model.score_parts(read_text(files, model.preparation, layout), way):
        for sentence, vector in zip(part.sentences, part.document_vectors, strict=True):
            yield VectorRow(sentence.document, number, vector, " ".join(sentence.words))
            number += 1


def last_of_documents(rows: Iterable[VectorRow]) -> Iterator[VectorRow]:
    """Yield the last row of each document; empty sentences are left out."""
    last: VectorRow | None = None
    for row in rows:
        if row.text:
            if last is not None and row.document != last.document:
                yield last
            last = row
    if last is not None:
        yield last


def write_jsonl(rows: Iterable[VectorRow], out: IO[str]) -> None:
    """Write an object for each row, on a line of its own."""
    for row in rows:
        values = row._asdict() | {"vector": row.vector.tolist()}
        out.write(json.dumps(values, ensure_ascii=False) + "\n")


def write_tsv(rows: Iterable[VectorRow], out: IO[str]) -> None:
    """Write a header, and a line for each row: numbers, the vector's elements, and the text."""
    for number, row in enumerate(rows):
        if number == 0:
            elements = [f"v{place}" for place in range(1, len(row.vector) + 1)]
            out.write("\t".join(["document", "sentence", *elements, "text"]) + "\n")
        out.write("\t".join(map(str, [*row[:2], *row.vector, row.text])) + "\n")


class Index(NamedTuple):
    """The sentences of a text and their document vectors."""

    numbers: list[int]
    """(S,): each sentence's number in the text, from 0; empty ones are counted."""
    texts: list[str]
    """(S,): the words of each sentence, with spaces between them."""
    vectors: Vectors
    """(S, D): each of length 1, or 0."""


class Neighbour(NamedTuple):
    """A sentence whose vector is near to another one."""

    sentence: int
    """Its number in the text, from 0."""
    cosine: float
    text: str


def index_of(rows: Iterable[VectorRow]) -> Index:
    """Put the document vectors of one or more sentences, without empty ones, into an index."""
    kept = [row for row in rows if row.text]
    vectors = np.stack([row.vector for row in kept]).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return Index(
        [row.sentence for row in kept], [row.text for row in kept], unit.astype(np.float32)
    )


def nearest(index: Index, query: Vectors, number: int) -> Iterator[Neighbour]:
    """Yield the sentences with the highest cosines to a vector (D,) of length 1, the highest first.

    Of equal ones, the first in the text comes first.
    """
    cosines = np.clip(index.vectors @ query, -1, 1)  # rounding may exceed them
    for place in np.argsort(-cosines, kind="stable")[:number].tolist():
        yield Neighbour(index.numbers[place], float(cosines[place]), index.texts[place])
