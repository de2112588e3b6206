"""Training and scoring in padded batches: the loops that the plain graph and JAX have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from online_rnnlm.core.arrays import Array, Integers
from online_rnnlm.core.engines.base import Scores, empty_scores, first_words
from online_rnnlm.core.lanes import (
    NOTHING,
    SCORING_LANES,
    Batches,
    Carried,
    scoring_order,
    segments_of,
)
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split, Text
from online_rnnlm.core.way import Reading, reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings


class Found(NamedTuple):
    """The predictions of a padded batch of B segments."""

    mask: Array
    """(T, B): above 0 for words, 0 for padding."""
    log_probabilities: Array
    """(T, B)."""
    hidden: Any
    """(T, B, M); anything if hidden states are not asked for."""
    carried: Carried
    """The states and vectors after the last words."""


class PaddedTrainer:
    """Base of trainers that make one update after the other; it keeps what changes as arrays."""

    def __init__(
        self,
        settings: RunSettings,
        text: Text,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried | None = None,
        deferred: tuple[Array, ...] = (),
    ) -> None:
        self._settings = settings
        self.deferred = deferred
        self._split = text.splits["train"]
        segments = segments_of(self._split, settings)
        self._offsets = segments.offsets
        lanes = segments.lanes(settings.batch_sentences)
        self.carried = carried or Carried.nothing(weights, settings.cell, lanes)
        self._prepare(text)
        self.restore(weights, accumulators)

    def _prepare(self, text: Text) -> None:
        """Make what `_learn` needs."""
        raise NotImplementedError

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        self._weights = Parameters(*map(np.array, weights))
        self._sums = Parameters(*map(np.array, accumulators))

    @property
    def weights(self) -> Parameters:
        """Copies of the current weights."""
        return Parameters(*map(np.array, self._weights))

    @property
    def accumulators(self) -> Parameters:
        """Copies of AdaGrad's current sums of squared gradients."""
        return Parameters(*map(np.array, self._sums))

    def apply_deferred(self, learning_rate: float) -> None:
        """Apply all deferred updates: there are none, unless an engine defers some."""

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        settings = self._settings
        reading = reading_of(settings)
        values = learning_rate, settings.document_rate
        rates = [np.asarray(value, settings.precision) for value in values]
        totals = []
        for segments, begins in zip(*batches, strict=True):
            start = self.carried.before(begins, reading)
            total, after = self._learn(segments, rates, start, key)
            totals.append(total)
            if settings.unit_of_text != "sentence":
                self.carried = after.copy()
        # Reading a total waits for a GPU, so it is left until all batches have been sent.
        return float(sum(map(float, totals)))

    def _learn(
        self, segments: Integers, rates: list[Array], start: Carried, key: int
    ) -> tuple[Any, Carried]:
        """Make an update by these segments (B,); return log P, and what is carried over.

        `rates` are those of the weights and of the document vector.
        """
        raise NotImplementedError


class PaddedScorer:
    """Base of scorers that predict one batch after the other."""

    def __init__(
        self,
        settings: RunSettings,
        text: Text,
        reading: Reading | None = None,
        *,
        hidden_states: bool = False,
    ) -> None:
        self._settings = settings
        self._reading = reading or reading_of(settings)
        self._hidden_states = hidden_states
        self._width = self._reading.lanes(SCORING_LANES)
        self._prepare(text)

    def _prepare(self, text: Text) -> None:
        """Make what `_predict` needs."""
        raise NotImplementedError

    def __call__(
        self, weights: Parameters, split: Split, sentences: Integers, document_rate: float
    ) -> Scores:
        """Score these sentences, the document vector learning after every word."""
        settings = self._settings
        reading = self._reading
        width = self._width
        starts = first_words(split.offsets, sentences)
        scores = empty_scores(weights, starts, hidden_states=self._hidden_states)
        rate = np.asarray(document_rate, settings.precision)
        carried = Carried.nothing(weights, settings.cell, width)
        order = scoring_order(split, sentences, reading, width)
        for segments, begins, places in zip(*order, strict=True):
            found = self._predict(weights, split, segments, rate, carried.before(begins, reading))
            carried = found.carried
            _fill(scores, places, starts, found)
        return scores

    def go_on(
        self,
        weights: Parameters,
        split: Split,
        segments: Integers,
        document_rate: float,
        before: Carried,
    ) -> tuple[Scores, Carried]:
        """Score segments as `kernel_engine.Scorer.go_on`, but for the last bits of the results."""
        starts = first_words(split.offsets, segments)
        scores = empty_scores(weights, starts, hidden_states=self._hidden_states)
        rate = np.asarray(document_rate, self._settings.precision)
        found = self._predict(weights, split, segments, rate, before)
        _fill(scores, np.arange(len(segments)), starts, found)
        return scores, found.carried.copy()

    def _predict(
        self, weights: Parameters, split: Split, segments: Integers, rate: Array, start: Carried
    ) -> Found:
        """Predict the words of these sentences (B,)."""
        raise NotImplementedError


def _fill(scores: Scores, places: Integers, starts: Integers, found: Found) -> None:
    """Copy the results of a batch into the rows of the scores that they belong to.

    `places` (B,) are the numbers of the sentences in the scores, or `NOTHING`; `starts` is that of
    `first_words`.
    """
    exists = found.mask.T > 0  # (B, T)
    lane, time = np.nonzero(exists)
    rows = starts[places[lane]] + time
    scores.log_probabilities[rows] = found.log_probabilities.T[exists]
    reads = places != NOTHING
    scores.document_vectors[places[reads]] = found.carried.documents[reads]
    if len(scores.hidden_states):
        scores.hidden_states[rows] = found.hidden.swapaxes(0, 1)[exists]
