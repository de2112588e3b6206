"""Verbs for document vectors: write those of a text, and find sentences by them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import RowGroup, Verb

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.vectors import Index


def _add_vectors(parser: argparse.ArgumentParser) -> None:
    _arguments.add_model(parser)
    _arguments.add_text(parser)
    _arguments.add_way_option(parser, "unit_of_text")
    parser.add_argument(
        "--per",
        choices=("sentence", "document"),
        default="sentence",
        help="write a vector after each sentence (default), or after each document's last one; "
        "with `document`, `--unit-of-text document` is the default",
    )
    _arguments.add_way_option(parser, "learning_rate", help="of the vector")
    parser.add_argument(
        "--json", action="store_true", help="print a line of JSON for each vector, not TSV"
    )


def _vectors(arguments: argparse.Namespace) -> None:
    from online_rnnlm.use.vectors import last_of_documents, vectors_of, write_jsonl, write_tsv

    model = _arguments.model_of(arguments)
    if arguments.unit_of_text is None and arguments.per == "document":
        arguments.unit_of_text = "document"
    way = model.way(unit_of_text=arguments.unit_of_text, learning_rate=arguments.learning_rate)
    model.require_vector(way)
    rows = vectors_of(model, arguments.files, _arguments.layout_of(model, arguments), way)
    if arguments.per == "document":
        rows = last_of_documents(rows)
    write = write_jsonl if arguments.json else write_tsv
    write(rows, sys.stdout)


def _add_nearest(parser: argparse.ArgumentParser) -> None:
    _arguments.add_model(parser)
    _arguments.add_text(parser, "the sentences to look for")
    parser.add_argument(
        "--among",
        metavar="FILE",
        action="append",
        required=True,
        help="the text to search; may be repeated",
    )
    parser.add_argument(
        "--number",
        type=_arguments.whole_number(10**6),
        default=5,
        help="how many to find for each sentence (default: 5)",
    )
    _arguments.add_format(parser, "plain", "tsv", "jsonl", help="how the sentences are written")


def _nearest(arguments: argparse.Namespace) -> None:
    from online_rnnlm.use.vectors import nearest

    model = _arguments.model_of(arguments)
    index = _index(model, arguments.among, arguments)
    queries = _index(model, arguments.files, arguments)

    def groups() -> Iterator[RowGroup]:
        for number, text, vector in zip(*queries, strict=True):
            rows = [
                (f"  {near.cosine:6.3f}  {near.text}", (number, near.cosine, *near[::2]))
                for near in nearest(index, vector, arguments.number)
            ]
            yield text, rows

    columns = ("query", "cosine", "sentence", "text")
    _arguments.print_rows(arguments.format, columns, groups())


def _index(model: TrainedModel, files: list[str], arguments: argparse.Namespace) -> Index:
    """Return the vectors of a text, each learnt from one sentence alone."""
    from online_rnnlm.use.vectors import index_of, vectors_of

    way = model.way(unit_of_text="sentence")
    model.require_vector(way)
    layout = _arguments.layout_of(model, arguments)
    return index_of(vectors_of(model, files, layout, way))


VECTORS = Verb(
    "write the document vectors of a text",
    _add_vectors,
    _vectors,
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm vectors

TSV has the columns document, sentence, v1, v2, … and text.""",
)
NEAREST = Verb(
    "find the sentences of a text that are nearest to given ones by their document vectors",
    _add_nearest,
    _nearest,
    """\
example: echo "The river is long." | online-rnnlm nearest --among LICENSE

TSV and JSON have the columns query, cosine, sentence and text;
queries and the text's sentences are numbered from 0.""",
)
