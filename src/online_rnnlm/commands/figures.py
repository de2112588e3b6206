"""Draw the figures."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "draw the figures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.figures.write import write_figures

    write_figures(*_arguments.finished_experiment_of(arguments))
