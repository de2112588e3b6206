"""Verbs for the scores of a text: compute them, and compare those of two models."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import Verb


def add_score(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `score`."""
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


def run_score(arguments: argparse.Namespace) -> None:
    """Write the scores of a text."""
    import sys

    from online_rnnlm.commands._scores import ScoreWriter, score_text

    model = _arguments.model_of(arguments)
    layout = _arguments.layout_of(model, arguments)
    way = model.way(**_arguments.way_options(arguments))
    writer = ScoreWriter(sys.stdout, arguments.per, arguments.format, arguments.unit)
    score_text(model, arguments.files, layout, way, writer, flush=arguments.flush)


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare`."""
    what = "what `score --per word --format tsv` (or `jsonl`) wrote for"
    parser.add_argument("first", type=Path, help=f"{what} one model")
    parser.add_argument("second", type=Path, help=f"{what} the other one, for the same text")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_compare(arguments: argparse.Namespace) -> None:
    """Print the difference of two models."""
    from online_rnnlm.analysis.comparing import compare_files

    found = compare_files(arguments.first, arguments.second)
    print(json.dumps(asdict(found), indent=1) if arguments.json else found)


SCORE = Verb(
    "compute the log-probability and the perplexity of a text",
    add_score,
    run_score,
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm score

A word in brackets is not in the vocabulary. A token is a word or the end of a sentence.""",
)
COMPARE = Verb(
    "say whether two models differ on a text by more than chance",
    add_compare,
    run_compare,
    """\
example: online-rnnlm compare learning.tsv frozen.tsv

The change of perplexity from the second model to the first one, with its 95 % bootstrap interval
and the p-value of a paired permutation test. Both draw documents, or blocks of sentences if the
text is one document. Log-probabilities are in nats.""",
)
