"""Write the tables."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "write the tables"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)
    _arguments.add_published(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.tables.write import write_tables

    write_tables(*_arguments.finished_experiment_of(arguments), arguments.published)
