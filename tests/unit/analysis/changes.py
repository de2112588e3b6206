"""Changes to an invented experiment's files that keep the checksums valid."""

from typing import Any, Literal

import pandas as pd

from online_rnnlm.model import weight_files
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.storage import records
from online_rnnlm.storage.files import read_json, sha256_of, write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import (
    Costs,
    Evaluation,
    FailedEvaluation,
    RunDivergence,
    RunResult,
)


def change_evaluation(
    directory: ExperimentDirectory, run: str, evaluation: str, **values: Any
) -> None:
    """Change values of an evaluation's record; costs are given by their own names."""
    path = directory.evaluation(run, evaluation)
    found = read_json(path)
    costs = {key: values.pop(key) for key in Costs.model_fields if key in values}
    write_json(path, found | {"costs": found["costs"] | costs} | values)


def change_split(
    directory: ExperimentDirectory, run: str, evaluation: str, split: str, **metrics: float
) -> None:
    """Change the metrics of one split of an evaluation."""
    splits = read_json(directory.evaluation(run, evaluation))["splits"]
    change_evaluation(directory, run, evaluation, splits=splits | {split: splits[split] | metrics})


def write_scores(
    directory: ExperimentDirectory, run: str, evaluation: str, scores: pd.DataFrame
) -> None:
    """Replace the per-sentence scores of an evaluation."""
    scores.to_parquet(directory.sentence_scores(run, evaluation))
    seal(directory, run, evaluation)


def seal(directory: ExperimentDirectory, run: str, evaluation: str) -> None:
    """Record the present checksums of an evaluation's files."""
    files = (directory.sentence_scores(run, evaluation), directory.token_scores(run, evaluation))
    digests = {file.name: sha256_of(file) for file in files}
    change_evaluation(directory, run, evaluation, files=digests)


def diverge(directory: ExperimentDirectory, run: str, reason: str) -> None:
    """Turn a finished run into one that diverged before its first epoch had ended."""
    files = directory.run(run)
    result = records.read(RunResult, files.result)
    divergence = RunDivergence(
        identity=result.identity, files=result.files, ended=result.ended, epochs=0, reason=reason
    )
    records.write(files.result, divergence)


def diverge_evaluation(
    directory: ExperimentDirectory,
    run: str,
    evaluation: str,
    reason: str,
    status: Literal["diverged", "impossible"] = "diverged",
) -> None:
    """Turn a finished evaluation into one that failed."""
    path = directory.evaluation(run, evaluation)
    found = records.read(Evaluation, path)
    divergence = FailedEvaluation(
        run=run,
        identity=found.identity,
        evaluation=evaluation,
        files={},
        status=status,
        reason=reason,
    )
    records.write(path, divergence)


def write_weights(directory: ExperimentDirectory, run: str, weights: Parameters) -> None:
    """Replace the weights of a finished run."""
    files = directory.run(run)
    weight_files.save(weights, files.model)
    result = records.read(RunResult, files.result)
    digests = result.files | {files.model.name: sha256_of(files.model)}
    records.write(files.result, result.model_copy(update={"files": digests}))
