"""The scoring of a text by a trained network, with adaptation or without.

The output layer's distribution over the next word is

    P(w) = P(c) P(w|c),  P(c) = softmax(W_c h + V_c d)[c],  P(w|c) = softmax(W_o[c] h + V_o[c] d)[w]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core.arrays import Booleans, Floats, Integers
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.order import order_to_score
from online_rnnlm.core.parameters import Parameters, without_document

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.engines.base import Engine, Scores
    from online_rnnlm.core.text import Split

MAX_ENTROPY = 100.0
"""Entropy, in nats per token, above which testing counts as diverged.

A uniform prediction has log V, about 10.
"""
_ROUNDING = 1e-3
"""The most that rounding can put an entropy below 0."""


def score_text(
    engine: Engine,
    weights: Parameters,
    adaptation: Adaptation,
    split: Split,
    *,
    hidden_states: bool = False,
) -> Scores:
    """Score a text from its first word, with a state of 0, by weights of the engine's network."""
    network = engine.network
    if not adaptation.updates_vector:
        # A vector that is not updated stays 0: the network without it predicts the same.
        weights = without_document(weights)
    order = order_to_score(split, network, adaptation)
    nothing = Carried.nothing(weights, network.cell, order.lanes)
    return engine.score(weights, split, order, adaptation, nothing, hidden_states=hidden_states)[0]


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
