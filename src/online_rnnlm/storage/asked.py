"""The runs, tables and figures that the configuration asks for now.

A results folder can also hold those of earlier configurations. None of their runs is the best
model. In MLflow they stay, marked as such, and the summary has none of their tables and figures.
"""

from __future__ import annotations

from collections.abc import Set
from functools import cached_property
from pathlib import Path

from online_rnnlm.config.loading import load
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import digest_of_json, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import RunRecord, Statistics
from online_rnnlm.storage.shown import figure_files, table_files


class Asked:
    """An experiment's configuration, as far as it decides which results are its own."""

    def __init__(self, directory: ExperimentDirectory) -> None:
        """Read the configuration; raises UserError if it is missing or wrong."""
        path = directory.configuration
        if not path.is_file():
            raise UserError(f"{path}: missing: start the experiment again, which writes it")
        self._directory = directory
        self.digest = sha256_of(path)
        """The sha256 of the configuration's file."""
        self._experiment = load(path)

    @property
    def testing(self) -> TestingSettings:
        """The settings of testing."""
        return self._experiment.testing

    @property
    def names(self) -> Set[str]:
        """The names of the configuration's runs."""
        return self._runs.keys()

    @cached_property
    def _runs(self) -> dict[str, PlannedRun]:
        return {run.name: run for run in self._experiment.trainings()}

    @property
    def rows(self) -> list[str]:
        """The names of the runs of its rows, without those of the search."""
        return [run.name for run in self._experiment.runs()]

    @property
    def seeds_of_rows(self) -> list[list[str]]:
        """The names of the runs of each row: one for each seed."""
        rows: dict[tuple[str, str], list[str]] = {}
        for run in self._experiment.runs():
            rows.setdefault((run.settings.corpus, run.model), []).append(run.name)
        return list(rows.values())

    @property
    def digest_of_results(self) -> str:
        """The sha256 of the settings that results can depend on, as claims and captions have it."""
        return digest_of_json(self._experiment.of_results())

    @property
    def corpora(self) -> int:
        """The number of its corpora."""
        return len(self._experiment.corpora)

    def asks_for(self, name: str, record: RunRecord) -> bool:
        """Return True if the run of that name is one of the configuration's.

        Its settings must be the configuration's, too, with those of a candidate of the search where
        there is a search, and its corpus must be the one that the folder holds now, if it does: it
        may just be made anew.
        """
        planned = self._runs.get(name)
        if planned is None or record.settings not in self._possible(planned):
            return False
        found = _corpus_digest(self._directory, record)
        return found in (None, record.corpus_digest)

    def _possible(self, planned: PlannedRun) -> list[RunSettings]:
        """Return the settings that a run can have: one for each candidate of the search."""
        candidates = [self._runs[name] for name in planned.candidates]
        if not candidates:
            return [planned.settings]
        return [
            planned.settings_with(
                {key: getattr(candidate.settings, key) for key in candidate.searched}
            )
            for candidate in candidates
        ]

    def tables(self) -> list[Path]:
        """Return the files of all tables of the configuration."""
        return table_files(self._experiment, self._directory)

    def figures(self) -> list[Path]:
        """Return the files of all figures of the configuration, and that of the captions."""
        return figure_files(self._experiment, self._directory)


def holds_corpus_of(directory: ExperimentDirectory, record: RunRecord) -> bool:
    """Return True if the folder still holds the corpus that a run was trained on."""
    return _corpus_digest(directory, record) == record.corpus_digest


def _corpus_digest(directory: ExperimentDirectory, record: RunRecord) -> str | None:
    """Return the digest of the corpus that the folder holds for a run; None if it holds none."""
    path = directory.corpus(record.settings.corpus).statistics
    found = records.read_if_there(Statistics, path)
    return found.digest if found else None
