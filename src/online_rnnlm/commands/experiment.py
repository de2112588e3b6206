"""Verbs for an experiment: check its configuration, look at its runs, keep its evidence."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import RESULTS, Verb, argument, flag, one_of
from online_rnnlm.errors import UserError, counted

MOST_PORTS = 65_535


def run_check(arguments: argparse.Namespace) -> None:
    """Check a configuration."""
    from online_rnnlm.config.experiment import read_mapping
    from online_rnnlm.corpora.planning import plan

    experiment = plan(read_mapping(arguments.file), str(arguments.file))
    searched = len(experiment.search_runs())
    more = f", and {searched} of the search" if searched else ""
    print(f"{arguments.file}: can be used: {counted(len(experiment.runs()), 'run')}{more}")


def run_ui(arguments: argparse.Namespace) -> None:
    """Serve MLflow's UI."""
    from online_rnnlm.tracking.server import serve

    serve(_arguments.results_of(arguments), arguments.port)


def run_track(arguments: argparse.Namespace) -> None:
    """Enter runs into MLflow."""
    from online_rnnlm.config.experiment import load_plan
    from online_rnnlm.storage.paths import ExperimentDirectory
    from online_rnnlm.tracking import entries
    from online_rnnlm.tracking.store import one_line_errors, open_store

    if arguments.store:
        with one_line_errors():
            print(open_store(ExperimentDirectory(arguments.results)))
        return
    directory = _arguments.results_of(arguments)
    experiment = load_plan(directory.configuration)
    with one_line_errors():
        experiment_id = open_store(directory)
        if arguments.run:
            print(entries.enter_run(directory, experiment_id, arguments.run))
        elif arguments.summary:
            print(entries.enter_summary(directory, experiment_id, experiment))
        else:
            entered = entries.enter_all(directory, experiment_id, experiment)
            print(f"{counted(entered, 'run')} entered")


def run_evidence(arguments: argparse.Namespace) -> None:
    """Keep evidence, or check it."""
    if (arguments.check or arguments.finish) == (arguments.results is not None):
        raise UserError("give RESULTS and FOLDER to keep evidence, or --check or --finish FOLDER")
    from online_rnnlm.analysis.evidence import (
        check_evidence,
        finish_evidence,
        keep_finished,
        write_evidence,
    )
    from online_rnnlm.config.experiment import load_plan

    folder = arguments.folder
    if arguments.finish:
        finish_evidence(folder)
    if arguments.check or arguments.finish:
        checked = check_evidence(folder)
        print(f"{folder}: {checked} values and claims made again: all are right")
        return
    directory = _arguments.results_of(arguments)
    experiment = load_plan(directory.configuration)
    if arguments.so_far:
        kept = keep_finished(experiment, directory, folder)
        print(f"{folder}: {kept} of {len(experiment.trainings())} runs kept so far")
    else:
        write_evidence(experiment, directory, folder)
        print(f"{folder}: written, and computed again: all is right")


CHECK = Verb(
    "check a configuration",
    run_check,
    [argument("file", type=Path, nargs="?", default=_arguments.CONFIGURATION)],
)
UI = Verb(
    "open an experiment's runs in MLflow's UI",
    run_ui,
    (
        RESULTS,
        argument(
            "--port",
            type=_arguments.whole_number(MOST_PORTS),
            default=5000,
            help="port on this machine (default: %(default)s)",
        ),
    ),
)
TRACK = Verb(
    "enter an experiment's runs into MLflow (MLFLOW_TRACKING_URI, or its own mlflow.db)",
    run_track,
    (
        RESULTS,
        one_of(
            argument("--run", help="enter this run alone, and print MLflow's id of it"),
            flag("--summary", "enter the report alone, and print MLflow's id of it"),
            flag(
                "--store", "make the store, enter nothing, and print MLflow's id of the experiment"
            ),
        ),
    ),
)
EVIDENCE = Verb(
    "keep what others need to check an experiment's tables and claims, or check it",
    run_evidence,
    (
        argument(
            "results", type=Path, nargs="?", help="the experiment's folder, such as results/demo"
        ),
        argument("folder", type=Path, help="the folder of evidence"),
        flag(
            "--check",
            "compute the tables and claims of the folder again from its scores, and compare",
        ),
        flag(
            "--so-far", "keep the runs that have finished so far, beside those that the folder has"
        ),
        flag(
            "--finish",
            "make tables, claims and pictures of networks from the runs that the folder keeps",
        ),
    ),
)
