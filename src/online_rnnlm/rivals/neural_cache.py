"""A network mixed with a neural cache (Grave, Joulin and Usunier 2017, arXiv 1612.04426).

    P_cache(w) ∝ Σ_i [w_i = w] exp(θ h_t·h_i)

where h_i is the hidden state that token i was predicted from; `caches` has the mixture.

One thing is ours: m_t, the mean of h_1 … h_t, is subtracted from both states. Sigmoid units are
positive, so a product of plain states mostly measures how active h_i is: on Wikipedia text in
order, with 100 hidden units, the best perplexity on valid was 80.7 with the plain states and 78.5
with the centred ones (92.6 without a cache). The code subtracts m_t from h_t alone: subtracting it
from the h_i too would scale all weights alike, and so leave P_cache the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.rivals import SHORT_CACHE, RunRivalName
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.text import Split
from online_rnnlm.jobs.network import Network, Tested
from online_rnnlm.rivals import caches
from online_rnnlm.rivals.caches import (
    Cache,
    ScoredText,
    Settings,
    States,
    Tokens,
)

THETAS = (0.3, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Values of θ to try. Our choice: around 1, the best for 100 centred sigmoid units.

θ = 0 would be the unigram cache. A product is a sum over the units: fewer may need a larger θ.
"""

SHORT_WINDOWS = (20, 50, 80)
"""Sizes of the short cache to try, which costs as much as a vector of 20 numbers.

The best neural cache is mostly one of 500 words or more, for many times the multiply-adds of a
document vector. The short one is its equal in cost: with M hidden units and W words it adds
1 + M + W (M + 1) multiply-adds per word. For M = 100 these are 8,181 with 80 words, where the
vector adds 8,231 (50,000 words in 100 classes).
"""

_BLOCK = 128  # tokens scored at once: their products with a cache fit a core's own memory


def evaluate(network: Network, rival: RunRivalName) -> Tested:
    """Score the texts with the cache or the short one, by the settings that are best on `valid`."""
    return caches.evaluate(network, _cache_of(rival))


def scorer(network: Network, rival: RunRivalName, chosen: Settings) -> Callable[[Split], Floats]:
    """Return the function that scores a text with the cache or the short one, by settings
    that are chosen already."""
    return caches.scorer(network, _cache_of(rival), chosen)


def _cache_of(rival: RunRivalName) -> NeuralCache:
    """Return the cache or the short one."""
    return NeuralCache(SHORT_WINDOWS if rival == SHORT_CACHE else caches.WINDOWS)


@dataclass(frozen=True)
class NeuralCache(Cache):
    """A cache that gives a word its share of the weights of the words just read, with `theta`."""

    windows: Sequence[int]
    """Sizes of the cache to try."""
    needs_hidden_states = True

    @property
    def grid(self) -> list[Settings]:
        """Each θ with each window."""
        return [{"window": window, "theta": theta} for window in self.windows for theta in THETAS]

    def probabilities(self, text: ScoredText, tried: Sequence[Settings]) -> list[Floats]:
        """Return each token's share of the weights in a cache of `window` tokens, with `theta`."""
        windows = list(dict.fromkeys(int(settings["window"]) for settings in tried))
        thetas = list(dict.fromkeys(settings["theta"] for settings in tried))
        found = neural_grid(text.targets, text.hidden_states, windows, thetas)
        reached = {
            (window, theta): found[w, k]
            for w, window in enumerate(windows)
            for k, theta in enumerate(thetas)
        }
        return [reached[int(settings["window"]), settings["theta"]] for settings in tried]

    def cost(self, state_size: int, settings: Settings) -> float:
        """Multiply-adds per word that a full cache adds, counted from the equations.

        M for the running mean, M for each product with a stored state, 1 to add its weight, and 1
        for the mixture. Exponentials are not counted, as they are not in the network's own cost.
        """
        return 1 + state_size + settings["window"] * (state_size + 1)


def neural_grid(
    targets: Tokens, hidden_states: States, windows: Sequence[int], thetas: Sequence[float]
) -> Floats:
    """Return the cache's probability of every token: float64 (windows, thetas, N), the first NaN.

    Row t of `hidden_states` (N, M) is the state that target t is predicted from. The products of
    the states are computed once, in float32.
    """
    states = hidden_states.astype(np.float32)
    widest = max(windows)
    result = np.full((len(windows), len(thetas), len(targets)), np.nan)
    for first, queries in _queries(states):
        begin = max(0, first - widest)
        end = first + len(queries)
        products = queries @ states[begin : end - 1].T
        matches = targets[first:end, np.newaxis] == targets[begin : end - 1]
        for w, window in enumerate(windows):
            near = slice(max(0, first - window) - begin, None)
            # Whether token t's cache holds token i: t from `first` to `end` - 1.
            t = np.arange(first, end)[:, np.newaxis]
            i = np.arange(max(0, first - window), end - 1)
            inside = (i < t) & (i >= t - window)
            scores = _probabilities(products[:, near], matches[:, near], inside, thetas)
            result[w, :, first:end] = scores
    return result


def _queries(states: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield, for each block of tokens after the first token, its begin and its rows h_t - m_t."""
    total = states[:1].sum(axis=0, dtype=np.float64)
    for first in range(1, len(states), _BLOCK):
        block = states[first : first + _BLOCK]
        totals = total + np.cumsum(block, axis=0, dtype=np.float64)
        total = totals[-1]
        read = np.arange(first, first + len(block))[:, np.newaxis] + 1
        yield first, (block - totals / read).astype(np.float32)


def _probabilities(
    products: NDArray[np.float32],
    matches: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    thetas: Sequence[float],
) -> Floats:
    """The matching tokens' share of the weights in each row's cache: float64 (thetas, rows)."""
    highest = np.where(inside, products, -np.inf).max(axis=1, keepdims=True)
    exponents = np.where(inside, products - highest, np.float32(0))  # none above 0: no overflow
    rows, columns = np.nonzero(matches)
    result = np.empty((len(thetas), len(products)))
    for k, theta in enumerate(thetas):
        weights = np.exp(np.float32(theta) * exponents)
        weights *= inside  # the first and last columns are not in every row's cache
        hits = np.bincount(rows, weights[rows, columns], minlength=len(products))
        result[k] = hits / weights.sum(axis=1, dtype=np.float64)
    return result
