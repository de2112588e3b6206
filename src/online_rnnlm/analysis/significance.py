"""Tests of a difference between two models: is it more than chance in the text or in the seeds?

The tests are paired. They are over pieces of the text that do not depend on each other
(`analysis.comparison`), and over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from online_rnnlm.storage.claims import Interval, SeedDifference

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.05
_CHUNK_ELEMENTS = 2_000_000  # Keeps every temporary array at 16 MB or less.


def side(interval: Interval, null: float = 0.0) -> int:
    """The side of `null` on which an interval lies: 1 above, -1 below, 0 if it holds `null`."""
    low, high = interval
    return int(low > null) - int(high < null)


def bootstrap_interval(
    gains: Floats, tokens: npt.NDArray[np.integer], seed: int = 1, resamples: int = RESAMPLES
) -> Interval:
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


def equivalence_p_value(gains: Floats, tokens: npt.NDArray[np.integer], margin: float) -> float:
    """P-value of the two one-sided tests that |sum(gains) / sum(tokens)| is below `margin`.

    Schuirmann (1987): both that the first model is worse by the margin, and that it is better by
    it, must be rejected; the larger of the two p-values counts.
    """
    shifted = (gains + margin * tokens, margin * tokens - gains)
    return max(sign_flip_p_value(one, two_sided=False) for one in shifted)


def sign_flip_p_value(
    gains: Floats, seed: int = 1, resamples: int = RESAMPLES, *, two_sided: bool = True
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
        patterns = np.arange(2 ** len(gains))[:, None] >> np.arange(len(gains))
        return float(np.mean(size((2.0 * (patterns & 1) - 1.0) @ gains) >= threshold))
    random, extreme = np.random.default_rng(seed), 0
    at_once = max(1, _CHUNK_ELEMENTS // len(gains))
    for drawn in range(0, resamples, at_once):
        rows = min(at_once, resamples - drawn)
        signs = 2.0 * random.integers(2, size=(rows, len(gains)), dtype=np.int8) - 1.0
        extreme += int(np.sum(size(signs @ gains) >= threshold))
    return (extreme + 1) / (resamples + 1)


def seed_interval(differences: Sequence[float], null: float = 0.0) -> SeedDifference | None:
    """Student's paired t interval; None for a single seed, which says nothing about others.

    differences: one value for each seed, the first model's mean log-probability per token minus
    the second's. The p-value is that of the hypothesis that they are `null` on average.
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
    return SeedDifference(
        seeds=count,
        nats_per_token=mean,
        interval_nats_per_token=(mean - half, mean + half),
        p_value=p_value,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in the same order (Holm, 1979).

    The i-th smallest of m p-values becomes the largest (m - j + 1) p_j over all j ≤ i, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(factors * np.asarray(p_values, dtype=np.float64)[order])
    adjusted = np.minimum(stepped, 1.0)[np.argsort(order)]
    return [float(value) for value in adjusted]
