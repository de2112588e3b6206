"""The shared part of the caches of recent words: a mixture with a network, and its search.

    P(w) = (1 - λ) P_rnn(w) + λ P_cache(w)

A cache holds the last `window` tokens read, in the text's order and across the ends of sentences.
Every token is scored before it enters the cache. `</s>` and `<unk>` are words like others. For the
first token the cache is empty, and λ = 0. So a mixture adapts while it is tested.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from online_rnnlm.rivals.base import Floats, MixedRival
from online_rnnlm.storage.records import Trial

WINDOWS = (20, 50, 100, 500, 2000, 5000)
"""Sizes of the cache to try, in tokens. Our choice: from a sentence to several long articles."""
WEIGHTS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Weights λ of the cache to try. Our choice."""


@dataclass(frozen=True)
class Choice:
    """The settings of a cache that are best on a text, and all that were tried."""

    chosen: dict[str, Any]
    """`window`, `theta` of a neural cache, `weight`: arguments of the cache's function."""
    curve: list[Trial]
    """Every setting of the grid, with the same keys."""


class Cache(MixedRival):
    """A network mixed with a cache."""

    note = (
        "With a cache: the network as it is, its vector learning if it has one, mixed with the "
        "words just read."
    )

    def take(self, choice: Choice) -> None:
        """Use these settings from now on."""
        self.chosen, self.curve = choice.chosen, choice.curve


def mix(log_probabilities: Floats, cache_probabilities: Floats, weight: float) -> Floats:
    """log((1 - λ) P_rnn + λ P_cache) for every target; λ = 0 where the cache is empty.

    `cache_probabilities` (N,) are NaN where the cache is empty; `weight` is λ. Raises ValueError if
    the arrays differ in shape, a log-probability is not finite, or λ is outside [0, 1).
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


def search(
    points: Iterable[tuple[dict[str, Any], Floats]],
    log_probabilities: Floats,
    weights: Sequence[float],
) -> Choice:
    """Try every weight with every cache, given as its settings and its probabilities."""
    if not len(log_probabilities):
        raise ValueError("there are no tokens to choose by")
    curve = []
    for settings, probabilities in points:
        for weight in weights:
            mean = float(mix(log_probabilities, probabilities, weight).mean())
            tried = {**settings, "weight": weight}
            curve.append(Trial(settings=tried, valid_perplexity=math.exp(-mean)))
    if not curve:
        raise ValueError("there are no settings to choose from")
    best = min(curve, key=lambda trial: trial.valid_perplexity or math.inf)  # the first of equals
    return Choice(best.settings, curve)


def check_windows(windows: Sequence[int]) -> None:
    """Raise ValueError for a window that holds nothing."""
    for window in windows:
        if window < 1:
            raise ValueError(f"window {window}: a cache must hold 1 token at least")
