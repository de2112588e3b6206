"""Write a trained model into one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments

HELP = "write a trained model into one file"
EXAMPLE = "example: online-rnnlm export results/demo -o demo.onlm"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "results",
        type=Path,
        help="the folder of an experiment's results, whose best model on `valid` is taken, or that "
        "of a run, such as results/demo/runs/RUN",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_arguments.new_file,
        required=True,
        metavar="FILE",
        help="such as demo.onlm",
    )
    parser.add_argument(
        "--half", action="store_true", help="round weights to 16 bits: half the size"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.use.results import export

    size = export(arguments.results, arguments.output, half=arguments.half)
    print(f"{arguments.output}: {size / 1e6:.1f} MB")
