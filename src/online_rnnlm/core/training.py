"""The training of a network, epoch after epoch: all that decides its weights, to the bit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core import parameters
from online_rnnlm.core.arrays import Array
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.lanes import NOTHING, Batches, Carried, Segments, segments_of, side_by_side
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.schedule import Schedule
from online_rnnlm.core.sizes import sizes_for

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.core.text import Split, Text

SEGMENTS_A_CALL = 512
"""Approximate number of segments of one call of the trainer; training can be interrupted after
each."""
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
class Unfinished:
    """The state of an epoch that has begun and is not finished."""

    weights: Parameters
    """The weights now."""
    accumulators: Parameters
    carried: Carried
    """The states and vectors after the segments that were read last, by lane."""
    deferred: tuple[Array, ...] = ()
    """The deferred updates, as the engine's trainer keeps them."""
    batches: int = 0
    """Number of batches trained on so far, in the epoch's order."""
    tokens: int = 0
    """Number of their words."""
    log_probability: float = 0.0
    """Sum of the log P of these words, added in their order."""


@dataclass
class Progress:
    """The complete state of a training, between two epochs or within one.

    The order of the text follows from seed and epoch, so no random state is stored.
    """

    weights: Parameters
    """The best weights so far, from which the next epoch starts unless it has begun."""
    accumulators: Parameters
    valid_perplexities: list[float] = field(default_factory=list)
    """Perplexity of `valid` after each finished epoch."""
    unfinished: Unfinished | None = None
    """The state of the next epoch, if it has begun."""

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


def begin(settings: RunSettings, text: Text) -> Progress:
    """Make the state of a training before its first epoch."""
    sizes = sizes_for(settings, text)
    return Progress(
        parameters.initialise(sizes, INITIAL_SCALE, settings.seed, settings.precision),
        parameters.filled(sizes, settings.accumulator_start, settings.precision),
    )


class Training:
    """A training that starts from a state: iterate over `steps` to train to the end."""

    def __init__(self, settings: RunSettings, text: Text, progress: Progress) -> None:
        """Prepare the engine; `progress` is taken over and changes during training."""
        self._settings = settings
        self._text = text
        self._schedule = Schedule(settings)
        self._progress = progress
        now = progress.unfinished or progress
        carried = progress.unfinished.carried if progress.unfinished else None
        deferred = progress.unfinished.deferred if progress.unfinished else ()
        engine = load_engine(settings)
        self._trainer = engine.Trainer(
            settings, text, now.weights, now.accumulators, carried, deferred
        )
        self._scorer = engine.Scorer(settings, text)
        # This loads the scorer's code, or compiles it, before an epoch's time is measured.
        self._scorer(now.weights, text.splits["valid"], np.arange(0), settings.document_rate)
        if not self._schedule.goes_back:  # then only the trainer needs accumulators
            progress.accumulators = self._trainer.accumulators

    @property
    def progress(self) -> Progress:
        """The state now, from which another process can continue to the same bits."""
        unfinished = self._progress.unfinished
        if unfinished is not None:
            unfinished.weights = self._trainer.weights
            unfinished.accumulators = self._trainer.accumulators
            unfinished.carried = self._trainer.carried
            unfinished.deferred = self._trainer.deferred
        return self._progress

    def steps(self) -> Iterator[EpochResult | None]:
        """Train to the end; yield None after each part of an epoch, its result after each epoch.

        Training may end at any of these, and continue later from `progress`. Raises Diverged.
        """
        progress = self._progress
        while not self._schedule.ended(progress.valid_perplexities):
            for _ in self._read_text():
                yield None
            result = self._measure()
            progress.unfinished = None
            if result.kept:
                parameters.copy_into(progress.weights, self._trainer.weights)
                parameters.copy_into(progress.accumulators, self._trainer.accumulators)
            elif self._schedule.goes_back:
                self._trainer.restore(progress.weights, progress.accumulators)
            else:
                progress.unfinished = self._beginning()
            progress.valid_perplexities.append(result.valid_perplexity)
            yield result

    def _beginning(self) -> Unfinished:
        """Return the state of an epoch that begins with the trainer's weights."""
        trainer = self._trainer
        return Unfinished(trainer.weights, trainer.accumulators, trainer.carried, trainer.deferred)

    def _read_text(self) -> Iterator[None]:
        """Train on the rest of an epoch's text; yield after each part of it.

        The deferred updates of the epoch belong to its last part, and have its rate.
        """
        progress = self._progress
        split = self._text.splits["train"]
        if progress.unfinished is None:
            progress.unfinished = self._beginning()
        done = progress.unfinished
        key = dropout_key(self._settings.seed, progress.epoch + 1)
        for batches, tokens in _parts(self._settings, split, progress.epoch + 1, done.batches):
            share = done.tokens / split.tokens
            rate = self._schedule.rate(progress.valid_perplexities, share)
            done.log_probability += self._trainer.update(batches, rate, key)
            done.batches += len(batches.segments)
            done.tokens += tokens
            if done.tokens == split.tokens:
                self._trainer.apply_deferred(rate)
            if not math.isfinite(done.log_probability):
                raise Diverged("a probability is not a number")
            yield

    def _measure(self) -> EpochResult:
        """Score `valid` after an epoch's last sentence, and tell if training has diverged."""
        settings = self._settings
        text = self._text
        progress = self._progress
        assert progress.unfinished is not None
        train = text.splits["train"]
        valid = text.splits["valid"]
        every = np.arange(valid.sentences)
        rate = settings.document_rate
        scores = self._scorer(self._trainer.weights, valid, every, rate)
        train_perplexity = _perplexity(progress.unfinished.log_probability, train)
        valid_perplexity = _perplexity(float(scores.log_probabilities.sum()), valid)
        limit = DIVERGENCE * text.vocabulary_size
        if not max(train_perplexity, valid_perplexity) <= limit:
            raise Diverged(f"a perplexity exceeds {limit:g}")
        if not parameters.all_finite(self._trainer.weights):
            raise Diverged("a weight is not a finite number")
        return EpochResult(
            learning_rate=self._schedule.rate(progress.valid_perplexities),
            train_perplexity=train_perplexity,
            valid_perplexity=valid_perplexity,
            kept=valid_perplexity < min(progress.valid_perplexities, default=math.inf),
        )


def _parts(
    settings: RunSettings, split: Split, epoch: int, done: int
) -> Iterator[tuple[Batches, int]]:
    """Yield an epoch's batches, without the first `done`, in parts with their numbers of tokens."""
    segments = segments_of(split, settings)
    lanes = segments.lanes(settings.batch_sentences)
    batches = batches_of(segments, settings.seed, epoch, lanes)
    size = max(1, SEGMENTS_A_CALL // lanes)
    lengths = np.diff(segments.offsets)
    for first in range(done, len(batches.segments), size):
        part = batches.part(first, first + size)
        yield part, int(lengths[part.segments[part.segments != NOTHING]].sum())


def batches_of(segments: Segments, seed: int, epoch: int, lanes: int) -> Batches:
    """Return an epoch's batches; the order of the units of text is drawn from seed and epoch.

    The last units are sorted by falling length, so that all lanes end at about the same time.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(segments.units) - 1)
    lengths = np.diff(segments.units)[order]
    first = len(order) - int(_LONGEST_FIRST * len(order))
    order[first:] = order[first:][np.argsort(-lengths[first:], kind="stable")]
    return side_by_side(segments.units, order, lanes)


def dropout_key(seed: int, epoch: int) -> int:
    """Draw the key of an epoch's dropout, 32 bits (`kernels.dropout`)."""
    return int(np.random.default_rng([seed, epoch, 1]).integers(1 << 32))


def _perplexity(log_probability: float, split: Split) -> float:
    """Return exp of the entropy in nats per token, or infinity if that is too large a number."""
    entropy = -log_probability / split.tokens
    return math.exp(entropy) if entropy < _LARGEST_EXPONENT else math.inf
