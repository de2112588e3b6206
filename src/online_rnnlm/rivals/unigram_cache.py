"""A network mixed with the frequencies of the words just read (Kuhn and De Mori 1990).

P_cache(w) is the relative frequency of w in the cache; `caches` has the mixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from online_rnnlm.rivals.base import Floats, ScoredText, Tokens
from online_rnnlm.rivals.caches import WEIGHTS, WINDOWS, Cache, Choice, check_windows, mix, search


class Rival(Cache):
    """A unigram cache with the window and weight that are best on `valid`."""

    label = "unigram cache"
    usual = MappingProxyType({"window": 2000, "weight": 0.05})

    def fit(self, valid: ScoredText) -> None:
        """Choose window and weight."""
        self.take(search_unigram(valid.targets, valid.log_probabilities))

    def score(self, text: ScoredText) -> Floats:
        """The mixture's natural log P of every token."""
        return unigram_cache(text.targets, text.log_probabilities, **self.chosen)

    def cost(self, state_size: int) -> int:
        """Multiply-adds per word: 1 for the mixture; the frequency is only looked up."""
        return 1


def unigram_cache(targets: Tokens, log_probabilities: Floats, window: int, weight: float) -> Floats:
    """Natural log of the mixture with a unigram cache, for every target.

    `targets` (N,) are word ids in the text's order, `log_probabilities` (N,) the network's natural
    log P of each; returns float64 (N,). Raises ValueError for arrays that do not fit together, a
    window below 1, or a weight outside [0, 1).
    """
    return mix(log_probabilities, unigram_probabilities(targets, window), weight)


def unigram_probabilities(targets: Tokens, window: int) -> Floats:
    """The unigram cache's own probability of every target, float64 (N,); the first is NaN.

    Raises ValueError for a window below 1.
    """
    check_windows([window])
    n = len(targets)
    position = np.arange(n)
    held = np.minimum(position, window)
    # A word's occurrences are a run of the sorted keys, in the text's order.
    keys = targets.astype(np.int64) * n + position
    places = np.sort(keys)
    earlier = np.searchsorted(places, keys) - np.searchsorted(places, keys - held)
    result: Floats = np.full(n, np.nan)
    result[1:] = earlier[1:] / held[1:]
    return result


def search_unigram(
    targets: Tokens,
    log_probabilities: Floats,
    windows: Sequence[int] = WINDOWS,
    weights: Sequence[float] = WEIGHTS,
) -> Choice:
    """The window and weight of a unigram cache with which a text, `valid`, is most probable.

    Raises ValueError as `unigram_cache` does, and for an empty text or grid.
    """
    points = (({"window": w}, unigram_probabilities(targets, w)) for w in windows)
    return search(points, log_probabilities, weights)
