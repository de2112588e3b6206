"""Enter an experiment's runs into MLflow, as they are now."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "enter an experiment's runs into MLflow, as they are now"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_results(parser)
    parser.add_argument(
        "--store",
        metavar="ADDRESS",
        help="an MLflow server or database (default: the folder's own mlflow.db)",
    )
    parser.add_argument(
        "--watch",
        type=_arguments.positive_number,
        metavar="SECONDS",
        help="go on: look for changes every SECONDS, until the process that started this ends",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import UserError
    from online_rnnlm.storage.paths import ExperimentDirectory
    from online_rnnlm.tracking.entries import EARLIER, RUNNING
    from online_rnnlm.tracking.synchronisation import synchronise, watch

    if arguments.watch is not None:
        if not arguments.results.is_dir():  # watching starts before the folder has any run
            raise UserError(f"{arguments.results}: no such folder")
        watch(ExperimentDirectory(arguments.results), arguments.store, arguments.watch)
        return
    found = synchronise(_arguments.results_of(arguments), arguments.store)
    unfinished = sum(entry.status == RUNNING for entry in found.entries)
    print(f"{len(found.runs)} entries, {unfinished} of them of runs not finished yet")
    earlier = [entry.name for entry in found.entries if entry.kind == EARLIER]
    if earlier:
        print(f"not in the configuration any more: {', '.join(earlier)}")
