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
        type=_arguments.seconds,
        metavar="SECONDS",
        help="go on, looking for changes so often, until the process that started this ends",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import UserError
    from online_rnnlm.pipeline import accounting
    from online_rnnlm.storage.paths import ExperimentDirectory
    from online_rnnlm.storage.receipts import refuse_changed_outputs
    from online_rnnlm.tracking.synchronisation import synchronise, watch

    if arguments.watch is not None:
        if not arguments.results.is_dir():  # watching starts before the folder has any run
            raise UserError(f"{arguments.results}: no such folder")
        watch(ExperimentDirectory(arguments.results), arguments.store, arguments.watch)
        return
    directory = _arguments.results_of(arguments)
    refuse_changed_outputs(directory)
    accounting.enter(directory)
    found = synchronise(directory, arguments.store)
    print(f"{len(found.runs)} entries, {len(found.unfinished)} of them of runs not finished yet")
    if found.earlier:
        print(f"not in the configuration any more: {', '.join(found.earlier)}")
