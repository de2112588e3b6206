"""Tests of a difference between two models: is it more than chance in the text or in the seeds?

The tests are over seeds, and over pieces of the text that do not depend on each other. Sentences
that were shuffled before the text was divided are independent, unless a model keeps something from
one to the next. Sentences of an article are not: they share its subject, so a model that does well
on one tends to do well on the next, and whatever is learnt from one helps with the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.storage.experiments import Interval, PieceName

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.05
_SEED = 1  # The same draws every time.
_CHUNK_ELEMENTS = 2_000_000  # Temporary arrays have 16 MB, or a row of a text of more pieces.


@dataclass(frozen=True)
class Pieces:
    """The pieces of a text, of one or more units each: sentences, articles or tokens."""

    name: PieceName
    number: Ints
    """(units,): the number of each unit's piece, from 0."""

    @property
    def count(self) -> int:
        """Number of pieces."""
        return int(self.number.max()) + 1

    def sums(self, values: npt.NDArray[np.floating | np.integer]) -> Floats:
        """(pieces,): the sum of the units' values (units,) in each piece."""
        sums = np.bincount(self.number, values.astype(np.float64), self.count)
        return np.asarray(sums, dtype=np.float64)


def articles_are_known(articles: int, sentences: int) -> bool:
    """True if a text's sentences are in articles: not all in one, and not each in its own."""
    return 1 < articles < sentences


def pieces_of(articles: npt.NDArray[np.int32], kept_for: UnitOfText, *, in_order: bool) -> Pieces:
    """The pieces of a test text that do not depend on each other.

    `articles` (sentences,) is each sentence's article; they are not known if all sentences have one
    number or each has its own. `in_order` says that the text is not shuffled, and `kept_for` is the
    unit of text for which the compared models keep their states, vectors, weights or caches.

    - Text in its own order is drawn by articles or, where these are not known, by blocks of
      consecutive sentences.
    - Shuffled text is drawn by sentences if everything is forgotten at a sentence's end, and by
      blocks if something never is.

    A block has N^(1/3) sentences (the rate of Hall, Horowitz and Jing 1995, with factor 1).
    """
    sentences = len(articles)
    distinct, number = np.unique(articles, return_inverse=True)
    if in_order and articles_are_known(len(distinct), sentences):
        return Pieces("article", number.astype(np.int64))
    if in_order or kept_for == "stream":
        length = max(1, round(sentences ** (1 / 3)))
        return Pieces("block", np.arange(sentences) // length)
    return Pieces("sentence", np.arange(sentences))


def bootstrap_interval(gains: Floats, tokens: Ints, resamples: int = RESAMPLES) -> Interval:
    """The 95 % percentile interval of sum(gains) / sum(tokens), pieces drawn with replacement.

    Efron and Tibshirani (1993), chapter 13.
    """
    from scipy import stats  # noqa: PLC0415  # takes a second; not every reader of results tests

    found = stats.bootstrap(
        (gains, tokens),
        lambda gains, tokens, axis=-1: gains.sum(axis=axis) / tokens.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=1 - LEVEL,
        n_resamples=resamples,
        batch=max(1, _CHUNK_ELEMENTS // len(gains)),
        rng=np.random.default_rng(_SEED),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def percent_of_gain(gain: float) -> float:
    """The change of perplexity in per cent that a gain in nats per token makes."""
    return 100 * math.expm1(0.0 - gain)  # -gain would make -0.0 of no gain


def percents_of_gains(interval: Interval) -> Interval:
    """The interval of changes of perplexity in per cent that an interval of gains makes."""
    low, high = interval
    return percent_of_gain(high), percent_of_gain(low)


def sign_flip_p_value(gains: Floats, resamples: int = RESAMPLES) -> float:
    """Two-sided p-value of the paired permutation test on sum(gains).

    If the two models were the same, each piece's gain could just as well have the other sign.
    If there are few sign patterns, all are counted; otherwise they are drawn at random, and the
    observed pattern is counted with them (Phipson and Smyth, 2010), so that the p-value is never
    0. SciPy's `permutation_test` does the same but takes twelve times as long.
    """
    # Sums that are equal but for rounding count as equal.
    threshold = abs(gains.sum()) - 1e-12 * np.abs(gains).sum()
    if len(gains) < 60 and 2 ** len(gains) <= resamples:
        patterns = np.arange(2 ** len(gains))[:, None] >> np.arange(len(gains))
        return float(np.mean(np.abs((2.0 * (patterns & 1) - 1.0) @ gains) >= threshold))
    random = np.random.default_rng(_SEED)
    extreme = 0
    at_once = max(1, _CHUNK_ELEMENTS // len(gains))
    for drawn in range(0, resamples, at_once):
        rows = min(at_once, resamples - drawn)
        signs = 2.0 * random.integers(2, size=(rows, len(gains)), dtype=np.int8) - 1.0
        extreme += int(np.sum(np.abs(signs @ gains) >= threshold))
    return (extreme + 1) / (resamples + 1)


class Gain(NamedTuple):
    """A gain in nats per token, with its 95 % interval and its p-value."""

    nats_per_token: float
    interval: Interval
    p_value: float

    @property
    def change_percent(self) -> float:
        """The change of perplexity that the gain makes (%): below 0 for a gain."""
        return percent_of_gain(self.nats_per_token)

    @property
    def interval_percent(self) -> Interval:
        """The 95 % interval of that change (%)."""
        return percents_of_gains(self.interval)


class Chance(NamedTuple):
    """A variance, such as the squared standard error of a gain, with its degrees of freedom."""

    variance: float
    freedom: int


def pooled_over_networks(by_network: Iterable[Sequence[float]]) -> Chance | None:
    """The variance of the seeds of a network, pooled over networks.

    It is the sum of the squared deviations from each network's own mean, over the sum of the
    numbers of its seeds less one. None if no network has two seeds.
    """
    several = [np.asarray(values) for values in by_network if len(values) > 1]
    freedom = sum(len(values) - 1 for values in several)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in several)
    return Chance(squares / freedom, freedom) if several else None


def gain_over_text_and_seeds(
    ours: Floats, theirs: Floats, tokens: Ints, of_seeds: Chance | None
) -> Gain:
    """The gain of one network over another, allowing for chance in the text and in the seeds.

    ours (seeds, pieces), theirs (its seeds, pieces): natural log P of the same pieces of text;
    tokens (pieces,). The squared standard error of the text is added to that of the seeds,
    `of_seeds`, which is None if there is one seed. The text's is that of a ratio of sums (Cochran
    1977, section 6.3), which is also a bootstrap's over the pieces. The quantile is that of
    Student's t with the degrees of freedom of Welch and Satterthwaite.
    """
    from scipy import stats  # noqa: PLC0415  # takes a second; not every reader of results tests

    total = tokens.sum()
    gains = ours.mean(axis=0) - theirs.mean(axis=0)
    gain = float(gains.sum() / total)
    pieces = len(gains)
    scatter = (gains - gain * tokens) / total
    parts = [Chance(pieces * float(np.var(scatter, ddof=1)), pieces - 1)]
    if of_seeds is not None:
        parts.append(of_seeds)
    variance = sum(part.variance for part in parts)
    # Two systems that always differ by the same amount leave nothing to chance.
    if variance <= (1e-12 * gain) ** 2:
        return Gain(gain, (gain, gain), float(gain == 0))
    freedom = variance**2 / sum(part.variance**2 / part.freedom for part in parts)
    error = math.sqrt(variance)
    half = error * float(stats.t.ppf(1 - LEVEL / 2, freedom))
    p_value = 2 * float(stats.t.sf(abs(gain) / error, freedom))
    return Gain(gain, (gain - half, gain + half), p_value)


def t_interval(values: Sequence[float]) -> Interval:
    """The 95 % interval of the mean of two values or more, by Student's t."""
    from scipy import stats  # noqa: PLC0415  # as above

    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = error * float(stats.t.ppf(1 - LEVEL / 2, len(values) - 1))
    return mean - half, mean + half


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in the same order (Holm, 1979).

    The i-th smallest of m p-values becomes the largest (m - j + 1) p_j over all j ≤ i, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(factors * np.asarray(p_values, dtype=np.float64)[order])
    adjusted = np.minimum(stepped, 1.0)[np.argsort(order)]
    return [float(value) for value in adjusted]
