"""The results of an experiment's finished runs, from which tables, figures and claims are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from online_rnnlm.analysis.published import Published
from online_rnnlm.analysis.row import FinishedRun, Row
from online_rnnlm.config.evaluations import NONE, evaluations_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import PlannedRun, Run
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import rival_in, rivals_of_corpora
from online_rnnlm.rivals.base import CorpusRival, RunRival
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Evaluation, RunRecord, RunResult, Statistics
from online_rnnlm.storage.runs import read_epochs
from online_rnnlm.training.choice import resolve


class Opponents(NamedTuple):
    """The static rows that a row with a document vector is compared with, all on its corpus."""

    same_hidden: Row | None
    """The static row with the same number of hidden units."""
    more_parameters: Row | None
    """The smallest static row with at least as many parameters."""
    largest: Row | None
    """The static row with the most parameters."""

    @property
    def shown(self) -> list[Row]:
        """The opponents that a figure shows: the one of as many hidden units, and a larger one.

        If no static row has as many parameters as the vector row, the largest static row takes
        its place. The list has one row if both are the same, and none without static rows.
        """
        larger = self.more_parameters or self.largest
        found = [row for row in (self.same_hidden, larger) if row is not None]
        return found[:1] if found[:1] == found[1:] else found


class TestedRival(NamedTuple):
    """A rival of a corpus and its evaluation."""

    corpus: str
    rival: CorpusRival
    evaluation: Evaluation


@dataclass(frozen=True)
class Results:
    """The results of an experiment's runs, and the paper's own numbers for its models."""

    experiment: Experiment
    directory: ExperimentDirectory
    rows: tuple[Row, ...]
    """The rows of the comparison, in the configuration's order."""
    search: tuple[FinishedRun, ...]
    """The runs of the search for settings."""
    rivals: tuple[TestedRival, ...]
    """The rivals of the corpora; the rivals of runs are among the evaluations of a row."""
    corpora: Mapping[str, Statistics]
    published: Published
    """The paper's own numbers."""

    @property
    def several_seeds(self) -> bool:
        """True if metrics are means over several seeds, and so have a spread."""
        return len(self.experiment.seeds) > 1

    @property
    def several_corpora(self) -> bool:
        """True if the rows are trained on more than one corpus."""
        return len(self.corpora) > 1

    @property
    def first_corpus(self) -> str:
        """The corpus that is shown where there is room for only one."""
        return next(iter(self.corpora))

    @property
    def runs(self) -> list[FinishedRun]:
        """Every run of the comparison, row by row."""
        return [run for row in self.rows for run in row.runs]

    def rows_on(self, corpus: str) -> list[Row]:
        """The comparison's rows on a corpus."""
        return [row for row in self.rows if row.corpus == corpus]

    def rivals_on(self, corpus: str) -> list[TestedRival]:
        """The rivals of a corpus."""
        return [found for found in self.rivals if found.corpus == corpus]

    def rival_in(self, evaluation: str) -> RunRival | None:
        """The rival that a row's evaluation tests; None if it tests the row alone."""
        return rival_in(evaluation, self.experiment.testing)

    def best(self, corpus: str) -> Row:
        """The best row of a corpus, which the headline, figures and neighbours are about.

        It has the lowest perplexity on `valid`, a mean over the seeds, in the main evaluation;
        the test set is not used. The candidates are the rows of the paper's model; if there are
        none, the rows whose vector feeds another layer; if there are none of these either, the
        static rows. Of equal rows the first in the configuration is taken.
        """
        rows = self.rows_on(corpus)
        papers = [row for row in rows if row.is_the_papers]
        vectors = [row for row in rows if row.has_vector]
        return min(papers or vectors or rows, key=lambda row: row.perplexity("valid").mean)

    def opponents(self, vector: Row) -> Opponents:
        """The static rows that a row with a document vector is compared with."""
        rows = [row for row in self.rows_on(vector.corpus) if not row.has_vector]
        static = sorted(rows, key=lambda row: row.parameters)
        same = (row for row in static if row.hidden_size == vector.hidden_size)
        more = (row for row in static if row.parameters >= vector.parameters)
        return Opponents(next(same, None), next(more, None), static[-1] if static else None)


def collect(
    experiment: Experiment, directory: ExperimentDirectory, published: Published | None = None
) -> Results:
    """Read all runs of an experiment.

    Raises UserError for files that are missing or out of date.
    """
    runs = [_finished(experiment, directory, planned) for planned in experiment.runs()]
    return Results(
        experiment=experiment,
        directory=directory,
        rows=tuple(Row(tuple(of_row)) for _, of_row in groupby(runs, _row_of)),
        search=tuple(_finished(experiment, directory, run) for run in experiment.search_runs()),
        rivals=tuple(
            TestedRival(*found, records.read(Evaluation, directory.evaluation(name, NONE)))
            for name, found in rivals_of_corpora(experiment).items()
        ),
        corpora={
            corpus: records.read(Statistics, directory.corpus(corpus).statistics)
            for corpus in experiment.corpora
        },
        published=published or Published(rows=[]),
    )


def _row_of(run: FinishedRun) -> tuple[str, str]:
    """The corpus and label of a run's row; the runs of a row follow one another."""
    return run.run.settings.corpus, run.run.model


def _finished(
    experiment: Experiment, directory: ExperimentDirectory, planned: PlannedRun
) -> FinishedRun:
    """Read the files of a run of the configuration."""
    run = resolve(planned, directory)
    files = directory.run(run.name)
    record, result = records.read(RunRecord, files.record), records.read(RunResult, files.result)
    if record.settings != run.settings:
        raise UserError(f"{files.record}: was trained with other settings than the configuration's")
    _check_identity(files.result, result.identity, record)
    return FinishedRun(
        run=run,
        record=record,
        result=result,
        epochs=tuple(read_epochs(files)),
        evaluations=_evaluations(experiment, directory, run, record),
    )


def _evaluations(
    experiment: Experiment, directory: ExperimentDirectory, run: Run, record: RunRecord
) -> dict[str, Evaluation]:
    """Read a run's evaluations, by name; a run of the search has none."""
    found: dict[str, Evaluation] = {}
    if not run.searched:
        for name in evaluations_of(run.settings.document_size, experiment.testing):
            path = directory.evaluation(run.name, name)
            found[name] = records.read(Evaluation, path)
            _check_identity(path, found[name].identity, record)
    return found


def _check_identity(path: Path, identity: str, record: RunRecord) -> None:
    if identity != record.identity:
        raise UserError(f"{path}: belongs to an older training of `{record.name}`")
