"""Collect an experiment's evidence: its tables, figures and claims, and the scores behind them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from online_rnnlm.analysis.comparison import pieces_of_test
from online_rnnlm.analysis.evidence.check import check_evidence
from online_rnnlm.analysis.evidence.folder import COLUMNS, EvidenceFolder
from online_rnnlm.analysis.pieces import Pieces
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.config.evaluations import NONE
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import folder_of
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.scores import sentence_scores
from online_rnnlm.storage.shown import figure_files, table_files

_TABLES, _FIGURES = (".csv", ".md"), (".svg",)
"""The formats that are kept."""
NO_SEED = ""
"""The seed of a rival of a corpus, which has none."""


def write_evidence(experiment: Experiment, directory: ExperimentDirectory, folder: Path) -> None:
    """Write the evidence of a finished experiment into a folder: new, empty, or of evidence.

    The folder changes only when all of it has been made and computed again. Raises UserError for
    results that are missing or do not follow from their scores, and for a folder with other files.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file")
    if folder.is_dir() and any(folder.iterdir()):
        EvidenceFolder(folder).refuse_changes()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        made = EvidenceFolder(Path(temporary) / "made")
        made.path.mkdir()
        _write(experiment, directory, made)
        check_evidence(made.path)
        if folder.is_dir():
            folder.rename(Path(temporary) / "before")
        made.path.rename(folder)


def _write(
    experiment: Experiment, directory: ExperimentDirectory, evidence: EvidenceFolder
) -> None:
    results = collect(experiment, directory)
    kept = _copied(experiment, directory, evidence)
    with replacing(evidence.scores) as temporary:
        _scores(results).to_parquet(temporary, index=False, compression="zstd")
    evidence.write_sums([*kept, evidence.scores])


def _copied(
    experiment: Experiment, directory: ExperimentDirectory, evidence: EvidenceFolder
) -> list[Path]:
    """Copy the configuration, claims, tables and figures; return the copies."""
    tables = [path for path in table_files(experiment, directory) if path.suffix in _TABLES]
    figures = [path for path in figure_files(experiment, directory) if path.suffix in _FIGURES]
    copies = []
    for path in (directory.configuration, directory.claims, *tables, *figures):
        copy = evidence.path / path.relative_to(directory.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, copy)
        except FileNotFoundError:
            raise UserError(f"{path}: missing: run the experiment first") from None
        copies.append(copy)
    return copies


def _scores(results: Results) -> pd.DataFrame:
    """Put together the scores of all evaluations of all rows, and of the rivals of corpora."""
    # Most tests compare models that forget at a sentence's end: theirs are the pieces kept.
    pieces = {corpus: pieces_of_test(results, corpus, "sentence") for corpus in results.corpora}
    frames = [*_of_rows(results, pieces), *_of_rivals(results, pieces)]
    return pd.concat(frames, ignore_index=True).astype(COLUMNS)


def _of_rows(results: Results, pieces: Mapping[str, Pieces]) -> Iterator[pd.DataFrame]:
    for row in results.rows:
        for run in row.runs:
            for evaluation in row.evaluations:
                scores = sentence_scores(results.directory, run.name, evaluation)
                yield _summed(scores, pieces[row.corpus]).assign(
                    corpus=row.corpus, model=row.label, seed=str(run.seed), evaluation=evaluation
                )


def _of_rivals(results: Results, pieces: Mapping[str, Pieces]) -> Iterator[pd.DataFrame]:
    for corpus, rival, _ in results.rivals:
        scores = sentence_scores(results.directory, folder_of(corpus, rival), NONE)
        yield _summed(scores, pieces[corpus]).assign(
            corpus=corpus, model=rival.title, seed=NO_SEED, evaluation=NONE
        )


def _summed(scores: pd.DataFrame, pieces: Pieces) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "piece": np.arange(pieces.count),
            "tokens": pieces.sums(scores["tokens"].to_numpy()),
            "log_probability": pieces.sums(scores["log_probability"].to_numpy()),
        }
    )
