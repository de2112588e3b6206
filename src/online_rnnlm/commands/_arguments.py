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

Number = TypeVar("Number", int, float)
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
    add_threads(parser, "processes to use")


def add_threads(parser: argparse.ArgumentParser, what: str) -> None:
    """Add `--threads`, the number of cores that the verb may use; `what` says for what."""
    number = whole_number(MOST_PROCESSES)
    parser.add_argument("--threads", type=number, default=1, help=f"{what} (default: 1)")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--run`."""
    add_configuration(parser)
    parser.add_argument("--run", required=True, help="name of the run")


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the folder of an experiment's results."""
    parser.add_argument("results", type=Path, help="the experiment's folder, such as results/demo")


def number(
    kind: Callable[[str], Number], fits: Callable[[Number], bool], allowed: str
) -> Callable[[str], Number]:
    """Return a function that reads a number for argparse, which turns any other text into one line.

    `fits` tells which numbers are allowed, and `allowed` says it.
    """

    def read(text: str) -> Number:
        with suppress(ValueError):
            value = kind(text)
            if fits(value):
                return value
        raise argparse.ArgumentTypeError(f"{text!r}: allowed: {allowed}")

    return read


def whole_number(most: int, least: int = 1) -> Callable[[str], int]:
    """Return a function that reads a whole number from `least` to `most` for argparse."""
    allowed = f"whole numbers from {least} to {most}"
    return number(int, lambda value: least <= value <= most, allowed)


finite_number = number(float, math.isfinite, "finite numbers")
positive_number = number(float, lambda value: 0 < value < math.inf, "numbers above 0")


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
        meant, has = suggestion(name, among), ", ".join(among) or "none"
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
