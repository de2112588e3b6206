"""Tests of a difference between two models: is it more than chance in the text or in the seeds?

The tests are paired. They are over seeds, and over pieces of the text that do not depend on each
other. Sentences that were shuffled before the text was divided are independent, unless a model
keeps something from one to the next. Sentences of an article are not: they share its subject, so a
model that does well on one tends to do well on the next, and whatever is learnt from one helps with
the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from online_rnnlm.core.way import UnitOfText
from online_rnnlm.storage.claims import Interval, PieceName, SeedDifference

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.05
_CHUNK_ELEMENTS = 2_000_000  # Keeps every temporary array at 16 MB or less.


@dataclass(frozen=True)
class Pieces:
    """A text's pieces; `number` (sentences,) is the number of each sentence's piece, from 0."""

    name: PieceName
    number: Ints

    @property
    def count(self) -> int:
        """Number of pieces."""
        return int(self.number.max()) + 1

    def sums(self, values: npt.NDArray[np.floating | np.integer]) -> Floats:
        """(pieces,): the sum of the sentences' values (sentences,) in each piece."""
        sums = np.bincount(self.number, values.astype(np.float64), self.count)
        return np.asarray(sums, dtype=np.float64)


def blocks(sentences: int) -> Pieces:
    """Blocks of N^(1/3) consecutive sentences of N."""
    length = max(1, round(sentences ** (1 / 3)))
    return Pieces("block", np.arange(sentences) // length)


def are_known(articles: npt.NDArray[np.int32]) -> bool:
    """True if sentences (S,) have several articles, and some article several sentences."""
    return 1 < len(np.unique(articles)) < len(articles)


def pieces_of(articles: npt.NDArray[np.int32], kept_for: UnitOfText, *, in_order: bool) -> Pieces:
    """The pieces of a test text; `articles` (sentences,) is each sentence's article.

    `in_order` says that the text is not shuffled, and `kept_for` is the unit of text for which the
    compared models keep their states, vectors, weights or caches.

    - Text in its own order is drawn by articles. Where these are not known, it is drawn by blocks
      of N^(1/3) consecutive sentences (the rate of Hall, Horowitz and Jing 1995, with factor 1).
    - Shuffled text is drawn by sentences if everything is forgotten at a sentence's end, and by
      blocks if something never is.
    """
    if in_order and are_known(articles):
        number = np.unique(articles, return_inverse=True)[1]
        return Pieces("article", number.astype(np.int64))
    if in_order or kept_for == "stream":
        return blocks(len(articles))
    return Pieces("sentence", np.arange(len(articles)))


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
        lambda gains, tokens, axis=-1: gains.sum(axis=axis) / tokens.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=1 - LEVEL,
        n_resamples=resamples,
        batch=max(1, _CHUNK_ELEMENTS // len(gains)),
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def percent_of_gain(gain: float) -> float:
    """The change of perplexity in per cent that a gain in nats per token makes."""
    return 100 * math.expm1(-gain)


def percents_of_gains(interval: Interval) -> Interval:
    """The interval of changes of perplexity in per cent that an interval of gains makes."""
    low, high = interval
    return percent_of_gain(high), percent_of_gain(low)


class Change(NamedTuple):
    """The change of perplexity from one model to another, with its 95 % bootstrap interval."""

    change_percent: float
    interval_percent: Interval
    nats_per_token: float
    """The gain."""
    interval_nats_per_token: Interval


def change_of(gains: Floats, tokens: npt.NDArray[np.integer]) -> Change:
    """The change that gains (pieces,) in log P make, in a text whose pieces have these tokens."""
    gain = float(gains.sum() / tokens.sum())
    interval = bootstrap_interval(gains, tokens)
    return Change(percent_of_gain(gain), percents_of_gains(interval), gain, interval)


def equivalence_p_value(gains: Floats, tokens: npt.NDArray[np.integer], margin: float) -> float:
    """P-value of the two one-sided tests that |sum(gains) / sum(tokens)| is below `margin`.

    Schuirmann (1987): both that the first model is worse by the margin, and that it is better by
    it, must be rejected; the larger of the two p-values counts.
    """
    shifted = (gains + margin * tokens, margin * tokens - gains)
    return max(sign_flip_p_value(gains, two_sided=False) for gains in shifted)


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
    random = np.random.default_rng(seed)
    extreme = 0
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

    mean = float(np.mean(differences))
    error = float(np.std(differences, ddof=1)) / math.sqrt(count)
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
