"""Verbs for the scores of a text: compute them, and compare those of two models."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import JSON, MODEL, WAY, Verb, argument, flag


def run_score(arguments: argparse.Namespace) -> None:
    """Write the scores of a text."""
    import sys

    from online_rnnlm.commands._scores import ScoreWriter, score_text

    model = _arguments.model_of(arguments)
    layout = _arguments.layout_of(arguments)
    way = model.way(**_arguments.way_options(arguments))
    writer = ScoreWriter(sys.stdout, arguments.per, arguments.format, arguments.unit)
    score_text(model, arguments.files, layout, way, writer, flush=arguments.flush)


def run_compare(arguments: argparse.Namespace) -> None:
    """Print the difference of two models."""
    from online_rnnlm.analysis.comparing import compare_files

    found = compare_files(arguments.first, arguments.second)
    print(json.dumps(asdict(found), indent=1) if arguments.json else found)


SCORE = Verb(
    "compute the log-probability and the perplexity of a text",
    run_score,
    (
        MODEL,
        *_arguments.text(),
        *WAY,
        argument(
            "--per",
            choices=("word", "sentence", "document", "total"),
            default="sentence",
            help="what has a row (default: sentence)",
        ),
        argument(
            "--in",
            dest="unit",
            choices=("nats", "bits", "log10"),
            default="nats",
            help="unit of log-probabilities: to the base e, 2 or 10 (default: nats)",
        ),
        *_arguments.formats(
            "plain",
            "tsv",
            "jsonl",
            help="how rows are written: `plain` for people, the others for programs, with every "
            "digit",
        ),
        flag("--flush", "score each line as soon as it is read; needs `--unit-of-text sentence`"),
    ),
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm score

A word in brackets is not in the vocabulary. A token is a word or the end of a sentence.""",
)
_TABLE = "what `score --per word --format tsv` (or `jsonl`) wrote for"
COMPARE = Verb(
    "say whether two models differ on a text by more than chance",
    run_compare,
    (
        argument("first", type=Path, help=f"{_TABLE} one model"),
        argument("second", type=Path, help=f"{_TABLE} the other one, for the same text"),
        JSON,
    ),
    """\
example: online-rnnlm compare learning.tsv frozen.tsv

The change of perplexity from the second model to the first one, with its 95 % bootstrap interval
and the p-value of a paired permutation test. Both draw documents, or blocks of sentences if the
text is one document. Log-probabilities are in nats.""",
)
