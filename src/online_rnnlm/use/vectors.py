"""The document vectors of a text: after each sentence, or after each document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np
from numpy.lib.format import MAGIC_PREFIX
from numpy.typing import NDArray

from online_rnnlm.storage.files import replacing
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.network import Request
from online_rnnlm.use.places import writable_place
from online_rnnlm.use.text import Layout, read_text


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
    model: TrainedModel,
    files: Sequence[str],
    layout: Layout,
    request: Request,
    per: Literal["sentence", "document"],
) -> Iterator[VectorRow]:
    """Yield the vector after each sentence of a text, or after the last one of each document.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    rows = _after_sentences(model, files, layout, request)
    return _last_of_documents(rows) if per == "document" else rows


def _after_sentences(
    model: TrainedModel, files: Sequence[str], layout: Layout, request: Request
) -> Iterator[VectorRow]:
    number = 0
    for part in model.score_parts(read_text(files, model.preparation, layout), request):
        for sentence, vector in zip(part.sentences, part.document_vectors, strict=True):
            yield VectorRow(sentence.document, number, vector, " ".join(sentence.words))
            number += 1


def _last_of_documents(rows: Iterable[VectorRow]) -> Iterator[VectorRow]:
    last = None
    for row in rows:
        if last is not None and row.document != last.document:
            yield last
        last = row
    if last is not None:
        yield last


def write_tsv(rows: Iterable[VectorRow], out: IO[str]) -> None:
    """Write a header, and a line for each row: numbers, the vector's elements, and the text."""
    has_header = False
    for row in rows:
        if not has_header:
            elements = [f"v{number}" for number in range(1, len(row.vector) + 1)]
            out.write("\t".join(["document", "sentence", *elements, "text"]) + "\n")
            has_header = True
        values = [str(value) for value in row.vector]
        out.write("\t".join([str(row.document), str(row.sentence), *values, row.text]) + "\n")


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC_PREFIX)) == MAGIC_PREFIX


def write_array(rows: Iterable[VectorRow], path: Path) -> None:
    """Write the vectors as an array of numpy's, (rows, D), whole or not at all.

    An array that is there already is replaced; raises WrongInputError for another file or folder.
    """
    place = writable_place(path, _is_array)
    vectors = np.stack([row.vector for row in rows])
    with replacing(place) as temporary, temporary.open("wb") as file:
        np.save(file, vectors)
