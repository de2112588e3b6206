"""Verbs for document vectors: write those of a text, and find sentences by them."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import MODEL, RowGroup, Verb, argument, flag, way_option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from online_rnnlm.core.way import Way
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.text import Layout


def run_vectors(arguments: argparse.Namespace) -> None:
    """Print the vectors of a text."""
    model = _arguments.model_of(arguments)
    if arguments.unit_of_text is None and arguments.per == "document":
        arguments.unit_of_text = "document"
    way = model.way(unit_of_text=arguments.unit_of_text, learning_rate=arguments.learning_rate)
    model.require_vector(way)
    rows = _vectors_of(model, arguments.files, _arguments.layout_of(arguments), way)
    if arguments.per == "document":
        # An empty line has no vector of its own.
        with_text = ((row, vector) for row, vector in rows if row.text)
        documents = itertools.groupby(with_text, lambda pair: pair[0].document)
        rows = (list(of_document)[-1] for _, of_document in documents)
    for number, (row, vector) in enumerate(rows):
        if arguments.json:
            values = {
                "document": row.document,
                "sentence": row.sentence,
                "vector": vector.tolist(),
                "text": row.text,
            }
            print(json.dumps(values, ensure_ascii=False))
            continue
        if number == 0:
            elements = [f"v{place}" for place in range(1, len(vector) + 1)]
            print("\t".join(["document", "sentence", *elements, "text"]))
        print("\t".join(map(str, [row.document, row.sentence, *vector, row.text])))


def run_nearest(arguments: argparse.Namespace) -> None:
    """Print the nearest sentences to each one."""
    import numpy as np

    from online_rnnlm.use.scored import nearest, unit_vectors

    model = _arguments.model_of(arguments)
    way = model.way(unit_of_text="sentence")  # each vector is learnt from one sentence alone
    model.require_vector(way)

    def read(files: Sequence[str]) -> tuple[list[Any], NDArray[np.float32]]:
        found = _vectors_of(model, files, _arguments.layout_of(arguments), way)
        rows, vectors = zip(*(pair for pair in found if pair[0].text), strict=True)
        return [*rows], unit_vectors(np.stack(vectors, dtype=np.float64))

    among, vectors = read(arguments.among)
    queries, wanted = read(arguments.files)

    def groups() -> Iterator[RowGroup]:
        for query, vector in zip(queries, wanted, strict=True):
            rows = []
            for place, cosine in nearest(vectors, vector, arguments.number):
                near = among[place]
                values = (query.sentence, cosine, near.sentence, near.text)
                rows.append((f"  {cosine:6.3f}  {near.text}", values))
            yield query.text, rows

    columns = ("query", "cosine", "sentence", "text")
    _arguments.print_rows(arguments.format, columns, groups())


def _vectors_of(
    model: TrainedModel, files: Sequence[str], layout: Layout, way: Way
) -> Iterator[tuple[Any, NDArray[np.floating]]]:
    """Yield a row of `rows_of_sentences` and the document vector after it for each sentence.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    from online_rnnlm.use.text import read_text

    for part in model.score_parts(read_text(files, model.preparation, layout), way):
        rows = part.rows_of_sentences().itertuples(index=False)
        yield from zip(rows, part.document_vectors, strict=True)


VECTORS = Verb(
    "write the document vectors of a text",
    run_vectors,
    (
        MODEL,
        *_arguments.text(),
        way_option("unit_of_text"),
        argument(
            "--per",
            choices=("sentence", "document"),
            default="sentence",
            help="write a vector after each sentence (default), or after each document's last "
            "one; with `document`, `--unit-of-text document` is the default",
        ),
        way_option("learning_rate", help="of the vector"),
        flag("--json", "print a line of JSON for each vector, not TSV"),
    ),
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm vectors

TSV has the columns document, sentence, v1, v2, … and text.""",
)
NEAREST = Verb(
    "find the sentences of a text that are nearest to given ones by their document vectors",
    run_nearest,
    (
        MODEL,
        *_arguments.text("the sentences to look for"),
        argument(
            "--among",
            metavar="FILE",
            action="append",
            required=True,
            help="the text to search; may be repeated",
        ),
        argument(
            "--number",
            type=_arguments.whole_number(10**6),
            default=5,
            help="how many to find for each sentence (default: 5)",
        ),
        *_arguments.formats("plain", "tsv", "jsonl", help="how the sentences are written"),
    ),
    """\
example: echo "The river is long." | online-rnnlm nearest --among LICENSE

TSV and JSON have the columns query, cosine, sentence and text;
queries and the text's sentences are numbered from 0.""",
)
