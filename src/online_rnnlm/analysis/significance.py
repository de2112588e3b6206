"""Tests of a difference between two models: is it more than chance in the text or in the seeds?

The tests are paired. They are over pieces of the text that do not depend on each other
(`analysis.pieces`), and over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.05
_CHUNK_ELEMENTS = 2_000_000  # Keeps every temporary array at 16 MB or less.


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two models on the same pieces of text.

    `difference` is the first's mean log-probability per token minus the second's, in nats: above
    0 the first is better, and its perplexity is exp(-difference) times the second's. `low` and
    `high` bound its 95 % bootstrap interval; `p_value` is that of the sign-flip test of the
    hypothesis that the difference is `null`. `equivalence_p_value` is that of the two one-sided
    tests of the hypothesis that the models differ by a margin or more; None without a margin.
    """

    difference: float
    low: float
    high: float
    p_value: float
    pieces: int
    tokens: int
    null: float = 0.0
    equivalence_p_value: float | None = None

    @property
    def side(self) -> int:
        """1 if the interval lies above `null`, -1 if below, 0 if it holds it."""
        return side(self.low, self.high, self.null)


@dataclass(frozen=True)
class SeedInterval:
    """A difference over the seeds: mean, 95 % t interval, p-value of the test that it is `null`."""

    mean: float
    low: float
    high: float
    p_value: float
    seeds: int
    null: float = 0.0

    @property
    def side(self) -> int:
        """1 if the interval lies above `null`, -1 if below, 0 if it holds it."""
        return side(self.low, self.high, self.null)


def side(low: float, high: float, null: float) -> int:
    """The side of `null` on which an interval lies: 1 above, -1 below, 0 if it holds `null`."""
    return int(low > null) - int(high < null)


def compare(
    first: Floats,
    second: Floats,
    tokens: npt.NDArray[np.integer],
    null: float = 0.0,
    seed: int = 1,
    resamples: int = RESAMPLES,
    margin: float | None = None,
) -> Comparison:
    """Compare two models by the log-probabilities of a text's pieces.

    first, second: (pieces,), summed over each piece's tokens; tokens: (pieces,). A `null` below 0
    is a margin on one side: the first model may be worse by that many nats per token. With
    `margin`, in nats per token, it is also tested whether the models differ by less than that.
    There must be at least two pieces, since one gives no interval.
    """
    gains = first - second
    low, high = bootstrap_interval(gains, tokens, seed, resamples)
    return Comparison(
        difference=float(gains.sum() / tokens.sum()),
        low=low,
        high=high,
        p_value=sign_flip_p_value(gains - null * tokens, seed, resamples),
        pieces=len(gains),
        tokens=int(tokens.sum()),
        null=null,
        equivalence_p_value=None
        if margin is None
        else equivalence_p_value(gains, tokens, margin, seed, resamples),
    )


def bootstrap_interval(
    gains: Floats, tokens: npt.NDArray[np.integer], seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The 95 % percentile interval of sum(gains) / sum(tokens), pieces drawn with replacement.

    Efron and Tibshirani (1993), chapter 13.
    """
    from scipy import stats  # noqa: PLC0415  # takes a second; the report makes no tests

    found = stats.bootstrap(
        (gains, tokens),
        _mean_gain,
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=1 - LEVEL,
        n_resamples=resamples,
        batch=max(1, _CHUNK_ELEMENTS // len(gains)),
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _mean_gain(gains: Floats, tokens: npt.NDArray[np.integer], axis: int = -1) -> Floats:
    return np.asarray(gains.sum(axis=axis) / tokens.sum(axis=axis), dtype=np.float64)


def equivalence_p_value(
    gains: Floats,
    tokens: npt.NDArray[np.integer],
    margin: float,
    seed: int,
    resamples: int = RESAMPLES,
) -> float:
    """P-value of the two one-sided tests that |sum(gains) / sum(tokens)| is below `margin`.

    Schuirmann (1987): both that the first model is worse by the margin, and that it is better by
    it, must be rejected; the larger of the two p-values counts.
    """
    shifted = (gains + margin * tokens, margin * tokens - gains)
    return max(sign_flip_p_value(one, seed, resamples, two_sided=False) for one in shifted)


def sign_flip_p_value(
    gains: Floats, seed: int, resamples: int = RESAMPLES, *, two_sided: bool = True
) -> float:
    """P-value of the paired permutation test on sum(gains); one-sided: that it is above 0.

    If the two models were the same, each piece's gain could just as well have the other sign.
    If there are few sign patterns, all are counted; otherwise they are drawn at random, and the
    observed pattern is counted with them (Phipson and Smyth, 2010), so that the p-value is never
    0. SciPy's `permutation_test` does the same but takes twelve times as long.
    """
    size = np.abs if two_sided else np.asarray
    # Sums that are equal but for rounding count as equal.
    threshold = size(gains.sum()) - 1e-12 * np.abs(gains).sum()
    if len(gains) < 60 and 2 ** len(gains) <= resamples:
        return float(np.mean(size(_all_signs(len(gains)) @ gains) >= threshold))
    random = np.random.default_rng(seed)
    extreme = 0
    for rows in _chunks(resamples, len(gains)):
        signs = 2.0 * random.integers(2, size=(rows, len(gains)), dtype=np.int8) - 1.0
        extreme += int(np.sum(size(signs @ gains) >= threshold))
    return (extreme + 1) / (resamples + 1)


def _all_signs(count: int) -> Floats:
    """All 2^count patterns of -1 and 1: (2^count, count)."""
    patterns = np.arange(2**count)[:, None] >> np.arange(count)
    return np.asarray(2.0 * (patterns & 1) - 1.0, dtype=np.float64)


def _chunks(resamples: int, pieces: int) -> Iterator[int]:
    """Yield numbers of resamples that fit into memory at once; they add up to `resamples`."""
    size = max(1, _CHUNK_ELEMENTS // pieces)
    while resamples > 0:
        yield min(size, resamples)
        resamples -= size


def seed_interval(differences: Sequence[float], null: float = 0.0) -> SeedInterval | None:
    """Student's paired t interval; None for a single seed, which says nothing about others.

    differences: one value for each seed, the first model's mean log-probability per token minus
    the second's.
    """
    count = len(differences)
    if count < 2:
        return None
    from scipy import stats  # noqa: PLC0415  # as above

    mean, deviation = float(np.mean(differences)), float(np.std(differences, ddof=1))
    error = deviation / math.sqrt(count)
    half = error * float(stats.t.ppf(1 - LEVEL / 2, count - 1))
    distance = abs(mean - null)
    # If all seeds agree but for rounding, the interval is a single point.
    if error <= 1e-12 * max(abs(mean), abs(null)):
        p_value = float(distance <= 1e-12 * abs(mean))
    else:
        p_value = 2 * float(stats.t.sf(distance / error, count - 1))
    return SeedInterval(mean, mean - half, mean + half, p_value, count, null)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in the same order (Holm, 1979).

    The i-th smallest of m p-values becomes the largest (m - j + 1) p_j over all j ≤ i, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(factors * np.asarray(p_values, dtype=np.float64)[order])
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]
