"""Arguments that several verbs take, and the objects that they name."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.loading import load
from online_rnnlm.config.runs import Run
from online_rnnlm.errors import UserError, suggestion
from online_rnnlm.storage.paths import ExperimentDirectory, experiment_directory

Item = TypeVar("Item")
CONFIGURATION = Path("config/config.yaml")
MOST_PROCESSES = 1000


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIGURATION,
        help="the experiment's configuration (default: %(default)s)",
    )


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """Add `--config`, `--corpus` and `--threads`."""
    add_configuration(parser)
    parser.add_argument("--corpus", required=True, help="name of the corpus's folder")
    parser.add_argument(
        "--threads",
        type=whole_number(MOST_PROCESSES),
        default=1,
        help="processes to use (default: 1)",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--run`."""
    add_configuration(parser)
    parser.add_argument("--run", required=True, help="name of the run")


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the folder of an experiment's results."""
    parser.add_argument("results", type=Path, help="the experiment's folder, such as results/demo")


def whole_number(most: int, least: int = 1) -> Callable[[str], int]:
    """Return a function that reads a whole number from `least` to `most` for argparse."""

    def read(text: str) -> int:
        with suppress(ValueError):
            if least <= int(text) <= most:
                return int(text)
        allowed = f"whole numbers from {least} to {most}"
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: {allowed}")

    return read


def finite_number(text: str) -> float:
    """Read a finite number for argparse."""
    with suppress(ValueError):
        if math.isfinite(float(text)):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: allowed: finite numbers")


def positive_number(text: str) -> float:
    """Read a number above 0 for argparse."""
    with suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: allowed: numbers above 0")


def new_file(text: str) -> Path:
    """Read the name of a file to write for argparse: not that of a directory, or of a pipe."""
    if text == "-" or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: a file's name is needed")
    return Path(text)


def experiment_of(arguments: argparse.Namespace) -> tuple[Experiment, ExperimentDirectory]:
    """Read the experiment that `--config` describes; return it and its folder.

    Raises UserError if the configuration is wrong.
    """
    from online_rnnlm.corpora.planning import with_digits

    experiment = load(arguments.config)
    if not experiment.digits.core:  # a user's own file, not the one beside results
        experiment = with_digits(experiment)
    return experiment, experiment_directory(experiment.experiment)


def named(arguments: argparse.Namespace, what: str, among: Mapping[str, Item]) -> Item:
    """Return what the option `--<what>` names; raises UserError if nothing has that name."""
    name = getattr(arguments, what)
    if name not in among:
        has = ", ".join(among) or "none"
        meant = suggestion(name, among)
        raise UserError(f"{arguments.config}: no {what} `{name}`; {meant}it has {has}")
    return among[name]


def run_of(arguments: argparse.Namespace) -> tuple[Experiment, Run, ExperimentDirectory]:
    """Find the run that `--run` names; return the experiment, the run and the experiment's folder.

    Raises UserError if there is no run of that name.
    """
    experiment, directory = experiment_of(arguments)
    runs = {run.name: run for run in experiment.trainings()}
    return experiment, named(arguments, "run", runs), directory


def results_of(arguments: argparse.Namespace) -> ExperimentDirectory:
    """Return the experiment's folder; raises UserError if it has no runs."""
    directory = ExperimentDirectory(arguments.results)
    if not directory.runs.is_dir():
        raise UserError(f"{directory.path}: no runs are there: run the experiment first")
    return directory
