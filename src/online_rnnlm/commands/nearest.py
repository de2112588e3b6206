"""Find the sentences of a text that are nearest to given ones by their document vectors."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from online_rnnlm.commands import _arguments, _model

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.vectors import Index

HELP = "find the sentences of a text that are nearest to given ones by their document vectors"
EXAMPLE = """\
example: echo "The river is long." | online-rnnlm nearest --among LICENSE

TSV and JSON have the columns query, cosine, sentence and text;
queries and the text's sentences are numbered from 0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    _model.add_text(parser, "the sentences to look for")
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
    _model.add_format(parser, "plain", "tsv", "jsonl", help="how the sentences are written")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.use.vectors import nearest

    model = _model.named_model(arguments)
    index = _index(model, arguments.among, arguments)
    queries = _index(model, arguments.files, arguments)
    rows = _model.RowPrinter(arguments.format, "query", "cosine", "sentence", "text")
    for number, text, vector in zip(*queries, strict=True):
        rows.heading(text)
        for near in nearest(index, vector, arguments.number):
            plain = f"  {near.cosine:6.3f}  {near.text}"
            rows.row(plain, number, near.cosine, near.sentence, near.text)


def _index(model: TrainedModel, files: list[str], arguments: argparse.Namespace) -> Index:
    """Return the vectors of a text, each learnt from one sentence alone."""
    from online_rnnlm.use.vectors import index_of, vectors_of

    way = model.way(unit_of_text="sentence")
    model.require_vector(way)
    layout = _model.layout_of(model, arguments)
    return index_of(vectors_of(model, files, layout, way))
