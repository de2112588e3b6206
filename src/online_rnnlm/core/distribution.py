"""The output layer's distribution over the next word, in NumPy.

P(w) = P(c) P(w|c),   P(c) = softmax(W_c h + V_c d)[c],   P(w|c) = softmax(W_o[c] h + V_o[c] d)[w]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.parameters import Parameters

Floats = NDArray[np.float64]


def log_distribution(
    weights: Parameters, class_offsets: NDArray[np.int64], hidden: Floats, documents: Floats
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


def _log_sums(scores: Floats, begins: NDArray[np.int64]) -> Floats:
    """Return log Σ exp of the scores (B, N) of each range that begins at one of these columns."""
    highest = np.maximum.reduceat(scores, begins, axis=1)
    sizes = np.diff(begins, append=scores.shape[1])
    powers = np.exp(scores - np.repeat(highest, sizes, axis=1))
    sums: Floats = highest + np.log(np.add.reduceat(powers, begins, axis=1))
    return sums
