"""Verbs for an experiment: check its configuration, look at its runs, keep its evidence."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from online_rnnlm.commands._inputs import add_results, results_of
from online_rnnlm.commands._verb import Verb, whole_number_to
from online_rnnlm.config.reading import read_mapping
from online_rnnlm.corpora.planning import plan
from online_rnnlm.errors import UserError, counted
from online_rnnlm.process.devices import require_packages
from online_rnnlm.storage.paths import experiment_directory


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `check`."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=Path("config/config.yaml"),
        # Not `%(default)s`, which `parse_intermixed_args` of Python 3.11 cannot replace here.
        help="the experiment's configuration (default: config/config.yaml)",
    )
    parser.add_argument(
        "--results",
        action="store_true",
        help="print only the folder of its results",
    )


def run_check(arguments: argparse.Namespace) -> None:
    """Check a configuration."""
    experiment = plan(read_mapping(arguments.file), str(arguments.file))
    if arguments.results:
        print(experiment_directory(experiment.experiment).path)
        return
    for run in experiment.trainings():
        require_packages(run.settings)
    searched = len(experiment.search_runs())
    more = f", and {searched} of the search" if searched else ""
    evaluations = sum(len(run.evaluations) for run in experiment.runs())
    print(
        f"{arguments.file}: can be used: {counted(len(experiment.runs()), 'run')}{more}, "
        f"{counted(evaluations, 'evaluation')}"
    )


def add_ui_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ui`."""
    add_results(parser)
    parser.add_argument(
        "--port",
        type=whole_number_to(65_535),
        default=5000,
        help="port on this machine (default: %(default)s)",
    )


def run_ui(arguments: argparse.Namespace) -> None:
    """Serve MLflow's UI."""
    from online_rnnlm.tracking.server import serve

    serve(results_of(arguments), arguments.port)


def add_track_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `track`."""
    add_results(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--run", help="enter this run alone, and print MLflow's id of it")
    what.add_argument(
        "--summary",
        action="store_true",
        help="enter the report alone, and print MLflow's id of it",
    )
    what.add_argument(
        "--store",
        action="store_true",
        help="make the store, enter nothing, and print MLflow's id of the experiment",
    )


def run_track(arguments: argparse.Namespace) -> None:
    """Enter runs into MLflow; the status is EX_TEMPFAIL if a store that is named is away."""
    from online_rnnlm.process.mlflow_library import STORE, StoreError, one_line_errors
    from online_rnnlm.tracking.experiments import enter_all, enter_summary
    from online_rnnlm.tracking.runs import enter_run
    from online_rnnlm.tracking.store import open_store

    directory = results_of(arguments)
    is_named = bool(os.environ.get(STORE))
    try:
        with one_line_errors():
            experiment_id = open_store(directory)
            if arguments.store:
                print(experiment_id)
            elif arguments.run:
                print(enter_run(directory, experiment_id, arguments.run))
            elif arguments.summary:
                print(enter_summary(directory, experiment_id))
            else:
                entered = enter_all(directory, experiment_id)
                print(f"{counted(entered, 'run')} entered")
    except StoreError as error:
        if is_named:
            error.status = os.EX_TEMPFAIL
        raise


def add_evidence_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evidence`."""
    parser.add_argument(
        "results", type=Path, nargs="?", help="the experiment's folder, such as results/demo"
    )
    parser.add_argument("folder", type=Path, help="the folder of evidence")
    parser.add_argument(
        "--check",
        action="store_true",
        help="compute the tables and claims of the folder again from its scores, and compare",
    )


def run_evidence(arguments: argparse.Namespace) -> None:
    """Keep evidence, or check it."""
    folder = arguments.folder
    if arguments.check == (arguments.results is not None):
        raise UserError("give RESULTS and FOLDER to keep evidence, or --check FOLDER")
    if arguments.check:
        from online_rnnlm.analysis.evidence.checking import check_evidence

        checked = check_evidence(folder)
        print(f"{folder}: {checked} values and claims made again: all are right")
    else:
        from online_rnnlm.analysis.evidence.keeping import write_evidence

        write_evidence(results_of(arguments), folder)
        print(f"{folder}: written, and computed again: all is right")


CHECK = Verb("check a configuration", add_check_arguments, run_check)
UI = Verb("open an experiment's runs in MLflow's UI", add_ui_arguments, run_ui)
TRACK = Verb(
    "enter an experiment's runs into MLflow (MLFLOW_TRACKING_URI, or its own mlflow.db)",
    add_track_arguments,
    run_track,
)
EVIDENCE = Verb(
    "keep what others need to check an experiment's tables and claims, or check it",
    add_evidence_arguments,
    run_evidence,
)
