"""A static network mixed with a cache of the words just read: it too adapts while it is tested.

    P(w) = (1 - λ) P_rnn(w) + λ P_cache(w)

A cache holds the `window` tokens just read, in the text's order and over the ends of sentences.
Every token is scored before the cache takes it in. `</s>` and `<unk>` are words like others.
The first token's cache is empty: there λ = 0.

Unigram cache (Kuhn and De Mori 1990): P_cache(w) is the relative frequency of w in the cache.

Neural cache (Grave, Joulin and Usunier 2017, arXiv 1612.04426), where h_i is the hidden state
that token i was predicted from:

    P_cache(w) ∝ Σ_i [w_i = w] exp(θ h_t·h_i)

One thing is ours: both states are taken less m_t, the mean of h_1 … h_t. Sigmoid units are
positive, so that otherwise a product mostly says how active h_i is: on Wikipedia text in order,
with 100 hidden units, the best perplexity on valid was 80.7 with the plain states and 78.5 with
these (92.6 without a cache). The code takes m_t from h_t alone: taken from the h_i too, it would
scale all weights alike, and P_cache would stay the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.testing import CacheKind

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]

WINDOWS = (50, 100, 500, 2000)
"""Sizes of the cache to try, in tokens: our choice, from a few sentences to a long article."""
THETAS = (0.1, 0.3, 0.5, 1.0, 1.5, 2.0)
"""Values of θ to try: our choice, around 1, the best for 100 sigmoid units less their mean.

θ = 0 would be the unigram cache. A product is a sum over the units: fewer may want a larger θ.
"""
WEIGHTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Weights λ of the cache to try: our choice."""

_BLOCK = 128  # tokens scored at once: their products with a cache of 2,000 fit a core's own memory


@dataclass(frozen=True)
class Choice:
    """The settings of a cache that are best on a text, and all that were tried."""

    chosen: dict[str, Any]
    """`window`, `theta` of a neural cache, `weight`: arguments of the cache's function."""
    curve: list[dict[str, Any]]
    """For each setting of the grid the same keys, and `valid_perplexity`."""


def unigram_cache(targets: Tokens, log_probabilities: Floats, window: int, weight: float) -> Floats:
    """Natural log of the mixture with a unigram cache, for every target.

    `targets` (N,) word ids in the text's order; `log_probabilities` (N,), the network's natural
    log P of each; returns float64 (N,). Raises ValueError for arrays that do not fit together,
    a window below 1, a weight outside [0, 1).
    """
    return mix(log_probabilities, unigram_probabilities(targets, window), weight)


def neural_cache(
    targets: Tokens,
    log_probabilities: Floats,
    hidden_states: States,
    window: int,
    theta: float,
    weight: float,
) -> Floats:
    """Natural log of the mixture with a neural cache, for every target.

    As `unigram_cache`; `hidden_states` (N, M), row t the state that target t is predicted from.
    Raises ValueError also for a θ below 0 and for states that are not finite.
    """
    probabilities = neural_probabilities(targets, hidden_states, window, theta)
    return mix(log_probabilities, probabilities, weight)


def mix(log_probabilities: Floats, cache_probabilities: Floats, weight: float) -> Floats:
    """log((1 - λ) P_rnn + λ P_cache) for every target, λ = 0 where P_cache is NaN: cache empty.

    `cache_probabilities` (N,) as the functions below give them; `weight` λ. Raises ValueError.
    """
    if log_probabilities.shape != cache_probabilities.shape or log_probabilities.ndim != 1:
        shapes = f"{log_probabilities.shape} and {cache_probabilities.shape}"
        raise ValueError(f"two vectors of one length are needed, not {shapes}")
    if not np.isfinite(log_probabilities).all():
        raise ValueError("log-probabilities must be finite")
    if not 0 <= weight < 1:
        raise ValueError(f"weight {weight}: allowed are 0 and more, below 1")
    empty = np.isnan(cache_probabilities)
    with np.errstate(divide="ignore"):  # a word that the cache does not hold: log 0 = -∞
        cached = np.log(weight * np.where(empty, 0.0, cache_probabilities))
    mixed: Floats = np.logaddexp(math.log1p(-weight) + log_probabilities, cached)
    mixed[empty] = log_probabilities[empty]
    return mixed


def unigram_probabilities(targets: Tokens, window: int) -> Floats:
    """The unigram cache's own probability of every target, float64 (N,); the first is NaN.

    Raises ValueError for a window below 1.
    """
    _check_windows([window])
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


def neural_probabilities(
    targets: Tokens, hidden_states: States, window: int, theta: float
) -> Floats:
    """The neural cache's own probability of every target, float64 (N,); the first is NaN.

    `hidden_states` (N, M) as for `neural_cache`. Raises ValueError.
    """
    alone: Floats = neural_grid(targets, hidden_states, [window], [theta])[0, 0]
    return alone


def neural_grid(
    targets: Tokens, hidden_states: States, windows: Sequence[int], thetas: Sequence[float]
) -> Floats:
    """`neural_probabilities` for all windows and thetas: float64 (windows, thetas, N).

    The products of the hidden states are computed once, in float32. Raises ValueError.
    """
    _check_windows(windows)
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
    """For each block of tokens after the first: where it begins, and its rows h_t - m_t."""
    total = states[:1].sum(axis=0, dtype=np.float64)
    for first in range(1, len(states), _BLOCK):
        block = states[first : first + _BLOCK]
        totals = total + np.cumsum(block, axis=0, dtype=np.float64)
        total = totals[-1]
        read = np.arange(first, first + len(block))[:, np.newaxis] + 1
        yield first, (block - totals / read).astype(np.float32)


def _inside(first: int, end: int, window: int) -> NDArray[np.bool_]:
    """Whether token t's cache holds token i: t from `first` to `end` - 1, i up to `end` - 2."""
    t = np.arange(first, end)[:, np.newaxis]
    i = np.arange(max(0, first - window), end - 1)
    return (i < t) & (i >= t - window)


def _probabilities(
    products: NDArray[np.float32],
    matches: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    thetas: Sequence[float],
) -> Floats:
    """The shares of the matching tokens in each row's cache: float64 (thetas, rows)."""
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
    return _search(points, log_probabilities, weights)


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
    return _search(points, log_probabilities, weights)


def _search(
    points: Iterable[tuple[dict[str, Any], Floats]],
    log_probabilities: Floats,
    weights: Sequence[float],
) -> Choice:
    """Try every weight with every cache, given its settings and its probabilities."""
    if not len(log_probabilities):
        raise ValueError("there are no tokens to choose by")
    curve = []
    for settings, probabilities in points:
        for weight in weights:
            mean = float(mix(log_probabilities, probabilities, weight).mean())
            curve.append({**settings, "weight": weight, "valid_perplexity": math.exp(-mean)})
    if not curve:
        raise ValueError("there are no settings to choose from")
    chosen = min(curve, key=lambda point: point["valid_perplexity"]).copy()  # of equals the first
    del chosen["valid_perplexity"]
    return Choice(chosen, curve)


def multiply_adds_per_word(kind: CacheKind, window: int, hidden_size: int) -> int:
    """What a full cache adds to a prediction's multiply-adds, counted from the equations.

    The mixture costs 1, and a unigram cache no more: its frequency is looked up. A neural cache
    costs M for the running mean, M for each product with a stored state and 1 to add its weight.
    Exponentials are not counted, as they are not in the network's own cost.
    """
    if kind == "unigram":
        return 1
    return 1 + hidden_size + window * (hidden_size + 1)


def _check_windows(windows: Sequence[int]) -> None:
    for window in windows:
        if window < 1:
            raise ValueError(f"window {window}: a cache must hold 1 token at least")


def _check_states(targets: Tokens, hidden_states: States, thetas: Sequence[float]) -> None:
    if hidden_states.ndim != 2 or len(hidden_states) != len(targets):
        shape = hidden_states.shape
        raise ValueError(f"a state for each of {len(targets)} targets is needed, not {shape}")
    if not np.isfinite(hidden_states).all():
        raise ValueError("hidden states must be finite")
    for theta in thetas:
        if not 0 <= theta < math.inf:
            raise ValueError(f"theta {theta}: allowed are 0 and more")
