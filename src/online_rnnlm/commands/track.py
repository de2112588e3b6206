"""Enter an experiment's runs into MLflow: its own database, or the store that a variable names."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "enter an experiment's runs into MLflow (MLFLOW_TRACKING_URI, or its own mlflow.db)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_results(parser)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--run", help="enter this run alone, and print MLflow's id of it")
    only.add_argument(
        "--summary", action="store_true", help="enter the report alone, and print MLflow's id of it"
    )
    only.add_argument(
        "--store",
        action="store_true",
        help="make the store, enter nothing, and print MLflow's id of the experiment",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.config.loading import load
    from online_rnnlm.storage.paths import ExperimentDirectory
    from online_rnnlm.tracking import entries
    from online_rnnlm.tracking.store import one_line_errors, open_store

    if arguments.store:
        with one_line_errors():
            print(open_store(ExperimentDirectory(arguments.results)))
        return
    directory = _arguments.results_of(arguments)
    experiment = load(directory.configuration)
    with one_line_errors():
        experiment_id = open_store(directory)
        if arguments.run:
            print(entries.enter_run(directory, experiment_id, arguments.run))
        elif arguments.summary:
            print(entries.enter_summary(directory, experiment_id, experiment))
        else:
            print(f"{entries.enter_all(directory, experiment_id, experiment)} runs entered")
