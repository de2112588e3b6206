"""Write the table of engines."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "write the table of engines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.tables.engines import write_engine_table

    write_engine_table(*_arguments.experiment_of(arguments))
