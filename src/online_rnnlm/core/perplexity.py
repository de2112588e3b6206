"""Perplexity, and the bound above which a model counts as diverged."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MAX_ENTROPY = 100.0
"""Entropy, in nats per token, above which testing counts as diverged.

A uniform prediction has log V, about 10.
"""
_ROUNDING = 1e-3
"""The most that rounding can put an entropy below 0."""


def perplexity(log_probabilities: NDArray[np.float64]) -> float | None:
    """Return exp of the mean of -log P of tokens, or None if the model has diverged."""
    entropy = -log_probabilities.mean(keepdims=True)
    return None if diverged(entropy)[0] else math.exp(entropy[0])


def diverged(entropies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True for each entropy (nats per token) that is NaN, below 0 or at least MAX_ENTROPY."""
    return ~((entropies >= -_ROUNDING) & (entropies < MAX_ENTROPY))
