"""The results of an experiment's finished runs, from which tables, figures and claims are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.row import FinishedRow, FinishedRun, Side, System
from online_rnnlm.analysis.significance import Pieces, pieces_of
from online_rnnlm.config.evaluations import (
    decisive_settings,
    evaluations_of,
    final_evaluation,
    in_words,
    main_evaluations,
    ways_of,
)
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.core.way import NONE, UnitOfText
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.rivals import rivals_of, rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import (
    Evaluation,
    Timing,
    Timings,
    read_evaluation,
    refuse_other_settings,
    sentence_scores,
)
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import End, RunDivergence, RunRecord, RunResult, read_ended


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


@dataclass(frozen=True)
class Results:
    """The results of an experiment's runs."""

    experiment: Plan
    directory: ExperimentDirectory
    rows: Sequence[FinishedRow]
    """The rows of the comparison, in the configuration's order; a row whose run for any seed has
    diverged is left out."""
    candidates: Sequence[tuple[Run, End]]
    """The runs of the search for settings and how they ended, in the configuration's order."""
    missing: Sequence[Missing]
    """All that has diverged."""
    rivals: Sequence[System]
    """The rivals of the corpora; the rivals of runs are among the sides of a row."""
    corpora: Mapping[str, Statistics]

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

    def files_of(self, corpus: str) -> CorpusDirectory:
        """The folder of a corpus."""
        return self.directory.corpus(self.experiment.digits.folder_of(corpus))

    def rows_on(self, corpus: str) -> list[FinishedRow]:
        """The comparison's rows on a corpus."""
        return [row for row in self.rows if row.corpus == corpus]

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The pieces of a text that do not depend on each other, for models that keep things for a
        unit of text."""
        return pieces_in(self.experiment, self.directory, corpus, kept_for, text)

    def sentence_scores(self, run: str, evaluation: str, text: str = "test") -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each sentence of a text."""
        return sentence_scores(self.directory, run, evaluation, text)

    def systems_on(self, corpus: str) -> Iterator[System]:
        """Yield a corpus's rows in their main evaluations, its rows with rivals, and its rivals."""
        rows = self.rows_on(corpus)
        yield from (row.main for row in rows)
        yield from (side for row in rows for side in row.sides.values() if side.rival)
        yield from (system for system in self.rivals if system.corpus == corpus)

    def chosen_candidate(self, row: FinishedRow) -> Run | None:
        """The run of the search that was best on `valid`, whose settings a row has; None if none
        was tried."""
        tried = [
            (end.valid_perplexity, run)
            for run, end in self.candidates
            if isinstance(end, RunResult) and run.name in row.first.run.candidates
        ]
        return min(tried, key=lambda found: found[0])[1] if tried else None

    def headline_on(self, corpus: str) -> FinishedRow:
        """The row of a corpus that the report is about: the first in the configuration of its kind.

        It has a vector, the paper's hidden layer, and is trained per sentence; as far as there are
        such rows, the first wish counting most.
        """
        rows = self.rows_on(corpus)
        rows = [row for row in rows if row.has_vector] or rows
        rows = [row for row in rows if row.is_the_papers] or rows
        rows = [row for row in rows if row.settings.unit_of_text == "sentence"] or rows
        return rows[0]

    def headline_with_vector(self) -> FinishedRow:
        """The headline of the first corpus; raises NothingToShowError if it has no vector."""
        row = self.headline_on(self.first_corpus)
        if not row.has_vector:
            raise NothingToShowError("No network with a vector has finished.")
        return row

    def static_rows_like(self, vector: FinishedRow) -> list[FinishedRow]:
        """The static rows on a row's corpus with its cell and unit of text, the smallest first.

        Of rows of one size, such as those of two engines, the better one on `valid` comes first.
        """
        rows = [row for row in self.rows_on(vector.corpus) if not row.has_vector]
        alike = [row for row in rows if row.regime == vector.regime]
        return sorted(alike, key=lambda row: (row.parameters, row.main.perplexity("valid").mean()))

    def static_of_as_many_units(self, vector: FinishedRow) -> FinishedRow | None:
        """The static row with a row's numbers of hidden and of slow units, if there is one."""
        units = (vector.settings.hidden_size, vector.settings.context_units)
        for static in self.static_rows_like(vector):
            if (static.settings.hidden_size, static.settings.context_units) == units:
                return static
        return None

    def opponents_of(self, vector: FinishedRow) -> list[FinishedRow]:
        """The static rows that are shown beside a row: of as many units, and of as many parameters.

        The largest static row takes the place of the second if none has as many. There is one row
        if both are the same, and none without static rows.
        """
        static = self.static_rows_like(vector)
        if not static:
            return []
        largest = max(static, key=lambda row: row.parameters)
        as_large = (row for row in static if row.parameters >= vector.parameters)
        shown = [self.static_of_as_many_units(vector), next(as_large, largest)]
        return [*dict.fromkeys(row for row in shown if row is not None)]


def pieces_in(
    experiment: Plan,
    directory: ExperimentDirectory,
    corpus: str,
    kept_for: UnitOfText,
    text: str = "test",
) -> Pieces:
    """The pieces of a corpus's text that do not depend on each other."""
    files = directory.corpus(experiment.digits.folder_of(corpus))
    in_order = is_in_order(experiment, corpus, text)
    return pieces_of(np.load(files.split_articles(text)), kept_for, in_order=in_order)


def is_in_order(experiment: Plan, corpus: str, text: str) -> bool:
    """True if a text is not shuffled."""
    return experiment.corpora[corpus].keeps_order or text in experiment.testing.other_texts


def way_in(experiment: Plan, evaluation: str) -> str:
    """An evaluation in words that follow a network's name; none if it is as in training."""
    if rival := rivals_of(experiment.testing).get(evaluation):
        return f"with {rival.phrase}"
    return in_words(ways_of(experiment)[evaluation])


def collect(experiment: Plan, directory: ExperimentDirectory) -> Results:
    """Read all results of an experiment.

    Raises UserError for files that are missing or out of date, and for a run that was trained on
    another text than the others.
    """
    folder_of = experiment.digits.folder_of
    corpora = {
        corpus: records.read(Statistics, directory.corpus(folder_of(corpus)).statistics)
        for corpus in experiment.corpora
    }
    missing: list[Missing] = []
    finished: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
    for planned in experiment.runs():
        run = resolve(planned, directory)
        settings = run.settings
        end = _read_end(directory, run, corpora)
        if isinstance(end, RunDivergence):
            missing.append(Missing(run.label, end.status, settings.corpus, end.reason))
            continue
        evaluations: dict[str, Evaluation] = {}
        for name, evaluation in evaluations_of(settings, experiment.testing).items():
            path = directory.evaluation(run.name, name)
            tested = read_evaluation(path)
            refuse_other_settings(path, tested, decisive_settings(evaluation, experiment.testing))
            if isinstance(tested, Evaluation):
                evaluations[name] = tested
            else:
                what = f"{run.label}, {name}"
                missing.append(Missing(what, tested.status, settings.corpus, tested.reason))
        if evaluations.keys() >= {*main_evaluations(settings.document_size)}:
            finished[settings.corpus, run.model].append(FinishedRun(run, end, evaluations))
    candidates = []
    for run in experiment.search_runs():
        end = _read_end(directory, run, corpora)
        candidates.append((run, end))
        if isinstance(end, RunDivergence):
            corpus = run.settings.corpus
            missing.append(Missing(run.label, end.status, corpus, end.reason, shown=False))
    rivals = []
    for name, trained in rivals_of_corpora(experiment).items():
        tested = records.read(Evaluation, directory.evaluation(name, NONE))
        rivals.append(
            System(
                corpus=trained.corpus,
                title=trained.rival.title,
                by_seed=[tested],
                parameters=tested.parameters,
                rival=trained.rival,
            )
        )
    timings = records.read(Timings, directory.timings).timings
    return Results(
        experiment=experiment,
        directory=directory,
        rows=[
            row_of(runs, experiment, rivals, timings)
            for runs in finished.values()
            if len(runs) == len(experiment.seeds)
        ],
        candidates=candidates,
        missing=missing,
        rivals=rivals,
        corpora=corpora,
    )


def _read_end(directory: ExperimentDirectory, run: Run, corpora: Mapping[str, Statistics]) -> End:
    """Read how a run has ended; raises UserError if it has not, or was trained on another text."""
    files = directory.run(run.name)
    record = records.read(RunRecord, files.record)
    end = read_ended(files)
    if record.corpus_digest != corpora[run.settings.corpus].digest:
        now = directory.corpus(run.corpus_folder).path
        raise UserError(f"{files.record}: trained on another text than {now} holds now")
    return end


def row_of(
    runs: Sequence[FinishedRun],
    experiment: Plan,
    rivals: Sequence[System],
    timings: Sequence[Timing],
) -> FinishedRow:
    """Make a row of a network's runs, one for each seed, with its sides.

    `rivals` are those of the corpora: a side in which one is mixed in has its parameters, too.
    """
    row = FinishedRow(tuple(runs))
    rounds = {
        timing.evaluation: timing.seconds_per_word
        for timing in timings
        if (timing.corpus, timing.network) == (row.corpus, row.label)
    }
    rivals_by_name = rivals_of(experiment.testing)
    for name in row.first.evaluations:
        if any(name not in run.evaluations for run in row.runs):
            continue
        rival = rivals_by_name.get(name)
        mixed_in = [
            system.parameters or 0
            for system in rivals
            if rival and system.corpus == row.corpus and system.rival in rival.parts
        ]
        is_main = name == final_evaluation(row.settings.document_size)
        way = "" if is_main else way_in(experiment, name)
        row.sides[name] = Side(
            corpus=row.corpus,
            title=f"{row.label} + {rival.title}" if rival else row.label,
            by_seed=[run.evaluations[name] for run in row.runs],
            parameters=row.parameters + sum(mixed_in),
            rival=rival,
            row=row,
            evaluation=name,
            name=f"{row.label} {way}".rstrip(),
            rounds=rounds.get(name, ()),
        )
    return row
