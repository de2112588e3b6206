"""Keep what a reader needs to check an experiment's tables and claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.evidence.checking import check_evidence
from online_rnnlm.analysis.evidence.folder import EvidenceFolder, TestedText
from online_rnnlm.analysis.evidence.reading import kept_results
from online_rnnlm.analysis.figures.writing import write_figure
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.scores import SentenceScores
from online_rnnlm.analysis.tables.making import make_table
from online_rnnlm.analysis.tables.writing import write_table
from online_rnnlm.config.catalogue import FIGURES, TABLES, those_of
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.config.experiment import Plan, load_plan
from online_rnnlm.core.way import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory

_TABLE_KINDS = ("csv", "md")
_FIGURE_KINDS = ("svg",)


@dataclass(frozen=True)
class _Tested:
    """A run, or a corpus's rival, of which the records and the scores are kept."""

    name: str
    corpus: str
    evaluations: Sequence[str]
    """Names of its evaluations; a run of the search has none."""
    is_trained: bool
    """True for a run: a rival has no training's result."""

    def has_ended_in(self, folder: ExperimentDirectory) -> bool:
        """True if a folder has the records that its training and its evaluations end with."""
        ends = [folder.evaluation(self.name, evaluation) for evaluation in self.evaluations]
        if self.is_trained:
            ends.append(folder.run(self.name).result)
        return all(end.is_file() for end in ends)


def keep_finished(experiment: Plan, directory: ExperimentDirectory, folder: Path) -> int:
    """Keep the runs of an experiment that have finished so far; return how many are kept in all.

    A run is kept once it has ended and, unless it is one of the search, all its evaluations have.
    Runs that the folder already keeps stay, even if their machine is lost. To go on elsewhere, copy
    its `runs` and `evaluations` into the results: searches that have ended are not repeated. Raises
    UserError for a folder with other files, or with another experiment's evidence.
    """
    evidence = EvidenceFolder(folder)
    if evidence.has_something():
        there = load_plan(evidence.configuration).experiment
        if there != experiment.experiment:
            raise UserError(f"{folder}: is evidence of {there}, not of {experiment.experiment}")
    evidence.copy_from(directory, [directory.configuration])
    scores = SentenceScores(experiment, directory)
    for corpus in experiment.corpora:
        statistics = scores.files_of(corpus).statistics
        if statistics.is_file():
            evidence.copy_from(directory, [statistics])
    kept = 0
    for tested in _planned(experiment):
        if tested.has_ended_in(directory) and not tested.has_ended_in(evidence):
            _keep(tested, scores, evidence)
        kept += tested.is_trained and tested.has_ended_in(evidence)
    return kept


def _planned(experiment: Plan) -> list[_Tested]:
    """Return all runs of an experiment, and the rivals of its corpora."""
    runs = [
        _Tested(
            run.name,
            run.settings.corpus,
            () if run.searched else [*evaluations_of(run.settings, experiment.testing)],
            is_trained=True,
        )
        for run in experiment.trainings()
    ]
    rivals = [
        _Tested(name, rival.corpus, [NONE], is_trained=False)
        for name, rival in experiment.corpus_rivals.items()
    ]
    return runs + rivals


def _keep(tested: _Tested, scores: SentenceScores, evidence: EvidenceFolder) -> None:
    """Write the scores of the tested texts, then copy the records: what has records is complete."""
    texts = {}
    for text in (*scores.experiment.testing.other_texts, "test") if tested.evaluations else ():
        # Scores are kept by the smallest pieces that a test draws; larger ones are sums of these.
        pieces = scores.pieces(tested.corpus, "sentence", text)
        for evaluation in tested.evaluations:
            sentences = scores.of_units(tested.name, evaluation, text)
            if not sentences.empty:  # else what learns has diverged on the text
                columns = ("tokens", "log_probability")
                sums = {column: pieces.sums(sentences[column].to_numpy()) for column in columns}
                texts[TestedText(tested.name, evaluation, text)] = pd.DataFrame(sums)
    if texts:
        evidence.write_scores(tested.name, texts)
    directory = scores.directory
    run = directory.run(tested.name)
    # A rival has no training, and a run that diverged before its first epoch no metrics.
    of_run = [file for file in (run.record, run.metrics, run.result) if file.is_file()]
    of_tests = [directory.evaluation(tested.name, name) for name in tested.evaluations]
    evidence.copy_from(directory, [*of_run, *of_tests])


def finish_evidence(folder: Path) -> None:
    """Make claims, tables and figures, but those of the text, from the runs that a folder keeps.

    It is for an experiment whose runs were kept as they finished, on several machines: nobody has
    all weights and texts. `timings.json` of a machine that timed all networks must be there. Raises
    UserError for runs that are not kept yet.
    """
    evidence = EvidenceFolder(folder)
    results = kept_results(evidence)
    records.write(evidence.claims, judge(results))
    for entry in those_of(TABLES, results.experiment):
        if not entry.of_text:
            write_table(entry.name, make_table(entry, results), evidence, _TABLE_KINDS)
    for figure in those_of(FIGURES, results.experiment):
        if not figure.of_text:
            write_figure(figure, results, evidence, _FIGURE_KINDS)
    evidence.write_sums()


def write_evidence(directory: ExperimentDirectory, folder: Path) -> None:
    """Write the evidence of a finished experiment into a folder: new, empty, or of evidence.

    The folder changes only when all of it has been made and computed again. Raises UserError for
    results that are missing or do not follow from their scores, and for a folder with other files.
    """
    evidence = EvidenceFolder(folder)
    if evidence.has_something():
        evidence.refuse_changes()
    experiment = collect(directory).experiment  # raises UserError if a result is missing
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        made = EvidenceFolder(Path(temporary) / "made")
        keep_finished(experiment, directory, made.path)
        tables = [
            directory.table(table.name, kind)
            for table in those_of(TABLES, experiment)
            for kind in _TABLE_KINDS
        ]
        figures = [
            directory.figure(figure.name, kind)
            for figure in those_of(FIGURES, experiment)
            for kind in _FIGURE_KINDS
        ]
        made.copy_from(directory, [directory.claims, directory.timings, *tables, *figures])
        made.write_sums()
        check_evidence(made.path)
        _put_in_place(made.path, folder, before=Path(temporary) / "before")


def _put_in_place(made: Path, folder: Path, before: Path) -> None:
    """Move what was made into a folder's place, and what is there to `before`; if this is
    interrupted, put that back."""
    try:
        if folder.is_dir():
            folder.rename(before)
        made.rename(folder)
    finally:
        if before.is_dir() and not folder.is_dir():
            before.rename(folder)
