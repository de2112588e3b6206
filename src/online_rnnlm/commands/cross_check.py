"""Compute a run's first updates by Theano, too."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "compute a run's first updates by Theano, too"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_run(parser)
    parser.add_argument(
        "--theano", metavar="PYTHON", required=True, help="the Python that has Theano 1.0.5"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.cross_check.comparison import cross_check

    _, planned, directory = _arguments.run_of(arguments)
    cross_check(planned, directory, arguments.theano)
