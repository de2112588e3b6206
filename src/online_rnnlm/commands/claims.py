"""Judge the paper's claims."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "judge the paper's claims"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.claims.write import write_claims

    write_claims(*_arguments.finished_experiment_of(arguments))
