"""Changes to an invented experiment's files that keep the checksums valid."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Costs, Evaluation, Timing, Timings
from online_rnnlm.storage.files import sha256_of, write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult
from tests.unit.small_records import VITAL, run_divergence

IN_ORDER = {"invented": VITAL | {"divide_by": "article"}}
TWO_CORPORA = {"first": VITAL, "second": {"source": {"kind": "wikipedia-excerpt"}}}


def again(results: Results) -> Results:
    """Read an experiment's results again."""
    return collect(results.directory)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def change_evaluation(
    directory: ExperimentDirectory, run: str, evaluation: str, **values: Any
) -> None:
    """Change values of an evaluation's record; costs are given by their own names."""
    path = directory.evaluation(run, evaluation)
    found = read_json(path)
    costs = {key: values.pop(key) for key in Costs.model_fields if key in values}
    write_json(path, found | {"costs": found["costs"] | costs} | values)


def update_checksums(directory: ExperimentDirectory, run: str, evaluation: str) -> None:
    """Let an evaluation's record list its files as they are now."""
    splits = read_json(directory.evaluation(run, evaluation))["splits"]
    files = [directory.token_scores(run, evaluation, split) for split in splits]
    if evaluation == DOCUMENT_VECTOR:
        files += [directory.document_vectors(run, split) for split in splits]
    digests = {file.name: sha256_of(file) for file in files if file.is_file()}
    change_evaluation(directory, run, evaluation, files=digests)


def change_split(
    directory: ExperimentDirectory, run: str, evaluation: str, split: str, **metrics: float
) -> None:
    """Change the metrics of one split of an evaluation."""
    splits = read_json(directory.evaluation(run, evaluation))["splits"]
    change_evaluation(directory, run, evaluation, splits=splits | {split: splits[split] | metrics})


def score(results: Results, run: str, evaluation: str, **perplexities: float) -> Results:
    """Set an evaluation's perplexity on some splits; on `test`, scale its scores to match.

    Return the results, read again.
    """
    for split, perplexity in perplexities.items():
        change_split(results.directory, run, evaluation, split, perplexity=perplexity)
    if "test" in perplexities:
        path = results.directory.token_scores(run, evaluation)
        scores = np.load(path)
        entropy = -scores.mean(dtype=np.float64)
        np.save(path, (scores * (math.log(perplexities["test"]) / entropy)).astype(np.float32))
        update_checksums(results.directory, run, evaluation)
    return again(results)


def timed(
    results: Results, network: str, evaluation: str, seconds_per_word: Sequence[float]
) -> Results:
    """Set the times of a network in an evaluation; return the results, read again."""
    path = results.directory.timings
    timings = records.read(Timings, path)
    kept = [
        one for one in timings.timings if (one.network, one.evaluation) != (network, evaluation)
    ]
    timing = Timing(
        corpus=results.first_corpus,
        network=network,
        evaluation=evaluation,
        tokens=50_000,
        seconds_per_word=tuple(seconds_per_word),
    )
    records.write(path, timings.model_copy(update={"timings": (*kept, timing)}))
    return again(results)


def diverge(directory: ExperimentDirectory, run: str, reason: str) -> None:
    """Turn a finished run into one that diverged before its first epoch had ended."""
    path = directory.run(run).result
    kept = records.read(RunResult, path).model_dump(include={"identity", "files"})
    records.write(path, run_divergence(**kept, reason=reason))


def diverge_evaluation(
    directory: ExperimentDirectory, run: str, evaluation: str, reason: str
) -> None:
    """Turn a finished evaluation into one that failed."""
    path = directory.evaluation(run, evaluation)
    found = records.read(Evaluation, path)
    about = {"run", "identity", "evaluation", "adaptation", "tested_with", "curve", "files"}
    records.write(path, Evaluation(**found.model_dump(include=about), reason=reason))
