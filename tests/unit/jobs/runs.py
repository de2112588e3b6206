"""Small runs, their files and their comparison, which the tests of training share."""

from pathlib import Path
from typing import Any

import numpy as np

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.jobs.train import train
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult
from tests import outcome


def run_of(**changes: Any) -> Run:
    # All settings that affect learning, so that new defaults do not change these tests.
    values = {
        "hidden_size": 12,
        "document_size": 4,
        "document_rate": 0.1,
        "optimizer": "adagrad",
        "learning_rate": 0.2,
        "accumulator_start": 0.1,
        "batch_sentences": 16,
        "max_epochs": 4,
        "rate_rule": "toolkit",
    }
    return Run(RunSettings.model_validate({"corpus": "topics", **values, **changes}), "topics")


def trained(run: Run, corpus: CorpusDirectory, path: Path) -> RunDirectory:
    directory = RunDirectory(path)
    train(run, corpus, directory)
    return directory


def result_of(directory: RunDirectory) -> RunResult:
    return records.read(RunResult, directory.result)


def record_of(directory: RunDirectory) -> RunRecord:
    return records.read(RunRecord, directory.record)


def same_weights(one: RunDirectory, other: RunDirectory) -> bool:
    pairs = zip(weight_files.read(one.model), weight_files.read(other.model), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def assert_same_run(one: RunDirectory, other: RunDirectory) -> None:
    """Assert that two runs have bit-equal weights and metrics; times may differ."""
    assert same_weights(one, other)
    assert outcome.epochs(one.path) == outcome.epochs(other.path)
    assert outcome.without_times(result_of(one)) == outcome.without_times(result_of(other))
    assert outcome.without_times(record_of(one)) == outcome.without_times(record_of(other))
