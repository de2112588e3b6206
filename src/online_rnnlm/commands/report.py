"""Write the report."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "write the report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)
    _arguments.add_published(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.report.write import write_report

    write_report(*_arguments.finished_experiment_of(arguments), arguments.published)
