"""Is a difference between two models more than the luck of the test sentences?

Paired tests over sentences, which are what a document vector lives through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.05
_CHUNK_ELEMENTS = 2_000_000  # keeps every temporary array below 16 MB


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two models on the same sentences.

    `difference` is the first's mean log-probability per token minus the second's, in nats: above
    0 the first is better, and its perplexity is exp(-difference) times the second's. `low` and
    `high` bound its 95 % bootstrap interval; `p_value` is that of the sign-flip test.
    """

    difference: float
    low: float
    high: float
    p_value: float
    sentences: int
    tokens: int

    @property
    def significant(self) -> bool:
        """Both tests agree that the difference is not 0."""
        return self.p_value < LEVEL and not self.low <= 0 <= self.high


def compare(
    first: Floats,
    second: Floats,
    tokens: npt.NDArray[np.integer],
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare two models by their sentences' log-probabilities.

    first, second: (sentences,), summed over each sentence's tokens; tokens: (sentences,).
    """
    gains = first - second
    low, high = bootstrap_interval(gains, tokens, seed, resamples)
    return Comparison(
        difference=float(gains.sum() / tokens.sum()),
        low=low,
        high=high,
        p_value=sign_flip_p_value(gains, seed, resamples),
        sentences=len(gains),
        tokens=int(tokens.sum()),
    )


def bootstrap_interval(
    gains: Floats, tokens: npt.NDArray[np.integer], seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The 95 % percentile interval of sum(gains) / sum(tokens), sentences drawn with replacement.

    Efron and Tibshirani (1993), chapter 13.
    """
    random = np.random.default_rng(seed)
    means = []
    for rows in _chunks(resamples, len(gains)):
        drawn = random.integers(len(gains), size=(rows, len(gains)), dtype=np.int32)
        means.append(gains[drawn].sum(axis=1) / tokens[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def sign_flip_p_value(gains: Floats, seed: int, resamples: int = RESAMPLES) -> float:
    """Two-sided p-value of the paired permutation test on sum(gains).

    If the two models were the same, each sentence's gain would as well have the other sign. All
    sign patterns are counted where they are few; else they are drawn, the observed one among
    them (Phipson and Smyth, 2010), so that the p-value is never 0.
    """
    # Sums that are equal but for rounding count as equal.
    threshold = abs(gains.sum()) - 1e-12 * np.abs(gains).sum()
    if len(gains) < 60 and 2 ** len(gains) <= resamples:
        return float(np.mean(np.abs(_all_signs(len(gains)) @ gains) >= threshold))
    random = np.random.default_rng(seed)
    extreme = 0
    for rows in _chunks(resamples, len(gains)):
        signs = 2.0 * random.integers(2, size=(rows, len(gains)), dtype=np.int8) - 1.0
        extreme += int(np.sum(np.abs(signs @ gains) >= threshold))
    return (extreme + 1) / (resamples + 1)


def _all_signs(count: int) -> Floats:
    """All 2^count patterns of -1 and 1: (2^count, count)."""
    patterns = np.arange(2**count)[:, None] >> np.arange(count)
    return np.asarray(2.0 * (patterns & 1) - 1.0, dtype=np.float64)


def _chunks(resamples: int, sentences: int) -> Iterator[int]:
    """Numbers of resamples that fit into memory at once; they add up to `resamples`."""
    size = max(1, _CHUNK_ELEMENTS // sentences)
    while resamples > 0:
        yield min(size, resamples)
        resamples -= size
