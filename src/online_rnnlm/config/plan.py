"""The plan of an experiment: the runs of its networks, when the digits in their names are known.

A network has the runs of its search, and one with each seed, which is to take the values of the
best of these.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.mistakes import all_messages
from online_rnnlm.config.networks import PlannedNetwork
from online_rnnlm.config.reading import read_mapping
from online_rnnlm.config.rivals import CORPUS_RIVALS, CorpusRival
from online_rnnlm.config.runs import Digits, Run, identity_of
from online_rnnlm.errors import UserError


class PlannedRow(NamedTuple):
    """The runs of a network: a row of the tables."""

    candidates: tuple[Run, ...]
    """The runs of its search."""
    runs: tuple[Run, ...]
    """Its own runs, one for each seed."""


def plan_row(network: PlannedNetwork, digits: Digits) -> PlannedRow:
    """Plan the runs of a network, one for each of its seeds, and those of its search."""
    folder = digits.folder_of(network.settings.corpus)
    candidates = tuple(
        Run(
            settings,
            folder,
            searched=tried,
            testing=network.testing,
            identity=identity_of(settings, digits),
        )
        for settings, tried in network.search.items()
    )
    names = tuple(run.name for run in candidates)
    of_seeds = [network.settings.model_copy(update={"seed": seed}) for seed in network.seeds]
    runs = tuple(
        Run(
            settings,
            folder,
            candidates=names,
            testing=network.testing,
            identity=identity_of(settings, digits, network.undecided, names),
        )
        for settings in of_seeds
    )
    return PlannedRow(candidates, runs)


class Plan(Experiment):
    """An experiment whose texts and code are known, and so the names of all folders.

    The workflow writes it to `results/<experiment>/config.json`, where every job reads it.
    """

    digits: Digits
    """Digits that name the folders of corpora and runs."""

    @cached_property
    def planned_rows(self) -> tuple[PlannedRow, ...]:
        """The rows on every corpus: each network's runs, and those of its search."""
        return tuple(plan_row(network, self.digits) for network in self.networks)

    def trainings(self) -> list[Run]:
        """Return every run: first those of the search, then those of the rows."""
        return [*self.search_runs(), *self.runs()]

    def runs(self) -> list[Run]:
        """Return the runs of the rows: corpora × rows × seeds."""
        return [run for row in self.planned_rows for run in row.runs]

    def search_runs(self) -> list[Run]:
        """Return the runs of the search: corpora × rows × searched values."""
        return [run for row in self.planned_rows for run in row.candidates]

    @property
    def corpus_rivals(self) -> dict[str, CorpusRival]:
        """The rivals that corpora are tested with, by the names of their evaluations' folders."""
        trained = [
            CorpusRival(
                kind=name,
                rival=self.testing.rivals_by_name[name],
                corpus=corpus,
                corpus_folder=self.digits.folder_of(corpus),
            )
            for corpus in self.corpora
            for name in CORPUS_RIVALS
            if name in self.testing.rivals
        ]
        return {one.name: one for one in trained}

    @classmethod
    def of(cls, experiment: Experiment, digits: Digits) -> Plan:
        """Return the plan of an experiment, which has been checked already."""
        settings = {key: getattr(experiment, key) for key in Experiment.model_fields}
        return cls.model_construct(**settings, digits=digits)


def load(path: Path) -> Experiment:
    """Read and check a configuration file; that of results is a plan. Raises UserError."""
    return parse(read_mapping(path), str(path))


def load_plan(path: Path) -> Plan:
    """Read and check the `config.json` of results; raises UserError."""
    experiment = load(path)
    if not isinstance(experiment, Plan):
        raise UserError(f"{path}: `digits`: is required")
    return experiment


def parse(values: dict[str, Any], file: str = "configuration") -> Experiment:
    """Check a configuration that has been read already; one with digits is a plan.

    Raises UserError with one line that names the file, the key and the allowed values.
    """
    kind = Plan if "digits" in values else Experiment
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{file}: {all_messages(error, values)}") from None
