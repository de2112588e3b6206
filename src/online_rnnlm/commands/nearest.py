"""Find the sentences of a text that are nearest to given ones by their document vectors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from online_rnnlm.commands import _arguments, _model

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.search import Index

HELP = "find the sentences of a text that are nearest to given ones by their document vectors"
EXAMPLE = """\
example: echo "The river is long." | online-rnnlm nearest results/demo --among LICENSE

An index saves the time for the vectors of a long text: `--among TEXT --write-index FILE` writes
it, and `--index FILE` searches it. TSV has the columns query, cosine, sentence and text; queries
and the text's sentences are numbered from 0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    _model.add_text(parser, "the sentences to look for")
    searched = parser.add_mutually_exclusive_group(required=True)
    searched.add_argument(
        "--among", metavar="FILE", action="append", help="the text to search; may be repeated"
    )
    searched.add_argument("--index", type=Path, metavar="FILE", help="an index of such a text")
    parser.add_argument(
        "--write-index",
        type=_arguments.new_file,
        metavar="FILE",
        help="write an index of `--among`, and end",
    )
    parser.add_argument(
        "--number",
        type=_arguments.whole_number(10**6),
        default=5,
        help="how many to find for each sentence (default: 5)",
    )
    parser.add_argument(
        "--format",
        choices=("plain", "tsv"),
        default="plain",
        help="how the sentences are written (default: plain)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import WrongInputError
    from online_rnnlm.use.search import read_index, write_index

    if arguments.write_index is not None and not arguments.among:
        raise WrongInputError("--write-index: needs `--among`, the text to make an index of")
    if arguments.write_index is not None and arguments.files:
        raise WrongInputError("--write-index: searches for nothing: leave out the sentences")
    model = _model.named_model(arguments)
    if arguments.index is not None:
        _search(model, read_index(arguments.index, model.description), arguments)
        return
    index = _index(model, arguments.among, arguments)
    if arguments.write_index is None:
        _search(model, index, arguments)
    else:
        write_index(index, model.description, arguments.write_index)
        print(f"{arguments.write_index}: {len(index.texts)} sentences")


def _search(model: TrainedModel, index: Index, arguments: argparse.Namespace) -> None:
    from online_rnnlm.use.search import nearest

    queries = _index(model, arguments.files, arguments)
    if arguments.format == "tsv":
        print("query\tcosine\tsentence\ttext")
    for number, (text, vector) in enumerate(zip(*queries, strict=True)):
        if arguments.format == "plain":
            print(text)
        for found in nearest(index, vector, arguments.number):
            if arguments.format == "plain":
                print(f"  {found.cosine:6.3f}  {found.text}")
            else:
                print(number, found.cosine, found.sentence, found.text, sep="\t")


def _index(model: TrainedModel, files: list[str], arguments: argparse.Namespace) -> Index:
    """Return the vectors of a text, each learnt from one sentence alone."""
    from online_rnnlm.use.search import index_of
    from online_rnnlm.use.vectors import vectors_of

    request = model.request(unit_of_text="sentence")
    model.require_vector(request)
    layout = _model.layout_of(model, arguments)
    return index_of(vectors_of(model, files, layout, request, "sentence"))
