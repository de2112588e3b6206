"""The results of an experiment's finished runs, from which tables, figures and claims are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from online_rnnlm.analysis.missing import (
    DivergedRun,
    Missing,
    NothingToShowError,
    missing_comparisons,
    missing_evaluation,
    missing_run,
    note,
)
from online_rnnlm.analysis.published import Published
from online_rnnlm.analysis.row import FinishedRun, Row
from online_rnnlm.analysis.tested_rivals import TestedRival, read_rivals
from online_rnnlm.config.evaluations import evaluations_of, main_evaluations
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import PlannedRun, Run
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import mixed_rivals, rival_in
from online_rnnlm.rivals.base import RunRival
from online_rnnlm.storage import records
from online_rnnlm.storage.files import digest_of_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import (
    Evaluation,
    FailedEvaluation,
    RunDivergence,
    RunRecord,
    RunResult,
    Statistics,
)
from online_rnnlm.storage.runs import read_epochs, refuse_older
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


@dataclass(frozen=True)
class Results:
    """The results of an experiment's runs, and the paper's own numbers for its models."""

    experiment: Experiment
    directory: ExperimentDirectory
    rows: tuple[Row, ...]
    """The rows of the comparison, in the configuration's order; a row whose run for any seed has
    diverged is left out."""
    search: tuple[FinishedRun, ...]
    """The runs of the search for settings that have finished."""
    diverged_search: tuple[DivergedRun, ...]
    """The runs of the search that have diverged."""
    missing: tuple[Missing, ...]
    """All that has diverged, is impossible or cannot be compared."""
    rivals: tuple[TestedRival, ...]
    """The rivals of the corpora; the rivals of runs are among the evaluations of a row."""
    corpora: Mapping[str, Statistics]
    published: Published
    """The paper's own numbers."""

    @property
    def settings_digest(self) -> str:
        """sha256 of the settings that results can depend on; files made from results carry it."""
        return digest_of_json(self.experiment.of_results())

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
        """The corpus that is shown where there is room for only one: the first that has rows.

        Raises NothingToShowError if none has.
        """
        return self.compared_corpora[0]

    @property
    def compared_corpora(self) -> list[str]:
        """The corpora that have rows; raises NothingToShowError if none has."""
        found = [corpus for corpus in self.corpora if self.rows_on(corpus)]
        if not found:
            raise NothingToShowError("No row has finished.")
        return found

    @property
    def missing_note(self) -> list[str]:
        """A note for a table or a caption that names what is missing; none if nothing is."""
        return note(self.missing, self.several_corpora)

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

    def parameters(self, row: Row, rival: RunRival) -> int:
        """Number of parameters of a row with a rival; a mixture has those of its parts."""
        parts = {part.name for part in mixed_rivals([rival.name], self.experiment.testing)}
        mixed = (found for found in self.rivals_on(row.corpus) if found.rival.name in parts)
        return row.parameters + sum(found.evaluation.parameters or 0 for found in mixed)

    def best(self, corpus: str) -> Row:
        """The best row of a corpus, which the headline, figures and neighbours are about.

        It has the lowest perplexity on `valid`, a mean over the seeds, in the main evaluation;
        the test set is not used. The candidates are the rows of the paper's model; if there are
        none, the other rows with a vector; if there are none of these either, the static rows. Of
        equal rows the first in the configuration is taken.
        """
        rows = self.rows_on(corpus)
        papers = [row for row in rows if row.is_the_papers]
        vectors = [row for row in rows if row.has_vector]
        return min(papers or vectors or rows, key=lambda row: row.perplexity("valid").mean)

    def best_with_vector(self) -> Row:
        """The best row of the first corpus; raises NothingToShowError if it has no vector."""
        best = self.best(self.first_corpus)
        if not best.has_vector:
            raise NothingToShowError("No row with a document vector has finished.")
        return best

    def opponents(self, vector: Row) -> Opponents:
        """The static rows that a row with a document vector is compared with.

        They have the same cell, and as many context units. Of rows of one size, such as one trained
        on sentences and one on documents, it is the one that is better on `valid`.
        """
        rows = [row for row in self.rows_on(vector.corpus) if not row.has_vector]
        same_layer = [row for row in rows if row.layer == vector.layer]
        static = sorted(same_layer, key=lambda row: (row.parameters, row.perplexity("valid").mean))
        largest = max(static, key=lambda row: row.parameters, default=None)  # of equals, the first
        same = (row for row in static if row.hidden_size == vector.hidden_size)
        more = (row for row in static if row.parameters >= vector.parameters)
        return Opponents(next(same, None), next(more, None), largest)


def collect(
    experiment: Experiment, directory: ExperimentDirectory, published: Published | None = None
) -> Results:
    """Read all runs of an experiment.

    Raises UserError for files that are missing or out of date, and for a run that was trained on
    another text than the others.
    """
    found = [_read(experiment, directory, planned) for planned in experiment.runs()]
    rows = [list(of_row) for _, of_row in groupby(found, lambda one: one.row)]
    search = [_read(experiment, directory, planned) for planned in experiment.search_runs()]
    corpora = {
        corpus: records.read(Statistics, directory.corpus(corpus).statistics)
        for corpus in experiment.corpora
    }
    rivals, impossible = read_rivals(experiment, directory)
    results = Results(
        experiment=experiment,
        directory=directory,
        rows=tuple(row for row in map(_row_of, rows) if row is not None),
        search=tuple(one.finished for one in search if one.finished),
        diverged_search=tuple(one.diverged for one in search if one.diverged),
        missing=(
            *(missing for one in [*found, *search] for missing in one.missing),
            *impossible,
            *missing_comparisons(experiment, corpora),
        ),
        rivals=tuple(rivals),
        corpora=corpora,
        published=published or Published(rows=[]),
    )
    for run in (*results.runs, *results.search):
        _check_corpus(results, run)
    return results


class _Read(NamedTuple):
    """A run whose files have been read."""

    run: Run
    finished: FinishedRun | None
    diverged: DivergedRun | None
    """The run if its training diverged."""
    missing: list[Missing]
    """The run itself, or those of its evaluations that diverged."""

    @property
    def row(self) -> tuple[str, str]:
        """The corpus and label of the run's row; the runs of a row follow one another."""
        return self.run.settings.corpus, self.run.model


def _row_of(found: list[_Read]) -> Row | None:
    """The row of these runs; None if any of them, or its main evaluations, diverged."""
    finished = tuple(one.finished for one in found if one.finished)
    return Row(finished) if len(finished) == len(found) else None


def _read(experiment: Experiment, directory: ExperimentDirectory, planned: PlannedRun) -> _Read:
    """Read the files of a run of the configuration."""
    run = resolve(planned, directory)
    files = directory.run(run.name)
    record = records.read(RunRecord, files.record)
    end = records.read_one_of((RunResult, RunDivergence), files.result)
    if record.settings != run.settings:
        raise UserError(f"{files.record}: was trained with other settings than the configuration's")
    refuse_older(files.result, end.identity, record)
    if isinstance(end, RunDivergence):
        diverged = DivergedRun(run, end)
        return _Read(run, None, diverged, [missing_run(diverged)])
    tested = _evaluations(experiment, directory, run, record)
    finished = {name: one for name, one in tested.items() if isinstance(one, Evaluation)}
    missing = [
        missing_evaluation(run, one) for one in tested.values() if isinstance(one, FailedEvaluation)
    ]
    main = () if run.searched else main_evaluations(run.settings.document_size)
    if not finished.keys() >= set(main):
        return _Read(run, None, None, missing)
    epochs = tuple(read_epochs(files))
    return _Read(run, FinishedRun(run, record, end, epochs, finished), None, missing)


def _evaluations(
    experiment: Experiment, directory: ExperimentDirectory, run: Run, record: RunRecord
) -> dict[str, Evaluation | FailedEvaluation]:
    """Read a run's evaluations, by name; a run of the search has none."""
    found: dict[str, Evaluation | FailedEvaluation] = {}
    if not run.searched:
        for name in evaluations_of(run.settings.document_size, experiment.testing):
            path = directory.evaluation(run.name, name)
            found[name] = records.read_one_of((Evaluation, FailedEvaluation), path)
            refuse_older(path, found[name].identity, record)
    return found


def _check_corpus(results: Results, run: FinishedRun) -> None:
    corpus = run.record.settings.corpus
    if run.record.corpus_digest != results.corpora[corpus].digest:
        path, now = results.directory.run(run.name).record, results.directory.corpus(corpus).path
        raise UserError(f"{path}: trained on another text than {now} holds now")
