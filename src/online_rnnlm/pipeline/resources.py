"""Requests to a scheduler: memory (MB) and time (minutes), by the sizes of corpus and model.

Requests are generous, because a job that asks for too little is killed, while one that asks for too
much only waits a little longer. A retry asks for more. `--set-resources` overrides a request.
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
"""Minutes for the start of a job: compilation, if it is needed, and a slow file system."""
PROCESSES_MB = 900
"""Memory of a process after all imports, and of the two Snakemake processes that run it (MB)."""
COPIES_OF_WEIGHTS = 8
"""Copies of the weights and of their accumulators: current, best so far, being written."""
RESERVE = 1.25
LARGEST_GROWTH = 2.0
_MB = 1e6


class Workload(NamedTuple):
    """The properties of a run that its requests depend on."""

    settings: RunSettings
    sizes: Sizes
    weights: int
    """Number of trained parameters."""
    hidden_inputs: int
    """Number of inputs of the hidden layer, including those of its gates."""
    tokens: dict[str, int]
    """Number of tokens of each split."""
    class_size: float
    """Mean number of words in the class of a training token."""
    longest: int
    """Approximate number of tokens of the longest sentence."""
    training_cost: float
    """Multiply-adds to train on one word."""
    update_cost: float
    """Multiply-adds to update all weights after one word of testing."""


def resolved(results: ExperimentDirectory, planned: PlannedRun) -> Run:
    """Return a run with the settings it trains with; a search may choose more costly ones.

    Raises FileNotFoundError if a candidate is not finished; Snakemake asks again later.
    """
    for name in planned.candidates:
        for file in (results.run(name).record, results.run(name).result):
            file.stat()
    return resolve(planned, results)


def workload_of(
    experiment: Experiment, results: ExperimentDirectory, run: Run | PlannedRun
) -> Workload:
    """Return what a run has to compute on its prepared corpus.

    Raises FileNotFoundError if the corpus is not prepared yet. The planned settings of a run are
    enough for its tests, because the searched ones change none of their requests.
    """
    # These need numpy, which `snakemake --lint` does not need.
    from online_rnnlm.corpora.corpus import read_statistics  # noqa: PLC0415
    from online_rnnlm.model import cost, parameters  # noqa: PLC0415

    corpus = experiment.corpora[run.settings.corpus]
    directory = results.corpus(run.settings.corpus)
    directory.statistics.stat()
    statistics = read_statistics(directory)
    sizes = sizes_of_run(run.settings, statistics.vocabulary_size, statistics.classes)
    class_size = statistics.splits["train"].mean_class_size
    return Workload(
        settings=run.settings,
        sizes=sizes,
        weights=parameters.count(sizes),
        hidden_inputs=parameters.shapes(sizes).embeddings[1],
        tokens={name: split.tokens for name, split in statistics.splits.items()},
        class_size=class_size,
        longest=corpus.max_tokens + 1,
        training_cost=cost.training_multiply_adds_per_word(
            sizes, class_size, goes_through=run.settings.goes_through_updates
        ),
        update_cost=cost.update_multiply_adds_per_word(
            sizes, class_size, parameters.GROUPS, experiment.testing.steps
        ),
    )


def grown(request: float, attempt: int) -> int:
    """Return the request of an attempt (from 1): 1, 1.5, then 2 times the first request."""
    return math.ceil(request * min(LARGEST_GROWTH, 1 + (attempt - 1) / 2))


def by_size(base: float, a_megabyte: float, size_mb: float, attempt: int) -> int:
    """Return the request of a job that reads a file once."""
    return grown(base + a_megabyte * size_mb, attempt)


def training_mb(load: Workload, attempt: int) -> int:
    """Return the memory to train a run, in MB."""
    weights = COPIES_OF_WEIGHTS * load.weights * _bytes(load)
    batch = _batch_bytes(load, load.settings.batch_sentences)
    return grown(PROCESSES_MB + RESERVE * (weights + batch + _corpus_bytes(load)) / _MB, attempt)


def training_minutes(load: Workload, attempt: int) -> int:
    """Return the minutes to train a run for `max_epochs` epochs."""
    work = load.settings.max_epochs * load.tokens["train"] * load.training_cost
    return grown(START_MINUTES + work / _speed(load), attempt)


def testing_mb(load: Workload, attempt: int) -> int:
    """Return the memory to test a run, including the states of a neural cache, in MB."""
    held_out = load.tokens["valid"] + load.tokens["test"]
    states = held_out * load.sizes.output * _bytes(load)
    scores = sum(load.tokens.values()) * 48
    weights = 4 * load.weights * _bytes(load)
    engine = ENGINES[load.settings.engine]
    batch = _batch_bytes(load, engine.scoring_sentences(load.settings.batch_sentences))
    needed = weights + batch + states + scores + _corpus_bytes(load)
    return grown(PROCESSES_MB + RESERVE * needed / _MB, attempt)


def testing_minutes(load: Workload, attempt: int) -> int:
    """Return the minutes to score all splits once."""
    work = sum(load.tokens.values()) * load.training_cost
    return grown(START_MINUTES + work / _speed(load), attempt)


def further_minutes(load: Workload, testing: TestingSettings, attempt: int) -> int:
    """Return the minutes for the evaluations that `testing` adds.

    Every rate is tried on `valid`, and the best one is used on `test`.
    """
    word = load.training_cost + load.update_cost
    rates = max(len(testing.learning_rates), len(testing.document_rates))
    words = rates * load.tokens["valid"] + load.tokens["test"]
    evaluations = len(further_evaluations(load.settings.document_size, testing))
    return grown(START_MINUTES + evaluations * words * word / _speed(load), attempt)


def gpus(settings: RunSettings) -> int:
    """Return the number of GPUs that a run's jobs need."""
    return int(settings.device == "gpu")


def threads(experiment: Experiment, settings: RunSettings) -> int:
    """Return the number of threads that train a run."""
    return experiment.threads if ENGINES[settings.engine].shares_work else 1


def _speed(load: Workload) -> float:
    """Return the multiply-adds per minute of a run's engine."""
    settings = load.settings
    return 60 * ENGINES[settings.engine].devices[settings.device].multiply_adds_a_second


def _bytes(load: Workload) -> int:
    return 8 if load.settings.precision == "float64" else 4


def _batch_bytes(load: Workload, sentences: int) -> float:
    """Return the bytes of a batch's states, scores and deltas; the plain graph keeps more."""
    sizes = load.sizes
    token: float = 6 * load.hidden_inputs + 2 * (sizes.classes + load.class_size + sizes.document)
    if ENGINES[load.settings.engine].copies_class_outputs:
        token += 8 * load.class_size * sizes.output
    return sentences * load.longest * token * _bytes(load)


def _corpus_bytes(load: Workload) -> float:
    """Return the bytes of the arrays of ids and of the words themselves."""
    return 6.0 * sum(load.tokens.values()) + 200.0 * load.sizes.vocabulary
