"""The updates and scores by which engines are compared, and the time that they take."""

from __future__ import annotations

import time
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import Trainer
from online_rnnlm.engines.lanes import NOTHING, Batches, Segments, segments_of, side_by_side
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters, like
from online_rnnlm.model.sizes import sizes_for

VALID_SENTENCES = 16
LEAST_SECONDS = 0.5
"""Time that the updates are repeated for; a single pass of fast kernels takes milliseconds."""


class Values(NamedTuple):
    """The values by which engines are compared."""

    losses: NDArray[np.float64]
    """log P of every update's batch, (updates,)."""
    weights: Parameters
    """The weights after the updates."""
    log_probabilities: NDArray[np.float64]
    """log P of the words of some sentences of `valid`, while the vector learns, (tokens,)."""
    document_vectors: NDArray[Any]
    """d after these sentences, (S, D)."""


class Pace(NamedTuple):
    """The speed of the updates, and the time to compile them."""

    words: int
    """Number of words that the updates learn from."""
    words_per_second: float
    """Number of words learnt from per second, once all is compiled."""
    compile_seconds: float
    """Seconds to make the trainer and the first updates, less those of the same updates later."""


def compute(settings: RunSettings, corpus: Corpus, updates: int) -> tuple[Values, Pace]:
    """Make a run's first updates, then score some sentences of `valid`.

    Raises UserError if the engine is not available.
    """
    with warnings.catch_warnings():
        # PyTensor warns that the plain graph needs more than one fused loop, which is harmless.
        warnings.filterwarnings("ignore", "Loop fusion failed", UserWarning)
        return _compute(settings, corpus, updates)


def _compute(settings: RunSettings, corpus: Corpus, updates: int) -> tuple[Values, Pace]:
    sizes, dtype = sizes_for(settings, corpus), settings.precision
    weights = parameters.initialise(sizes, settings.initial_scale, settings.seed, dtype)
    start = weights, parameters.filled(sizes, settings.accumulator_start, dtype)
    segments = segments_of(corpus.splits["train"], settings)
    batches = first_batches(segments, settings.batch_sentences, updates)
    began = time.perf_counter()
    trainer = registry.trainer(settings, corpus, *start)
    parts = (batches.part(number, number + 1) for number in range(updates))
    losses = np.array([trainer.update(part, settings.learning_rate) for part in parts])
    first = time.perf_counter() - began
    learnt = like(weights, (np.array(array) for array in trainer.weights))
    again = _seconds_again(trainer, start, batches, settings.learning_rate)
    score = registry.scorer(settings, corpus)
    valid = corpus.splits["valid"]
    scores = score(learnt, valid, _first_sentences(valid), settings.document_rate)
    values = Values(losses, learnt, scores.log_probabilities, scores.document_vectors)
    words = _words(segments, batches)
    return values, Pace(words, words / again, max(0.0, first - again))


def first_batches(segments: Segments, wanted: int, updates: int) -> Batches:
    """The batches of a text in its order, which begins again where it ends."""
    units, lanes = len(segments.units) - 1, segments.lanes(wanted)
    order = np.arange(updates * lanes) % units
    return side_by_side(segments.units, order, lanes).part(0, updates)


def _seconds_again(
    trainer: Trainer, start: tuple[Parameters, Parameters], batches: Batches, rate: float
) -> float:
    """Time of the same updates once all is compiled: the mean over as many passes as it needs."""
    passes, seconds = 0, 0.0
    while seconds < LEAST_SECONDS:
        trainer.restore(*start)
        began = time.perf_counter()
        trainer.update(batches, rate)
        seconds += time.perf_counter() - began
        passes += 1
    return seconds / passes


def _words(segments: Segments, batches: Batches) -> int:
    read = batches.segments[batches.segments != NOTHING]
    return int(np.diff(segments.offsets)[read].sum())


def _first_sentences(valid: Split) -> NDArray[np.int64]:
    return np.arange(min(VALID_SENTENCES, valid.sentences))
