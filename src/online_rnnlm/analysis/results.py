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
    DivergedEvaluation,
    Evaluation,
    Timing,
    Timings,
    refuse_other_settings,
    sentence_scores,
)
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import End, RunDivergence, RunRecord, RunResult


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
        for row in rows:
            yield System(corpus, row.by_seed(row.final), row.parameters, row)
        for row in rows:
            for name in row.evaluations:
                if rival := rivals_of(self.experiment.testing).get(name):
                    parameters = self.parameters_of(row, name)
                    yield System(corpus, row.by_seed(name), parameters, row, rival)
        yield from (system for system in self.rivals if system.corpus == corpus)

    def parameters_of(self, row: FinishedRow, evaluation: str) -> int:
        """The number of parameters of a row in an evaluation, with those of models mixed in."""
        parameters = row.parameters
        if rival := rivals_of(self.experiment.testing).get(evaluation):
            for system in self.rivals:
                if system.corpus == row.corpus and system.rival in rival.parts:
                    parameters += system.parameters or 0
        return parameters

    def chosen_candidate(self, row: FinishedRow) -> Run | None:
        """The run of the search that was best on `valid`, whose settings a row has; None if none
        was tried."""
        ended = {run.name: (end.valid_perplexity, run) for run, end in self.candidates
                 if isinstance(end, RunResult)}  # fmt: skip
        tried = [ended[name] for name in row.first.run.candidates if name in ended]
        return min(tried, key=lambda found: found[0])[1] if tried else None

    def rounds_of(self, side: Side) -> tuple[float, ...]:
        """The time per token (s) of a side in each round in which networks were timed in turn.

        It is empty for a side that was not timed, such as one with a rival.
        """
        for timing in self.timings:
            timed = (timing.corpus, timing.network, timing.evaluation)
            if timed == (side.row.corpus, side.row.label, side.evaluation):
                return timing.seconds_per_word
        return ()

    def seconds_per_word(self, side: Side) -> float:
        """The time per token in testing (s): median of the rounds, or that of the evaluations."""
        rounds = self.rounds_of(side)
        return float(np.median(rounds)) if rounds else side.seconds

    def way_in(self, evaluation: str) -> str:
        """An evaluation in words that follow a network's name; none if it is as in training."""
        if rival := rivals_of(self.experiment.testing).get(evaluation):
            return f"with {rival.phrase}"
        return in_words(ways_of(self.experiment)[evaluation])

    def name_of(self, side: Side) -> str:
        """A row's name and the way in which it is tested, such as `100/20 frozen`."""
        way = "" if side.evaluation == side.row.final else self.way_in(side.evaluation)
        return f"{side.row.label} {way}".rstrip()


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
    rows: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
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
            tested = records.read(Evaluation, path, DivergedEvaluation)
            refuse_other_settings(path, tested, decisive_settings(evaluation, experiment.testing))
            if isinstance(tested, Evaluation):
                evaluations[name] = tested
            else:
                what = f"{run.label}, {name}"
                missing.append(Missing(what, tested.status, settings.corpus, tested.reason))
        if evaluations.keys() >= {*main_evaluations(settings.document_size)}:
            rows[settings.corpus, run.model].append(FinishedRun(run, end, evaluations))
    candidates = []
    for run in experiment.search_runs():
        end = _read_end(directory, run, corpora)
        candidates.append((run, end))
        if isinstance(end, RunDivergence):
            corpus = run.settings.corpus
            missing.append(Missing(run.label, end.status, corpus, end.reason, shown=False))
    rivals = []
    for name, (corpus, _, rival) in rivals_of_corpora(experiment).items():
        tested = records.read(Evaluation, directory.evaluation(name, NONE))
        rivals.append(System(corpus, [tested], tested.parameters, rival=rival))
    return Results(
        experiment=experiment,
        directory=directory,
        rows=[
            FinishedRow(tuple(runs)) for runs in rows.values() if len(runs) == len(experiment.seeds)
        ],
        candidates=candidates,
        missing=missing,
        rivals=rivals,
        corpora=corpora,
        timings=records.read(Timings, directory.timings).timings,
    )


def _read_end(directory: ExperimentDirectory, run: Run, corpora: Mapping[str, Statistics]) -> End:
    """Read how a run has ended; raises UserError if it has not, or was trained on another text."""
    files = directory.run(run.name)
    record = records.read(RunRecord, files.record)
    end = records.read(RunResult, files.result, RunDivergence)
    if record.corpus_digest != corpora[run.settings.corpus].digest:
        now = directory.corpus(run.corpus_folder).path
        raise UserError(f"{files.record}: trained on another text than {now} holds now")
    return end
