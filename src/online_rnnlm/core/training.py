"""The training of a network, epoch after epoch: all that decides its weights, to the bit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, Adaptation
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.order import NOTHING, Order, Segments, order_to_train, segments_of
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.schedule import Schedule
from online_rnnlm.core.scoring import score_text
from online_rnnlm.core.sizes import Sizes

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Floats
    from online_rnnlm.core.engines.base import Engine, TrainingState
    from online_rnnlm.core.text import EncodedText, Split

SEGMENTS_A_CALL = 512
"""Approximate number of segments of one call of `Engine.train`; training can be interrupted after
each. It decides weights, too, as the learning rate is constant within a call."""
INITIAL_SCALE = 0.1
"""Standard deviation of the initial weights, which are normally distributed, as in the RNNLM
Toolkit."""
DIVERGENCE = 10
"""Training stops as diverged if a perplexity exceeds this multiple of the vocabulary size."""
_LONGEST_FIRST = 0.25
"""Share of an epoch's documents, the last ones, that are read in the order of falling length."""
_LARGEST_EXPONENT = 700.0


class Diverged(Exception):
    """The error that training has diverged, as it would again with the same settings."""


@dataclass
class Progress:
    """The complete state of a training, between two epochs or within one.

    The order of the text follows from seed and epoch, so no random state is stored.
    """

    state: TrainingState
    """The weights now, and all that they learn by."""
    best: Parameters
    """The best weights so far, after an epoch; those before the first one, at first."""
    best_accumulators: Parameters
    """The accumulators beside them; without rows if training never goes back to them."""
    valid_perplexities: list[float] = field(default_factory=list)
    """Perplexity of `valid` after each finished epoch."""
    batches: int = 0
    """Number of batches trained on so far in the epoch that has begun; 0 between two epochs."""
    tokens: int = 0
    """Number of their words."""
    log_probability: float = 0.0
    """Sum of the log P of these words, added in their order."""

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.valid_perplexities)


@dataclass(frozen=True)
class EpochResult:
    """The result of a finished epoch."""

    learning_rate: float
    """Learning rate of the weights at the epoch's start."""
    train_perplexity: float
    """Perplexity of `train`, while learning from it."""
    valid_perplexity: float
    """Perplexity of `valid` after the epoch."""
    kept: bool
    """True if the epoch's weights are the best so far and are kept."""


def begin(engine: Engine, text: EncodedText) -> Progress:
    """Make the state of a training before its first epoch."""
    network = engine.network
    rule = engine.rule
    sizes = Sizes.of(network, text.vocabulary_size, text.classes)
    weights = parameters.initialise(sizes, INITIAL_SCALE, rule.seed, network.precision)
    accumulators = parameters.filled(sizes, rule.accumulator_start, network.precision)
    kept = accumulators if Schedule(rule).goes_back else parameters.without_rows(accumulators)
    segments = segments_of(text.splits["train"], network, rule)
    nothing = Carried.nothing(weights, network.cell, segments.lanes(rule.batch_sentences))
    best = parameters.copy(weights), parameters.copy(kept)
    return Progress(engine.start(weights, accumulators, nothing), *best)


class Training:
    """A training from some progress on: iterate over `steps` to train to the end.

    Another process can continue from `progress` to the same bits.
    """

    def __init__(self, engine: Engine, text: EncodedText, progress: Progress) -> None:
        """Prepare the training; `progress` is taken over and changes during training."""
        self._engine = engine
        self._text = text
        self._schedule = Schedule(engine.rule)
        self._segments = segments_of(text.splits["train"], engine.network, engine.rule)
        self.progress = progress
        # This loads the engine's code, or compiles it, before an epoch's time is measured.
        state = self.progress.state
        nothing = order_of_epoch(self._segments, engine, 1).part(0, 0)
        self._engine.train(state, self._segments.split, nothing, engine.rule.learning_rate)
        self._score(state.weights, text.splits["valid"].first(0))

    def steps(self) -> Iterator[EpochResult | None]:
        """Train to the end; yield None after each part of an epoch, its result after each epoch.

        Training may end at any of these, and continue later from `progress`. Raises Diverged.
        """
        progress = self.progress
        while not self._schedule.ended(progress.valid_perplexities):
            for _ in self._read_text():
                yield None
            result = self._measure()
            state = progress.state
            if result.kept:
                parameters.copy_into(progress.best, state.weights)
                if self._schedule.goes_back:
                    parameters.copy_into(progress.best_accumulators, state.accumulators)
            elif self._schedule.goes_back:
                best = parameters.copy(progress.best), parameters.copy(progress.best_accumulators)
                # An epoch begins with units of text, and so reads nothing that is carried over.
                progress.state = self._engine.start(*best, state.carried)
            progress.batches = 0
            progress.tokens = 0
            progress.log_probability = 0.0
            progress.valid_perplexities.append(result.valid_perplexity)
            yield result

    def _read_text(self) -> Iterator[None]:
        """Train on the rest of an epoch's text; yield after each part of it.

        The deferred updates of the epoch belong to its last part, and have its rate.
        """
        progress = self.progress
        split = self._segments.split
        order = order_of_epoch(self._segments, self._engine, progress.epoch + 1)
        key = dropout_key(self._engine.rule.seed, progress.epoch + 1)
        lengths = split.lengths
        size = max(1, SEGMENTS_A_CALL // order.lanes)
        for first in range(progress.batches, len(order.segments), size):
            part = order.part(first, first + size)
            share = progress.tokens / split.tokens
            rate = self._schedule.rate(progress.valid_perplexities, share)
            total, state = self._engine.train(progress.state, split, part, rate, key)
            progress.log_probability += total
            progress.batches += len(part.segments)
            progress.tokens += int(lengths[part.segments[part.segments != NOTHING]].sum())
            if progress.tokens == split.tokens:
                state = self._engine.apply_deferred(state, rate)
            progress.state = state
            if not math.isfinite(progress.log_probability):
                raise Diverged("a probability is not a number")
            yield

    def _score(self, weights: Parameters, split: Split) -> Floats:
        """Score a text while the vector learns as in training."""
        parts = (DOCUMENT_VECTOR,) if self._engine.network.document_size else ()
        found = score_text(self._engine, weights, Adaptation(parts), split)
        return found.log_probabilities

    def _measure(self) -> EpochResult:
        """Score `valid` after an epoch's last sentence, and tell if training has diverged."""
        progress = self.progress
        weights = progress.state.weights
        valid = self._text.splits["valid"]
        train_perplexity = _perplexity(progress.log_probability, self._segments.split)
        valid_perplexity = _perplexity(float(self._score(weights, valid).sum()), valid)
        limit = DIVERGENCE * self._text.vocabulary_size
        if not max(train_perplexity, valid_perplexity) <= limit:
            raise Diverged(f"a perplexity exceeds {limit:g}")
        if not parameters.all_finite(weights):
            raise Diverged("a weight is not a finite number")
        return EpochResult(
            learning_rate=self._schedule.rate(progress.valid_perplexities),
            train_perplexity=train_perplexity,
            valid_perplexity=valid_perplexity,
            kept=valid_perplexity < min(progress.valid_perplexities, default=math.inf),
        )


def order_of_epoch(segments: Segments, engine: Engine, epoch: int) -> Order:
    """Return an epoch's batches; the order of the units of text is drawn from seed and epoch.

    The last units are sorted by falling length, so that all lanes end at about the same time.
    """
    units = np.random.default_rng([engine.rule.seed, epoch]).permutation(len(segments.units) - 1)
    lengths = np.diff(segments.units)[units]
    first = len(units) - int(_LONGEST_FIRST * len(units))
    units[first:] = units[first:][np.argsort(-lengths[first:], kind="stable")]
    return order_to_train(segments, engine.rule, units)


def dropout_key(seed: int, epoch: int) -> int:
    """Draw the key of an epoch's dropout, 32 bits (`kernels.dropout`)."""
    return int(np.random.default_rng([seed, epoch, 1]).integers(1 << 32))


def _perplexity(log_probability: float, split: Split) -> float:
    """Return exp of the entropy in nats per token, or infinity if that is too large a number."""
    entropy = -log_probability / split.tokens
    return math.exp(entropy) if entropy < _LARGEST_EXPONENT else math.inf
