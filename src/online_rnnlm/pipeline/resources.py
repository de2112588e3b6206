"""What jobs ask a scheduler for: memory (MB) and time (minutes), by the sizes of corpus and model.

Requests are generous: a job that asks for too little is killed, one that asks for too much waits a
little longer. A retry asks for more. What a site knows better, `--set-resources` says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import further_evaluations
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import PlannedRun, Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.model.sizes import Sizes, sizes_of_run
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.training.choice import resolve

START_MINUTES = 10
"""For the start of a job, the compilation of what is not compiled yet, a slow file system."""
PROCESSES_MB = 900
"""What the process needs that has imported everything, and the two Snakemakes that run it."""
COPIES_OF_WEIGHTS = 8
"""Weights and sums of squares: those that learn, the best so far, those being written."""
RESERVE = 1.25
LARGEST_GROWTH = 2.0
_MB = 1e6


class Model(NamedTuple):
    """What a run's requests depend on."""

    settings: RunSettings
    sizes: Sizes
    weights: int
    """Number of trained values."""
    hidden_inputs: int
    """Inputs of the hidden layer, those of its gates too."""
    tokens: dict[str, int]
    """Tokens of every split."""
    class_size: float
    """Words of the class of a training token, on average."""
    longest: int
    """Tokens of the longest sentence, about."""
    training_cost: float
    """Multiply-adds of training a word."""
    update_cost: float
    """Multiply-adds of an update of all weights after a word of testing."""


def resolved(results: ExperimentDirectory, planned: PlannedRun) -> Run:
    """A run with the settings that it trains with: what is searched may need more memory or time.

    Raises FileNotFoundError if a candidate is not finished: Snakemake asks again when it is.
    """
    for name in planned.candidates:
        for file in (results.run(name).record, results.run(name).result):
            file.stat()
    return resolve(planned, results)


def model_of(experiment: Experiment, results: ExperimentDirectory, run: Run | PlannedRun) -> Model:
    """A run's model on its prepared corpus; raises FileNotFoundError if that is not there yet.

    To test a run, what is searched changes no request: its planned settings are enough.
    """
    # These need numpy, which `snakemake --lint` can do without.
    from online_rnnlm.corpora.corpus import read_statistics  # noqa: PLC0415
    from online_rnnlm.model import cost, parameters  # noqa: PLC0415

    corpus = experiment.corpora[run.settings.corpus]
    directory = results.corpus(run.settings.corpus)
    directory.statistics.stat()
    statistics = read_statistics(directory)
    sizes = sizes_of_run(run.settings, statistics.vocabulary_size, statistics.classes)
    class_size = statistics.splits["train"].mean_class_size
    return Model(
        settings=run.settings,
        sizes=sizes,
        weights=parameters.count(sizes),
        hidden_inputs=parameters.shapes(sizes).embeddings[1],
        tokens={name: split.tokens for name, split in statistics.splits.items()},
        class_size=class_size,
        longest=corpus.max_tokens + 1,
        training_cost=cost.training_multiply_adds_per_word(sizes, class_size),
        update_cost=cost.update_multiply_adds_per_word(
            sizes, class_size, parameters.GROUPS, experiment.testing.steps
        ),
    )


def grown(request: float, attempt: int) -> int:
    """The request of an attempt, from 1: half as much again with each, up to twice."""
    return math.ceil(request * min(LARGEST_GROWTH, 1 + (attempt - 1) / 2))


def by_size(base: float, a_megabyte: float, size_mb: float, attempt: int) -> int:
    """What a job asks for that goes through a file once."""
    return grown(base + a_megabyte * size_mb, attempt)


def training_mb(model: Model, attempt: int) -> int:
    """Memory to train a run."""
    weights = COPIES_OF_WEIGHTS * model.weights * _bytes(model)
    batch = _batch_bytes(model, model.settings.batch_sentences)
    return grown(PROCESSES_MB + RESERVE * (weights + batch + _corpus_bytes(model)) / _MB, attempt)


def training_minutes(model: Model, attempt: int) -> int:
    """Time to train a run for as many epochs as it may have."""
    work = model.settings.max_epochs * model.tokens["train"] * model.training_cost
    return grown(START_MINUTES + work / _speed(model), attempt)


def testing_mb(model: Model, attempt: int) -> int:
    """Memory to test a run, a neural cache's states included."""
    held_out = model.tokens["valid"] + model.tokens["test"]
    states = held_out * model.sizes.hidden * _bytes(model)
    scores = sum(model.tokens.values()) * 48
    weights = 4 * model.weights * _bytes(model)
    batch = _batch_bytes(model, 64)
    needed = weights + batch + states + scores + _corpus_bytes(model)
    return grown(PROCESSES_MB + RESERVE * needed / _MB, attempt)


def testing_minutes(model: Model, attempt: int) -> int:
    """Time to score all splits once."""
    work = sum(model.tokens.values()) * model.training_cost
    return grown(START_MINUTES + work / _speed(model), attempt)


def further_minutes(model: Model, testing: TestingSettings, attempt: int) -> int:
    """Time for all that `testing` adds: every rate on `valid`, the best on `test`."""
    word = model.training_cost + model.update_cost
    rates = max(len(testing.learning_rates), len(testing.document_rates))
    words = rates * model.tokens["valid"] + model.tokens["test"]
    evaluations = len(further_evaluations(model.settings.document_size, testing))
    return grown(START_MINUTES + evaluations * words * word / _speed(model), attempt)


def gpus(settings: RunSettings) -> int:
    """GPUs that a run's jobs need."""
    return int(settings.device == "gpu")


def _speed(model: Model) -> float:
    """Multiply-adds a minute."""
    settings = model.settings
    return 60 * ENGINES[settings.engine].devices[settings.device].multiply_adds_a_second


def _bytes(model: Model) -> int:
    return 8 if model.settings.precision == "float64" else 4


def _batch_bytes(model: Model, sentences: int) -> float:
    """What a batch's states, scores and deltas take; the plain graph keeps more of them."""
    sizes = model.sizes
    token: float = 6 * model.hidden_inputs + 2 * (sizes.classes + model.class_size + sizes.document)
    if ENGINES[model.settings.engine].copies_class_outputs:
        token += 8 * model.class_size * sizes.hidden
    return sentences * model.longest * token * _bytes(model)


def _corpus_bytes(model: Model) -> float:
    """Arrays of ids, and the words themselves."""
    return 6.0 * sum(model.tokens.values()) + 200.0 * model.sizes.vocabulary
