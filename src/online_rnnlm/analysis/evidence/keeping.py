"""Keep what a reader needs to check an experiment's tables and claims."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.evidence.checking import EvidenceFolder, check_evidence, kept_results
from online_rnnlm.analysis.figures.writing import write_figure
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.scores import SentenceScores
from online_rnnlm.analysis.tables.making import make_table
from online_rnnlm.analysis.tables.writing import write_table
from online_rnnlm.config.catalogue import FIGURES, TABLES, those_of
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.rivals import rivals_of_corpora
from online_rnnlm.core.way import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory

COLUMNS = {
    "evaluation": "category",
    "text": "category",
    "piece": "int32",
    "tokens": "int32",
    "log_probability": "float64",
}
"""The columns of a run's `scores.parquet` and their types."""


def keep_finished(experiment: Plan, directory: ExperimentDirectory, folder: Path) -> int:
    """Keep the runs of an experiment that have finished so far; return how many are kept in all.

    A run is kept once it has ended and, unless it is one of the search, all its evaluations have.
    Runs that the folder already keeps stay, even if their machine is lost. To go on elsewhere, copy
    its `runs` and `evaluations` into the results: searches that have ended are not repeated.
    """
    evidence = EvidenceFolder(folder)
    _copy(directory, evidence, [directory.configuration])
    scores = SentenceScores(experiment, directory)
    for corpus in experiment.corpora:
        statistics = scores.files_of(corpus).statistics
        _copy(directory, evidence, [statistics] if statistics.is_file() else [])
    kept = 0
    for run in experiment.trainings():
        tested = {} if run.searched else evaluations_of(run.settings, experiment.testing)
        awaited = [directory.run(run.name).result]
        awaited += [directory.evaluation(run.name, name) for name in tested]
        last = evidence.scores_of(run.name) if tested else evidence.run(run.name).result
        is_kept = last.is_file()
        if not is_kept and all(record.is_file() for record in awaited):
            _keep_run(scores, evidence, run.name, run.settings.corpus, [*tested])
            is_kept = True
        kept += is_kept
    for name, trained in rivals_of_corpora(experiment).items():
        is_kept = evidence.scores_of(name).is_file()
        if not is_kept and directory.evaluation(name, NONE).is_file():
            _keep_run(scores, evidence, name, trained.corpus, [NONE])
    return kept


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
            write_table(entry.name, make_table(entry, results), evidence, ("csv", "md"))
    for figure in those_of(FIGURES, results.experiment):
        if not figure.of_text:
            write_figure(figure, results, evidence, ("svg",))
    files = (file for file in folder.rglob("*") if file.is_file() and file != evidence.sums)
    evidence.write_sums(files)


def write_evidence(directory: ExperimentDirectory, folder: Path) -> None:
    """Write the evidence of a finished experiment into a folder: new, empty, or of evidence.

    The folder changes only when all of it has been made and computed again. Raises UserError for
    results that are missing or do not follow from their scores, and for a folder with other files.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        EvidenceFolder(folder).refuse_changes()
    experiment = collect(directory).experiment  # raises UserError if a result is missing
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        made = EvidenceFolder(Path(temporary) / "made")
        keep_finished(experiment, directory, made.path)
        tables = [
            directory.table(table.name, kind)
            for table in those_of(TABLES, experiment)
            for kind in ("csv", "md")
        ]
        figures = [directory.figure(figure.name, "svg") for figure in those_of(FIGURES, experiment)]
        _copy(directory, made, [directory.claims, directory.timings, *tables, *figures])
        made.write_sums(file for file in made.path.rglob("*") if file.is_file())
        check_evidence(made.path)
        before = Path(temporary) / "before"
        try:
            if folder.is_dir():
                folder.rename(before)
            made.path.rename(folder)
        finally:
            if before.is_dir() and not folder.is_dir():  # interrupted between the two
                before.rename(folder)


def _copy(directory: ExperimentDirectory, evidence: EvidenceFolder, files: Iterable[Path]) -> None:
    """Copy files of results to their places in the evidence; raises UserError if one is missing."""
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: missing: run the experiment first")
        copy = evidence.path / file.relative_to(directory.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _keep_run(
    scores: SentenceScores, evidence: EvidenceFolder, run: str, corpus: str, tested: Sequence[str]
) -> None:
    """Copy the records of a run, or of a corpus's rival, and write the scores of its tests."""
    directory = scores.directory
    files = directory.run(run)
    # A rival has no training, and a run that diverged before its first epoch no metrics.
    of_run = [file for file in (files.record, files.metrics, files.result) if file.is_file()]
    _copy(directory, evidence, [*of_run, *(directory.evaluation(run, name) for name in tested)])
    tables = []
    for text in (*scores.experiment.testing.other_texts, "test") if tested else ():
        # Scores are kept by the smallest pieces that a test draws; larger ones are sums of these.
        pieces = scores.pieces(corpus, "sentence", text)
        for name in tested:
            of_text = scores.of_units(run, name, text)
            if not of_text.empty:  # else it diverged on that text of another kind
                values = {
                    "evaluation": name,
                    "text": text,
                    "piece": np.arange(pieces.count),
                    "tokens": pieces.sums(of_text["tokens"].to_numpy()),
                    "log_probability": pieces.sums(of_text["log_probability"].to_numpy()),
                }
                tables.append(pd.DataFrame(values).astype(COLUMNS))
    if tables:
        table = pd.concat(tables, ignore_index=True)
        table.to_parquet(evidence.scores_of(run), index=False, compression="zstd")
