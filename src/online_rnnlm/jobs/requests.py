"""Requests to a scheduler: memory (MB) and time (minutes), by the sizes of corpus and model.

Requests are generous, because a job that asks for too little is killed, while one that asks for too
much only starts a little later. A retry asks for more. `--set-resources` overrides a request.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import (
    engine_for,
    evaluations_of,
    timed_evaluations,
    usable_anywhere,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.plan import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.corpora.records import SourceFiles
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory

_START_MINUTES = 10
"""Minutes for the start of a job: compilation, if it is needed, and a slow file system."""
_START_MB = 1000
"""Memory of a process after all imports, and of the two Snakemake processes that run it (MB)."""
_COPIES = 12
"""Copies of the weights: their sums of squares, the best so far, those being written, a reserve."""
_TOKEN_BYTES = 60
"""Bytes of a token: its id in the arrays, and its scores in testing."""
_LARGEST_GROWTH = 2.0
_TRIALS = 100
"""The most passes over the held-out texts that a rival's search makes. A pass costs at most
as much as an update of all weights after every word."""
_UPDATES_OF_RIVAL = 10
"""A pass with chosen settings, of the largest neural cache, costs less than so many updates."""


class Workload(NamedTuple):
    """The memory and the arithmetic of a run, by which its jobs ask for memory and time."""

    settings: RunSettings
    megabytes: float
    """Memory to train or to test the run (MB)."""
    tokens: int
    """Number of tokens of all splits."""
    held_out_tokens: int
    """Number of tokens of `valid` and `test`."""
    training_cost: float
    """Multiply-adds to train on one word."""
    update_cost: float
    """Multiply-adds to update all weights after one word of testing."""


def workload_of(experiment: Experiment, results: ExperimentDirectory, run: Run) -> Workload:
    """Return the memory and the arithmetic of a run on its prepared corpus.

    Raises FileNotFoundError if the corpus is not prepared yet; Snakemake then asks again later.
    """
    # These need numpy, which `snakemake --lint` does not need.
    from online_rnnlm.core import parameters  # noqa: PLC0415
    from online_rnnlm.core.adaptation import WEIGHTS  # noqa: PLC0415
    from online_rnnlm.core.order import SCORING_LANES  # noqa: PLC0415
    from online_rnnlm.core.sizes import Sizes, count  # noqa: PLC0415
    from online_rnnlm.corpora.corpus import read_statistics  # noqa: PLC0415
    from online_rnnlm.jobs import cost  # noqa: PLC0415

    settings = run.settings
    directory = results.corpus(run.corpus_folder)
    directory.statistics.stat()
    statistics = read_statistics(directory)
    sizes = Sizes.of(settings.network, statistics.vocabulary_size, statistics.classes)
    class_size = statistics.splits["train"].mean_class_size
    tokens = sum(split.tokens for split in statistics.splits.values())
    # Of a word of a batch, states, scores and gradients are kept.
    word_values = 6.0 * parameters.shapes(sizes).embeddings[1] + 2 * (sizes.classes + class_size)
    if ENGINES[settings.engine].copies_class_outputs:
        word_values += 8 * class_size * sizes.output
    # Sentences are trained on or scored side by side. Ready text may have longer ones.
    sentences = max(SCORING_LANES, settings.batch_sentences)
    batch = sentences * (experiment.corpora[settings.corpus].max_tokens + 1) * word_values
    values = _COPIES * count(sizes) + batch + tokens * settings.hidden_size / 8
    value_bytes = 8 if settings.precision == "float64" else 4
    return Workload(
        settings=settings,
        megabytes=_START_MB + (values * value_bytes + tokens * _TOKEN_BYTES) / 1e6,
        tokens=tokens,
        held_out_tokens=sum(statistics.splits[name].tokens for name in HELD_OUT),
        training_cost=cost.training_multiply_adds_per_word(
            sizes,
            class_size,
            by_error=settings.network.steps_by_error,
            goes_through=settings.network.through_updates,
        ),
        update_cost=cost.update_multiply_adds_per_word(
            sizes, class_size, WEIGHTS, experiment.testing.steps
        ),
    )


def grown(request: float, attempt: int) -> int:
    """Return the request of an attempt (from 1): 1, 1.5, then 2 times the first request."""
    return math.ceil(request * min(_LARGEST_GROWTH, 1 + (attempt - 1) / 2))


def text_mb(files: Sequence[str]) -> float:
    """Return the size of the text that a stage of a corpus reads (MB), by the stage's files.

    `source.json` stands for the files of the source. Raises FileNotFoundError if it is not there
    yet; Snakemake then asks again later.
    """
    paths = [Path(file) for file in files]
    sizes = [path.stat().st_size for path in paths]
    if paths[0].name == "source.json":
        sizes = [file.size for file in records.read(SourceFiles, paths[0]).files]
    return sum(sizes) / 1e6


def encoding_threads(corpus: CorpusSettings) -> int:
    """Return the number of processes of the stage `encode`, which may have to tokenise a text."""
    source = source_of(corpus.source)
    return 4 if source.skips_sentences and not source.tokenised else 1


def by_size(base: float, a_megabyte: float, size_mb: float, attempt: int) -> int:
    """Return the request of a job that reads files of that size once."""
    return grown(base + a_megabyte * size_mb, attempt)


def training_minutes(load: Workload, attempt: int) -> int:
    """Return the minutes to train a run for `max_epochs` epochs."""
    work = load.settings.max_epochs * load.tokens * load.training_cost
    return grown(_START_MINUTES + work / _speed(load.settings), attempt)


def testing_minutes(load: Workload, testing: TestingSettings, evaluation: str, attempt: int) -> int:
    """Return the minutes of an evaluation, generously.

    It counts a pass over all splits at the cost of training and, for each rate to try, a pass over
    `valid` and `test` by the engine of the adaptation. A rival's search counts as `_TRIALS`
    such passes by the fastest engine that needs only a CPU.
    """
    settings = load.settings
    minutes = load.tokens * load.training_cost / _speed(settings)
    adaptation = evaluations_of(settings, testing)[evaluation]
    if not isinstance(adaptation, Adaptation):
        work = _TRIALS * load.held_out_tokens * load.update_cost
        minutes += work / _speed(usable_anywhere(settings))
    elif adaptation.unit_of_text is not None:
        rates = len(testing.learning_rates) + len(testing.document_rates)
        cost = load.update_cost if adaptation.weights else load.training_cost
        minutes += rates * load.held_out_tokens * cost / _speed(engine_for(settings, adaptation))
    return grown(_START_MINUTES + minutes, attempt)


def timing_minutes(plan: Plan, results: ExperimentDirectory, attempt: int) -> int:
    """Return the minutes to time the networks in turn, generously.

    It counts a pass over `train` for each network, and the rounds of each evaluation at the cost of
    training, of two updates of all weights or, with a rival, of `_UPDATES_OF_RIVAL`.

    Raises FileNotFoundError if a corpus is not prepared yet; Snakemake then asks again later.
    """
    from online_rnnlm.jobs.timing import ROUNDS  # noqa: PLC0415

    minutes: float = _START_MINUTES
    for run in (row.runs[0] for row in plan.planned_rows):
        load = workload_of(plan, results, run)
        minutes += load.tokens * load.training_cost / _speed(run.settings)
        for evaluation in timed_evaluations(run.settings, run.testing).values():
            settings = run.settings
            cost = load.training_cost
            if not isinstance(evaluation, Adaptation):
                settings = usable_anywhere(settings)
                cost = _UPDATES_OF_RIVAL * load.update_cost
            elif evaluation.weights:
                settings = engine_for(settings, evaluation)
                cost = 2 * load.update_cost
            work = (ROUNDS + 1) * min(plan.testing.timed_tokens, load.held_out_tokens) * cost
            minutes += work / _speed(settings)
    return grown(minutes, attempt)


def _speed(settings: RunSettings) -> float:
    """Return the multiply-adds per minute of an engine on its device."""
    return 60 * ENGINES[settings.engine].devices[settings.device].multiply_adds_a_second
