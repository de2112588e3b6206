"""Write the document vectors of a text."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments, _model

HELP = "write the document vectors of a text"
EXAMPLE = """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm vectors

TSV has the columns document, sentence, v1, v2, … and text."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    _model.add_text(parser)
    _model.add_unit(parser)
    parser.add_argument(
        "--per",
        choices=("sentence", "document"),
        default="sentence",
        help="write a vector after each sentence (default), or after each document's last one; "
        "with `document`, `--unit-of-text document` is the default",
    )
    parser.add_argument(
        "--learning-rate", type=_arguments.positive_number, metavar="RATE", help="of the vector"
    )
    parser.add_argument(
        "--json", action="store_true", help="print a line of JSON for each vector, not TSV"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    import sys

    from online_rnnlm.use.vectors import last_of_documents, vectors_of, write_jsonl, write_tsv

    model = _model.named_model(arguments)
    if arguments.unit_of_text is None and arguments.per == "document":
        arguments.unit_of_text = "document"
    way = model.way(
        unit_of_text=arguments.unit_of_text,
        learning_rate=arguments.learning_rate,
    )
    model.require_vector(way)
    layout = _model.layout_of(model, arguments)
    rows = vectors_of(model, arguments.files, layout, way)
    if arguments.per == "document":
        rows = last_of_documents(rows)
    write = write_jsonl if arguments.json else write_tsv
    write(rows, sys.stdout)
