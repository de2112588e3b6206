"""Verbs for a model itself: say what it is, and write it into one file."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands._verb import Verb, new_file


def add_info_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `info`."""
    parser.add_argument(
        "model",
        nargs="?",
        help="a model, as `--model` of `score` names it (default: the model that comes with the "
        "project)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, with every setting")


def run_info(arguments: argparse.Namespace) -> None:
    """Print a model's description."""
    from online_rnnlm.use.model import load

    description = load(arguments.model).description
    if arguments.json:
        print(description.model_dump_json(indent=2))
        return
    about = description.about()
    width = max(map(len, about))
    for name, value in about.items():
        print(f"{name:{width}}  {value}")


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `export`."""
    parser.add_argument(
        "results",
        type=Path,
        help="the folder of an experiment's results, whose best model on `valid` is taken, or that "
        "of a run, such as results/demo/runs/RUN",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=new_file,
        required=True,
        metavar="FILE",
        help="such as demo.onlm",
    )
    parser.add_argument(
        "--half", action="store_true", help="round weights to 16 bits: half the size"
    )


def run_export(arguments: argparse.Namespace) -> None:
    """Write a model's file."""
    from online_rnnlm.use.model_file import write
    from online_rnnlm.use.places import read_results

    output = arguments.output
    write(output, read_results(arguments.results), half=arguments.half)
    if output.is_file():  # a pipe has the model alone
        print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


INFO = Verb(
    "show what a trained model is, and how it was made",
    add_info_arguments,
    run_info,
    "example: online-rnnlm info",
)
EXPORT = Verb(
    "write a trained model into one file",
    add_export_arguments,
    run_export,
    "example: online-rnnlm export results/demo -o demo.onlm",
)
