"""Compare the engines of the table of engines."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "fail if an engine of the table differs by more than rounding explains"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.cross_check.verdict import judge

    judge(*_arguments.experiment_of(arguments))
