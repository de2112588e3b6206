"""Compute the log-probability and the perplexity of a text."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _model

HELP = "compute the log-probability and the perplexity of a text"
EXAMPLE = """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm score

A word in brackets is not in the vocabulary. A token is a word or the end of a sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    _model.add_text(parser)
    _model.add_learning(parser)
    kinds = ("word", "sentence", "document", "total")
    parser.add_argument(
        "--per", choices=kinds, default="sentence", help="what has a row (default: sentence)"
    )
    units = ("nats", "bits", "log10")
    parser.add_argument(
        "--in",
        dest="unit",
        choices=units,
        default="nats",
        help="unit of log-probabilities: to the base e, 2 or 10 (default: nats)",
    )
    _model.add_format(
        parser,
        "plain",
        "tsv",
        "jsonl",
        help="how rows are written: `plain` for people, the others for programs, with every digit",
    )
    parser.add_argument(
        "--flush",
        action="store_true",
        help="score each line as soon as it is read; needs `--unit-of-text sentence`",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    import sys

    from online_rnnlm.use.scored import ScoreWriter, score_text

    model = _model.named_model(arguments)
    layout = _model.layout_of(model, arguments)
    way = _model.way_of(model, arguments)
    writer = ScoreWriter(sys.stdout, arguments.per, arguments.format, arguments.unit)
    score_text(model, arguments.files, layout, way, writer, flush=arguments.flush)
