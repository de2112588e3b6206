"""Say what an experiment lacks, after everything else."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "say what an experiment lacks, and fail if that is anything"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.completeness import check_complete

    check_complete(*_arguments.experiment_of(arguments))
