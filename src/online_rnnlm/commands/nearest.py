"""Find the sentences of a text that are nearest to given ones by their document vectors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from online_rnnlm.commands import _arguments, _model

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.vectors import Index

HELP = "find the sentences of a text that are nearest to given ones by their document vectors"
EXAMPLE = """\
example: echo "The river is long." | online-rnnlm nearest results/demo --among LICENSE

An index saves the time for the vectors of a long text: `--among TEXT --write-index FILE` writes
it, and `--index FILE` searches it. TSV and JSON have the columns query, cosine, sentence and text;
queries and the text's sentences are numbered from 0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    _model.add_text(parser, "the sentences to look for")
    add = parser.add_mutually_exclusive_group(required=True).add_argument
    add("--among", metavar="FILE", action="append", help="the text to search; may be repeated")
    add("--index", type=Path, metavar="FILE", help="an index of such a text")
    add, new_file = parser.add_argument, _arguments.new_file
    explained = "write an index of `--among`, and end"
    add("--write-index", type=new_file, metavar="FILE", help=explained)
    explained = "how many to find for each sentence (default: 5)"
    add("--number", type=_arguments.whole_number(10**6), default=5, help=explained)
    _model.add_format(parser, "plain", "tsv", "jsonl", help="how the sentences are written")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import UserError
    from online_rnnlm.use.vectors import read_index, write_index

    new = arguments.write_index
    if new is not None and not arguments.among:
        raise UserError("--write-index: needs `--among`, the text to make an index of")
    if new is not None and arguments.files:
        raise UserError("--write-index: searches for nothing: leave out the sentences")
    model = _model.named_model(arguments)
    if arguments.index is not None:
        index = read_index(arguments.index, model.description)
    else:
        index = _index(model, arguments.among, arguments)
    if new is None:
        _search(model, index, arguments)
    else:
        write_index(index, model.description, new)
        print(f"{new}: {len(index.texts)} sentences")


def _search(model: TrainedModel, index: Index, arguments: argparse.Namespace) -> None:
    from online_rnnlm.use.vectors import nearest

    queries = _index(model, arguments.files, arguments)
    rows = _model.RowPrinter(arguments.format, "query", "cosine", "sentence", "text")
    for number, (text, vector) in enumerate(zip(*queries, strict=True)):
        rows.heading(text)
        for one in nearest(index, vector, arguments.number):
            values = number, one.cosine, one.sentence, one.text
            rows.row(f"  {one.cosine:6.3f}  {one.text}", *values)


def _index(model: TrainedModel, files: list[str], arguments: argparse.Namespace) -> Index:
    """Return the vectors of a text, each learnt from one sentence alone."""
    from online_rnnlm.use.vectors import index_of, vectors_of

    request = model.request(unit_of_text="sentence")
    model.require_vector(request)
    layout = _model.layout_of(model, arguments)
    return index_of(vectors_of(model, files, layout, request, "sentence"))
