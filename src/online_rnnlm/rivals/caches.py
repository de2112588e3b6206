"""The shared part of the caches of recent words: a mixture with a network, and its search.

    P(w) = (1 - λ) P_rnn(w) + λ P_cache(w)

A cache holds the last `window` tokens read, in the text's order and across the ends of sentences.
Every token is scored before it enters the cache. `</s>` and `<unk>` are words like others. For the
first token the cache is empty, and λ = 0. So a mixture adapts to the text that it is tested on.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import main_adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.core.text import Split
from online_rnnlm.jobs.cost import costs_of
from online_rnnlm.jobs.network import Network, Tested, best_trial, timed
from online_rnnlm.storage.evaluations import Trial
from online_rnnlm.storage.records import Number

Tokens = NDArray[np.integer[Any]]
States = NDArray[np.floating[Any]]
Settings = Mapping[str, Number]
WINDOWS = (20, 50, 100, 500, 2000, 5000)
"""Sizes of the cache to try, in tokens. Our choice: from a sentence to several long articles."""
WEIGHTS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Weights λ of the cache to try. Our choice."""


class ScoredText(NamedTuple):
    """A split and a network's scores of it, in the text's order."""

    targets: Tokens
    """(N,): ids of the tokens."""
    log_probabilities: Floats
    """(N,): natural log P of each."""
    hidden_states: States
    """(N, M): the state that each token was predicted from; (0, M) for a cache that needs none."""


class Cache(ABC):
    """A cache of the words just read; its settings are `window` and those that its kind adds."""

    needs_hidden_states: ClassVar[bool]

    @property
    @abstractmethod
    def grid(self) -> Sequence[Settings]:
        """All settings to try."""

    @abstractmethod
    def probabilities(self, text: ScoredText, tried: Sequence[Settings]) -> Iterable[Floats]:
        """Return the cache's own probability of every token with each of these settings, float64
        (N,); the first is NaN."""

    @abstractmethod
    def cost(self, state_size: int, settings: Settings) -> float:
        """Multiply-adds per word that it adds to a network whose states have that length."""


def evaluate(network: Network, cache: Cache) -> Tested:
    """Score the texts with a network mixed with a cache, by the settings that are best on `valid`.

    The network's document vector, if any, learns as in training.
    """
    adaptation = main_adaptation(network.settings.document_size)
    scores, seconds = network.score(
        adaptation, network.corpus.held_out, hidden_states=cache.needs_hidden_states
    )
    texts = {
        name: scored_text(network.corpus.splits[name], found) for name, found in scores.items()
    }
    curve = try_all(cache, texts["valid"])
    chosen = best_trial(curve).settings
    logs, more = timed(partial(score, cache, chosen), texts)
    own = costs_of(network.settings, network.corpus, adaptation)
    states = network.weights.class_output.shape[1]
    adds = own.multiply_adds_per_word + cache.cost(states, chosen)
    return Tested(
        logs,
        {name: seconds[name] + more[name] for name in texts},
        own.model_copy(update={"multiply_adds_per_word": adds}),
        chosen=chosen,
        curve=curve,
    )


def scorer(network: Network, cache: Cache, chosen: Settings) -> Callable[[Split], Floats]:
    """Return the function that scores a text with a network and a cache of chosen settings."""
    score_alone = network.scorer(
        main_adaptation(network.settings.document_size), hidden_states=cache.needs_hidden_states
    )
    return lambda split: score(cache, chosen, scored_text(split, score_alone(split)))


def scored_text(split: Split, scores: Scores) -> ScoredText:
    """Return a split with a network's scores of it."""
    return ScoredText(split.stream[1:], scores.log_probabilities, scores.hidden_states)


def try_all(cache: Cache, valid: ScoredText) -> list[Trial]:
    """Try every weight with every cache of the grid."""
    curve = []
    found = cache.probabilities(valid, cache.grid)
    for settings, probabilities in zip(cache.grid, found, strict=True):
        for weight in WEIGHTS:
            reached = perplexity(mix(valid.log_probabilities, probabilities, weight))
            tried = {**settings, "weight": weight}
            curve.append(Trial(settings=tried, valid_perplexity=reached))
    return curve


def score(cache: Cache, settings: Settings, text: ScoredText) -> Floats:
    """Return natural log P of every token with a network and a cache, mixed by its `weight`."""
    [probabilities] = cache.probabilities(text, [settings])
    return mix(text.log_probabilities, probabilities, settings["weight"])


def mix(log_probabilities: Floats, cache_probabilities: Floats, weight: float) -> Floats:
    """Return log((1 - λ) P_rnn + λ P_cache) of every token, float64 (N,).

    `cache_probabilities` (N,) are NaN where the cache is empty, and there λ = 0; else λ is
    `weight`, from 0 to below 1.
    """
    empty = np.isnan(cache_probabilities)
    # For a word that the cache does not hold, log 0 = -∞; a network that diverged gives NaN.
    with np.errstate(divide="ignore", invalid="ignore"):
        cached = np.log(weight * np.where(empty, 0.0, cache_probabilities))
        mixed: Floats = np.logaddexp(math.log1p(-weight) + log_probabilities, cached)
    mixed[empty] = log_probabilities[empty]
    return mixed
