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

import math
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.rivals.base import Floats, ScoredText, States, Tokens
from online_rnnlm.rivals.caches import WEIGHTS, WINDOWS, Cache, Choice, check_windows, mix, search

THETAS = (0.1, 0.3, 0.5, 1.0, 1.5, 2.0)
"""Values of θ to try. Our choice: around 1, the best for 100 centred sigmoid units.

θ = 0 would be the unigram cache. A product is a sum over the units: fewer may need a larger θ.
"""

_BLOCK = 128  # tokens scored at once: their products with a cache of 2,000 fit a core's own memory


class Rival(Cache):
    """A neural cache with the window, θ and weight that are best on `valid`."""

    label = "neural cache"
    needs_hidden_states = True
    usual = MappingProxyType({"window": 2000, "theta": 1.0, "weight": 0.1})
    windows: ClassVar[Sequence[int]] = WINDOWS
    """Sizes of the cache to try."""

    def fit(self, valid: ScoredText) -> None:
        """Choose window, θ and weight."""
        text = valid.targets, valid.log_probabilities, valid.hidden_states
        self.take(search_neural(*text, self.windows))

    def score(self, text: ScoredText) -> Floats:
        """The mixture's natural log P of every token."""
        return neural_cache(text.targets, text.log_probabilities, text.hidden_states, **self.chosen)

    def cost(self, state_size: int) -> int:
        """Multiply-adds per word that a full cache adds, counted from the equations.

        M for the running mean, M for each product with a stored state, 1 to add its weight, and 1
        for the mixture. Exponentials are not counted, as they are not in the network's own cost.
        """
        window: int = self.chosen["window"]
        return 1 + state_size + window * (state_size + 1)


def neural_cache(
    targets: Tokens,
    log_probabilities: Floats,
    hidden_states: States,
    window: int,
    theta: float,
    weight: float,
) -> Floats:
    """Natural log of the mixture with a neural cache, for every target.

    The arguments are those of `unigram_cache`, θ, and `hidden_states` (N, M), whose row t is the
    state that target t is predicted from. Raises ValueError as `unigram_cache` does, and for a θ
    below 0 or states that are not finite.
    """
    probabilities = neural_probabilities(targets, hidden_states, window, theta)
    return mix(log_probabilities, probabilities, weight)


def neural_probabilities(
    targets: Tokens, hidden_states: States, window: int, theta: float
) -> Floats:
    """The neural cache's own probability of every target, float64 (N,); the first is NaN.

    `hidden_states` (N, M) as for `neural_cache`. Raises ValueError as that does.
    """
    alone: Floats = neural_grid(targets, hidden_states, [window], [theta])[0, 0]
    return alone


def neural_grid(
    targets: Tokens, hidden_states: States, windows: Sequence[int], thetas: Sequence[float]
) -> Floats:
    """`neural_probabilities` for all windows and thetas: float64 (windows, thetas, N).

    The products of the hidden states are computed once, in float32. Raises ValueError as
    `neural_cache` does.
    """
    check_windows(windows)
    _check_states(targets, hidden_states, thetas)
    states = hidden_states.astype(np.float32)
    widest = max(windows, default=1)
    result = np.full((len(windows), len(thetas), len(targets)), np.nan)
    for first, queries in _queries(states):
        begin, end = max(0, first - widest), first + len(queries)
        products = queries @ states[begin : end - 1].T
        matches = targets[first:end, np.newaxis] == targets[begin : end - 1]
        for w, window in enumerate(windows):
            near = slice(max(0, first - window) - begin, None)
            inside = _inside(first, end, window)
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


def _inside(first: int, end: int, window: int) -> NDArray[np.bool_]:
    """True where token t's cache holds token i: t from `first` to `end` - 1, i up to `end` - 2."""
    t = np.arange(first, end)[:, np.newaxis]
    i = np.arange(max(0, first - window), end - 1)
    return (i < t) & (i >= t - window)


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


def search_neural(
    targets: Tokens,
    log_probabilities: Floats,
    hidden_states: States,
    windows: Sequence[int] = WINDOWS,
    thetas: Sequence[float] = THETAS,
    weights: Sequence[float] = WEIGHTS,
) -> Choice:
    """The window, θ and weight of a neural cache with which a text, `valid`, is most probable.

    Raises ValueError as `neural_cache` does, and for an empty text or grid.
    """
    grid = neural_grid(targets, hidden_states, windows, thetas)
    points = (
        ({"window": window, "theta": theta}, grid[w, k])
        for w, window in enumerate(windows)
        for k, theta in enumerate(thetas)
    )
    return search(points, log_probabilities, weights)


def _check_states(targets: Tokens, hidden_states: States, thetas: Sequence[float]) -> None:
    if hidden_states.ndim != 2 or len(hidden_states) != len(targets):
        shape = hidden_states.shape
        raise ValueError(f"a state for each of {len(targets)} targets is needed, not {shape}")
    if not np.isfinite(hidden_states).all():
        raise ValueError("hidden states must be finite")
    for theta in thetas:
        if not 0 <= theta < math.inf:
            raise ValueError(f"theta {theta}: allowed are 0 and more")
