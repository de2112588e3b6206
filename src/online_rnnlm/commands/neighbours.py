"""Find sentences with similar document vectors."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "find sentences with similar document vectors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.tables.neighbours import write_neighbours

    write_neighbours(*_arguments.finished_experiment_of(arguments))
