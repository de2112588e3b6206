"""The scoring of a text by a trained network, with adaptation or without.

The output layer's distribution over the next word is

    P(w) = P(c) P(w|c),  P(c) = softmax(W_c h + V_c d)[c],  P(w|c) = softmax(W_o[c] h + V_o[c] d)[w]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core.arrays import Booleans, Floats, Integers
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.lanes import Carried, parts_of_documents
from online_rnnlm.core.parameters import Parameters, without_document
from online_rnnlm.core.way import Way, reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.core.text import Split, Text

MAX_ENTROPY = 100.0
"""Entropy, in nats per token, above which testing counts as diverged.

A uniform prediction has log V, about 10.
"""
_ROUNDING = 1e-3
"""The most that rounding can put an entropy below 0."""


class NetworkScorer:
    """A network that scores texts in one way; every call begins with the trained weights.

    The engine of the settings scores; it must be able to learn what the way says
    (`config.evaluations.engine_for`). It gives hidden states, and continues from a state, only if
    `goes_on`.
    """

    def __init__(
        self,
        settings: RunSettings,
        text: Text,
        weights: Parameters,
        way: Way,
        *,
        hidden_states: bool = False,
    ) -> None:
        self.reading = reading_of(settings, way)
        self.goes_on = not way.groups and (way.after == 1 or not way.vector_learns)
        """True if no weights learn, and the vector learns after every word or never."""
        self._weights_learn = bool(way.groups)
        self._rate = way.vector_rate_in(settings)
        if self.goes_on:
            # A vector that does not learn stays 0: the network without it predicts the same.
            self._weights = weights if way.vector_learns else without_document(weights)
            self._scorer = load_engine(settings).Scorer(
                settings, text, self.reading, hidden_states=hidden_states
            )
        else:
            self._online = load_engine(settings).OnlineScorer(settings, text, weights, way)

    def score(self, split: Split, sentences: Integers | None = None) -> Scores:
        """Score sentences of a split in their order, or all of them."""
        if sentences is not None:
            return self._score(split, sentences)
        if self._weights_learn or self.reading.unit_of_text == "stream":
            return self._score(split, np.arange(split.sentences))
        articles = split.articles if split.articles.size else np.arange(split.sentences)
        numbers = parts_of_documents(range(split.sentences), articles.__getitem__)
        parts = [self._score(split, np.array(part)) for part in numbers]
        if not parts:
            return self._score(split, np.arange(0))
        return Scores(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def _score(self, split: Split, sentences: Integers) -> Scores:
        if self.goes_on:
            return self._scorer(self._weights, split, sentences, self._rate)
        return self._online.score(split, sentences)[0]

    def go_on(self, split: Split, segments: Integers, before: Carried) -> tuple[Scores, Carried]:
        """Score a segment in each of B lanes, from the states and vectors in `before`.

        Returns the scores, and the states and vectors after the segments.
        """
        if self._weights.class_document.shape[0] == before.documents.shape[1]:
            return self._scorer.go_on(self._weights, split, segments, self._rate, before)
        nothing = before._replace(documents=before.documents[:, :0])
        scores, after = self._scorer.go_on(self._weights, split, segments, self._rate, nothing)
        return scores, after._replace(documents=before.documents)


def perplexity(log_probabilities: Floats) -> float | None:
    """Return exp of the mean of -log P of tokens, or None if the model has diverged."""
    entropy = -log_probabilities.mean(keepdims=True)
    return None if diverged(entropy)[0] else math.exp(entropy[0])


def diverged(entropies: Floats) -> Booleans:
    """True for each entropy (nats per token) that is NaN, below 0 or at least MAX_ENTROPY."""
    return ~((entropies >= -_ROUNDING) & (entropies < MAX_ENTROPY))


def log_distribution(
    weights: Parameters, class_offsets: Integers, hidden: Floats, documents: Floats
) -> Floats:
    """Return log P (nats) of every word by the model's output layer, float64 (B, V).

    `hidden` (B, H) are the states that feed it, `documents` (B, D) the document vectors.
    """
    class_scores = hidden @ weights.class_output.T + documents @ weights.class_document
    word_scores = hidden @ weights.word_output.T + documents @ weights.word_document
    sizes = np.diff(class_offsets)
    begins = class_offsets[:-1]
    class_logs: Floats = class_scores - _log_sums(class_scores, np.zeros(1, np.int64))
    within = word_scores - np.repeat(_log_sums(word_scores, begins), sizes, axis=1)
    found: Floats = np.repeat(class_logs, sizes, axis=1) + within
    return found


def _log_sums(scores: Floats, begins: Integers) -> Floats:
    """Return log Σ exp of the scores (B, N) of each range that begins at one of these columns."""
    highest = np.maximum.reduceat(scores, begins, axis=1)
    sizes = np.diff(begins, append=scores.shape[1])
    powers = np.exp(scores - np.repeat(highest, sizes, axis=1))
    sums: Floats = highest + np.log(np.add.reduceat(powers, begins, axis=1))
    return sums
