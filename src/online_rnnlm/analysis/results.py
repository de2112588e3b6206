"""The results of an experiment's finished runs, from which tables, figures and claims are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.row import FinishedRun, Opponents, Row, Side, System
from online_rnnlm.analysis.significance import Pieces, pieces_of
from online_rnnlm.config.evaluations import (
    decisive_settings,
    evaluations_of,
    in_words,
    main_evaluations,
    ways_of,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.core.way import NONE, UnitOfText
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.rivals import mixed_rivals, rival_in, rivals_of_corpora
from online_rnnlm.rivals.base import RunRival
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import (
    DivergedEvaluation,
    Evaluation,
    Timing,
    Timings,
    refuse_other_settings,
    sentence_scores,
)
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import RunDivergence, RunRecord, RunResult, refuse_older


class NothingToShowError(Exception):
    """The error that a table or figure has nothing to show, since what it is about is missing."""


class Missing(NamedTuple):
    """One thing that is missing."""

    what: str
    """A short name, such as `100/20, seed 1`."""
    why: str
    """The reason in a few words."""
    corpus: str
    line: str
    """The whole reason in one line: what is missing, why, and what can be tried."""
    shown: bool = True
    """True if tables and figures name it; the search's own table shows its candidates."""


class DivergedRun(NamedTuple):
    """A run that has diverged."""

    run: Run
    end: RunDivergence


@dataclass(frozen=True)
class Results:
    """The results of an experiment's runs."""

    experiment: Experiment
    directory: ExperimentDirectory
    rows: Sequence[Row]
    """The rows of the comparison, in the configuration's order; a row whose run for any seed has
    diverged is left out."""
    candidates: Sequence[FinishedRun | DivergedRun]
    """The runs of the search for settings, in the configuration's order."""
    missing: Sequence[Missing]
    """All that has diverged."""
    rivals: Sequence[System]
    """The rivals of the corpora; the rivals of runs are among the evaluations of a row."""
    corpora: Mapping[str, Statistics]
    timings: Sequence[Timing]
    """The networks' times to score the test text."""

    @property
    def several_seeds(self) -> bool:
        """True if metrics are means over several seeds, and so have a spread."""
        return len(self.experiment.seeds) > 1

    @property
    def several_corpora(self) -> bool:
        """True if the rows are trained on more than one corpus."""
        return len(self.corpora) > 1

    @property
    def compared_corpora(self) -> list[str]:
        """The corpora that have rows; raises NothingToShowError if none has."""
        corpora = [corpus for corpus in self.corpora if self.rows_on(corpus)]
        if not corpora:
            raise NothingToShowError("No network has finished.")
        return corpora

    @property
    def first_corpus(self) -> str:
        """The corpus that is shown where there is room for only one: the first that has rows.

        Raises NothingToShowError if none has.
        """
        return self.compared_corpora[0]

    @property
    def missing_note(self) -> list[str]:
        """A note for a table or a caption that names what is missing; none if nothing is."""
        named = []
        for missing in self.missing:
            if missing.shown:
                where = f" on {missing.corpus}" if self.several_corpora else ""
                named.append(f"{missing.what}{where} ({missing.why})")
        return [f"Missing: {'; '.join(named)}."] if named else []

    @property
    def runs(self) -> list[FinishedRun]:
        """Every run of the comparison, row by row."""
        return [run for row in self.rows for run in row.runs]

    @property
    def trainings(self) -> list[FinishedRun]:
        """Every finished run, those of the search first."""
        return [*(run for run in self.candidates if isinstance(run, FinishedRun)), *self.runs]

    def files_of(self, corpus: str) -> CorpusDirectory:
        """The folder of a corpus."""
        return self.directory.corpus(self.experiment.digits.folder_of(corpus))

    def rows_on(self, corpus: str) -> list[Row]:
        """The comparison's rows on a corpus."""
        return [row for row in self.rows if row.corpus == corpus]

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The pieces of a text that do not depend on each other, for models that keep things for a
        unit of text."""
        articles = np.load(self.files_of(corpus).split_articles(text))
        return pieces_of(articles, kept_for, in_order=self.is_in_order(corpus, text))

    def is_in_order(self, corpus: str, text: str) -> bool:
        """True if a text is not shuffled."""
        others = self.experiment.testing.other_texts
        return self.experiment.corpora[corpus].keeps_order or text in others

    def sentence_scores(self, run: str, evaluation: str, text: str = "test") -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each sentence of a text."""
        return sentence_scores(self.directory, run, evaluation, text)

    def rival_in(self, evaluation: str) -> RunRival | None:
        """The rival that a row's evaluation tests; None if it tests the row alone."""
        return rival_in(evaluation, self.experiment.testing)

    def systems_on(self, corpus: str) -> Iterator[System]:
        """Yield a corpus's rows in their main evaluations, its rows with rivals, and its rivals."""
        rows = self.rows_on(corpus)
        for row in rows:
            yield System(corpus, row.by_seed(row.final), row.parameters, row)
        for row in rows:
            for name in row.evaluations:
                if rival := self.rival_in(name):
                    parameters = self.parameters_of(row, name)
                    yield System(corpus, row.by_seed(name), parameters, row, rival)
        yield from (system for system in self.rivals if system.corpus == corpus)

    def parameters_of(self, row: Row, evaluation: str) -> int:
        """The number of parameters of a row in an evaluation, with those of models mixed in."""
        parameters = row.parameters
        if rival := self.rival_in(evaluation):
            parts = mixed_rivals([rival.name], self.experiment.testing)
            mixed = {part.name for part in parts}
            for system in self.rivals:
                if system.corpus == row.corpus and system.rival and system.rival.name in mixed:
                    parameters += system.parameters or 0
        return parameters

    def way_in(self, evaluation: str) -> str:
        """An evaluation in words that follow a network's name; none if it is as in training."""
        if rival := self.rival_in(evaluation):
            return f"with {rival.phrase}"
        return in_words(ways_of(self.experiment)[evaluation])

    def name_of(self, side: Side) -> str:
        """A row's name and the way in which it is tested, such as `100/20 frozen`."""
        way = "" if side.evaluation == side.row.final else self.way_in(side.evaluation)
        return f"{side.row.label} {way}".rstrip()

    def headline(self, corpus: str) -> Row:
        """The row of a corpus that the report is about: the first in the configuration of those
        nearest to the paper's own, with a vector at the output of a simple network, per sentence.
        """

        def strangeness(row: Row) -> tuple[bool, bool, bool]:
            per_sentence = row.settings.unit_of_text == "sentence"
            return not row.has_vector, not row.is_the_papers, not per_sentence

        return min(self.rows_on(corpus), key=strangeness)

    def headline_with_vector(self) -> Row:
        """The headline of the first corpus; raises NothingToShowError if it has no vector."""
        headline = self.headline(self.first_corpus)
        if not headline.has_vector:
            raise NothingToShowError("No network with a vector has finished.")
        return headline

    def static_rows_like(self, vector: Row) -> list[Row]:
        """The static rows on a row's corpus with its cell, that read the same unit of text."""
        rows = [row for row in self.rows_on(vector.corpus) if not row.has_vector]
        return [row for row in rows if row.regime == vector.regime]

    def opponents(self, vector: Row) -> Opponents:
        """The static rows that a row with a document vector is compared with.

        They have the same cell and the same unit of text. Of rows of one size, such as those of two
        engines, it is the one that is better on `valid`.
        """
        static = self.static_rows_like(vector)
        static.sort(key=lambda row: (row.parameters, row.perplexity("valid").mean))
        hidden = vector.settings.hidden_size
        same = next((row for row in static if row.settings.hidden_size == hidden), None)
        more = next((row for row in static if row.parameters >= vector.parameters), None)
        largest = max(static, key=lambda row: row.parameters, default=None)  # of equals, the first
        shown: list[Row] = []
        for row in (same, more or largest):
            if row is not None and row not in shown:
                shown.append(row)
        return Opponents(same, more, shown)


def collect(experiment: Experiment, directory: ExperimentDirectory) -> Results:
    """Read all results of an experiment.

    Raises UserError for files that are missing or out of date, and for a run that was trained on
    another text than the others.
    """
    folder_of = experiment.digits.folder_of
    corpora = {
        corpus: records.read(Statistics, directory.corpus(folder_of(corpus)).statistics)
        for corpus in experiment.corpora
    }
    rows: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
    runs = [_read(experiment, directory, planned, corpora) for planned in experiment.runs()]
    for run in runs:
        settings = run.run.settings
        needed = {*main_evaluations(settings.document_size)}
        if isinstance(run, FinishedRun) and run.evaluations.keys() >= needed:
            rows[settings.corpus, run.run.model].append(run)
    candidates = [
        _read(experiment, directory, planned, corpora) for planned in experiment.search_runs()
    ]
    rivals = []
    for name, (corpus, _, rival) in rivals_of_corpora(experiment).items():
        tested = records.read(Evaluation, directory.evaluation(name, NONE))
        rivals.append(System(corpus, [tested], tested.parameters, rival=rival))
    return Results(
        experiment=experiment,
        directory=directory,
        rows=[Row(tuple(runs)) for runs in rows.values() if len(runs) == len(experiment.seeds)],
        candidates=candidates,
        missing=[missing for run in [*runs, *candidates] for missing in _missing(run)],
        rivals=rivals,
        corpora=corpora,
        timings=records.read(Timings, directory.timings).timings,
    )


def _missing(run: FinishedRun | DivergedRun) -> Iterator[Missing]:
    """Yield a run that has diverged, or the evaluations of a finished run that have."""
    label = run.run.label
    corpus = run.run.settings.corpus
    if isinstance(run, DivergedRun):
        shown = not run.run.searched
        yield Missing(label, run.end.status, corpus, run.end.reason, shown=shown)
        return
    for name, diverged in run.diverged.items():
        yield Missing(f"{label}, {name}", diverged.status, corpus, diverged.reason)


def _read(
    experiment: Experiment,
    directory: ExperimentDirectory,
    planned: Run,
    corpora: Mapping[str, Statistics],
) -> FinishedRun | DivergedRun:
    """Read the files of a run; those of the search have no evaluations."""
    run = resolve(planned, directory)
    corpus = run.settings.corpus
    files = directory.run(run.name)
    record = records.read(RunRecord, files.record)
    end = records.read(RunResult, files.result, RunDivergence)
    refuse_older(files.result, end.identity, record)
    if record.corpus_digest != corpora[corpus].digest:
        now = directory.corpus(run.corpus_folder).path
        raise UserError(f"{files.record}: trained on another text than {now} holds now")
    if isinstance(end, RunDivergence):
        return DivergedRun(run, end)
    evaluations: dict[str, Evaluation] = {}
    diverged: dict[str, DivergedEvaluation] = {}
    if not run.searched:
        planned_tests = evaluations_of(run.settings, experiment.testing)
        for name, evaluation in planned_tests.items():
            path = directory.evaluation(run.name, name)
            tested = records.read(Evaluation, path, DivergedEvaluation)
            refuse_older(path, tested.identity, record)
            refuse_other_settings(path, tested, decisive_settings(evaluation, experiment.testing))
            if isinstance(tested, Evaluation):
                evaluations[name] = tested
            else:
                diverged[name] = tested
    return FinishedRun(run, end, evaluations, diverged)
