"""Compare two models by their log-probabilities of one text."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from online_rnnlm.commands._arguments import Verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "what `score --per word --format tsv` (or `jsonl`) wrote for"
    parser.add_argument("first", type=Path, help=f"{what} one model")
    parser.add_argument("second", type=Path, help=f"{what} the other one, for the same text")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: argparse.Namespace) -> None:
    from online_rnnlm.analysis.comparing import compare_files

    found = compare_files(arguments.first, arguments.second)
    print(json.dumps(asdict(found), indent=1) if arguments.json else found)


COMPARE = Verb(
    "say whether two models differ on a text by more than chance",
    _add_arguments,
    _run,
    """\
example: online-rnnlm compare learning.tsv frozen.tsv

The change of perplexity from the second model to the first one, with its 95 % bootstrap interval
and the p-value of a paired permutation test. Both draw documents, or blocks of sentences if the
text is one document. Log-probabilities are in nats.""",
)
