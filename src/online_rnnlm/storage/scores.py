"""Readers of the log-probabilities of sentences and tokens that evaluations have written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import DivergedEvaluation, Evaluation


def read_evaluation(
    directory: ExperimentDirectory, name: str, evaluation: str
) -> Evaluation | DivergedEvaluation | None:
    """Read the record of a run's or a rival's evaluation; None if it has not been made.

    Raises UserError if the record is damaged.
    """
    path = directory.evaluation(name, evaluation)
    return records.read_if_there(Evaluation, path, DivergedEvaluation)


def sentence_scores(
    directory: ExperimentDirectory, name: str, evaluation: str, split: str = "test"
) -> pd.DataFrame:
    """Read the per-sentence scores of a split: `tokens` and `log_probability`, by `sentence`."""
    path = directory.sentence_scores(name, evaluation)
    check_evaluated(directory, name, evaluation, path)
    columns = ["split", "sentence", "tokens", "log_probability"]
    scores = pd.read_parquet(path, columns=columns)
    return scores[scores["split"] == split].set_index("sentence").sort_index()


def token_scores(
    directory: ExperimentDirectory, name: str, evaluation: str, split: str = "test"
) -> npt.NDArray[np.float32]:
    """Read natural log P of every token of a split in order: float32 (tokens,)."""
    path = directory.token_scores(name, evaluation, split)
    check_evaluated(directory, name, evaluation, path)
    scores: npt.NDArray[np.float32] = np.load(path)
    return scores


def check_evaluated(directory: ExperimentDirectory, name: str, evaluation: str, path: Path) -> None:
    """Raise UserError if a file of an evaluation is missing or has changed since it was written."""
    if not path.is_file():
        raise UserError(f"{path}: missing; evaluate the run `{name}` first")
    record = directory.evaluation(name, evaluation)
    check(path, records.read(Evaluation, record).files, record)
