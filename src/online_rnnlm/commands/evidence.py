"""Keep what a reader needs to check an experiment, or check it."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments

HELP = "keep what others need to check an experiment's tables and claims, or check it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "results", type=Path, nargs="?", help="the experiment's folder, such as results/demo"
    )
    parser.add_argument("folder", type=Path, help="the folder of evidence")
    parser.add_argument(
        "--check",
        action="store_true",
        help="compute the tables and claims of the folder again from its scores, and compare",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import UserError

    if arguments.check == (arguments.results is not None):
        raise UserError("give RESULTS and FOLDER to keep evidence, or --check FOLDER")
    from online_rnnlm.analysis.evidence import check_evidence, write_evidence

    if arguments.check:
        checked = check_evidence(arguments.folder)
        print(
            f"{arguments.folder}: {checked} perplexities and claims computed again: all are right"
        )
        return
    from online_rnnlm.config.loading import load

    directory = _arguments.results_of(arguments)
    write_evidence(load(directory.configuration), directory, arguments.folder)
    print(f"{arguments.folder}: written, and computed again: all is right")
