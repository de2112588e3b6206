"""Compute the log-probability and the perplexity of a text."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import Verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _arguments.add_model(parser)
    _arguments.add_text(parser)
    _arguments.add_way(parser)
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
    _arguments.add_format(
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


def _run(arguments: argparse.Namespace) -> None:
    import sys

    from online_rnnlm.commands._scores import ScoreWriter, score_text

    model = _arguments.model_of(arguments)
    layout = _arguments.layout_of(model, arguments)
    way = model.way(**_arguments.way_options(arguments))
    writer = ScoreWriter(sys.stdout, arguments.per, arguments.format, arguments.unit)
    score_text(model, arguments.files, layout, way, writer, flush=arguments.flush)


SCORE = Verb(
    "compute the log-probability and the perplexity of a text",
    _add_arguments,
    _run,
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm score

A word in brackets is not in the vocabulary. A token is a word or the end of a sentence.""",
)
