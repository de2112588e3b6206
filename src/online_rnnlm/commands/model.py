"""Verbs for a model itself: say what it is, and write it into one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import MODEL, Verb, argument, flag


def run_info(arguments: argparse.Namespace) -> None:
    """Print a model's description."""
    description = _arguments.model_of(arguments).description
    if arguments.json:
        print(description.model_dump_json(indent=2))
        return
    about = description.about()
    width = max(map(len, about))
    for name, value in about.items():
        print(f"{name:{width}}  {value}")


def run_export(arguments: argparse.Namespace) -> None:
    """Write a model's file."""
    from online_rnnlm.use.model_file import read_results, write

    output = arguments.output
    write(output, read_results(arguments.results), half=arguments.half)
    if output.is_file():  # a pipe has the model alone
        print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


INFO = Verb(
    "show what a trained model is, and how it was made",
    run_info,
    (MODEL, flag("--json", "as JSON, with every setting")),
    "example: online-rnnlm info",
)
EXPORT = Verb(
    "write a trained model into one file",
    run_export,
    (
        argument(
            "results",
            type=Path,
            help="the folder of an experiment's results, whose best model on `valid` is taken, or "
            "that of a run, such as results/demo/runs/RUN",
        ),
        argument(
            "-o",
            "--output",
            type=_arguments.new_file,
            required=True,
            metavar="FILE",
            help="such as demo.onlm",
        ),
        flag("--half", "round weights to 16 bits: half the size"),
    ),
    "example: online-rnnlm export results/demo -o demo.onlm",
)
