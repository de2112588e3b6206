"""A network mixed with the frequencies of the words just read (Kuhn and De Mori 1990).

P_cache(w) is the relative frequency of w in the cache; `caches` has the mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from online_rnnlm.config.rivals import RunRivalName
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.text import Split
from online_rnnlm.jobs.network import Network, Tested
from online_rnnlm.rivals import caches
from online_rnnlm.rivals.caches import WINDOWS, Cache, ScoredText, Settings, Tokens


def evaluate(network: Network, _: RunRivalName) -> Tested:
    """Score the texts with the cache, by the settings that are best on `valid`."""
    return caches.evaluate(network, UnigramCache())


def scorer(network: Network, _: RunRivalName, chosen: Settings) -> Callable[[Split], Floats]:
    """Return the function that scores a text with the cache, by chosen settings."""
    return caches.scorer(network, UnigramCache(), chosen)


class UnigramCache(Cache):
    """A cache that gives a word the share that it has of the words just read."""

    needs_hidden_states = False

    grid = tuple({"window": window} for window in WINDOWS)

    def probabilities(self, text: ScoredText, tried: Sequence[Settings]) -> Iterator[Floats]:
        """Yield each token's frequency in a cache of `window` tokens."""
        for settings in tried:
            yield frequencies(text.targets, int(settings["window"]))

    def cost(self, state_size: int, settings: Settings) -> int:
        """Multiply-adds per word: 1 for the mixture; the frequency is only looked up."""
        return 1


def frequencies(targets: Tokens, window: int) -> Floats:
    """Return the relative frequency of every token among the `window` before it, float64 (N,).

    The first, which has none before it, is NaN.
    """
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
