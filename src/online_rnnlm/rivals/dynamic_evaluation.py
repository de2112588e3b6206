"""Dynamic evaluation as Krause et al. (2018, arXiv 1709.07432) do it: all weights are updated.

A step follows each stretch of a few tokens; `engines.kernels.online` has the equation. What is
ours: ε is a share of the mean of the weights' root mean squares, which are those of training's own
batches, so that one grid suits networks of different sizes; and the document vector of a network
that has one is updated as in training, beside the weights.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np

from online_rnnlm.config.evaluations import usable_anywhere
from online_rnnlm.config.rivals import RunRivalName
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines import kernel_online
from online_rnnlm.core.order import Order, stretches, unit_beginnings
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.core.settings import NetworkSettings
from online_rnnlm.core.text import Split
from online_rnnlm.jobs.cost import costs_after_stretches
from online_rnnlm.jobs.network import Network, Tested, best_trial, timed
from online_rnnlm.process.kernels import provide_kernels
from online_rnnlm.storage.evaluations import Trial
from online_rnnlm.storage.records import Number

logger = logging.getLogger(__name__)

GRID: dict[str, tuple[float, ...]] = {
    "learning_rate": (0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2),
    "decay": (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03),
    "epsilon": (0.1, 0.3, 1.0, 3.0, 10.0),
}
"""The values of η, λ and ε to try. Our choice."""
TOKENS = 5
"""The length of a stretch, as in the paper."""
MULTIPLY_ADDS_PER_STEP = 3
"""The multiply-adds by which one weight takes a step, its gradient not counted: one for the scaled
step, two for the decay."""
Place = tuple[int, ...]
_START: Place = (4, 1, 2)
_SLOWEST: Place = (0, 3, 4)
"""The place of smaller steps, where the search starts if its usual start diverges."""
LearningText = Callable[[Mapping[str, Number]], Floats]
"""A split that a network reads while its weights are updated: a function of the settings, by name,
that returns natural log P of every token."""
STEPS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1))
"""The moves of the search; the last is of η and ε together, since a larger ε wants a larger η."""


def evaluate(network: Network, _: RunRivalName) -> Tested:
    """Score the texts while all weights are updated, by the settings that are best on `valid`."""
    corpus = network.corpus
    settings = network.settings
    text_of = texts_of(network)
    text_of(corpus.splits["valid"].first(1))(_settings_at(_START))  # loads or compiles kernels
    curve = search(text_of(corpus.splits["valid"]))
    chosen = best_trial(curve).settings
    texts = {name: corpus.splits[name] for name in corpus.held_out}
    logs, seconds = timed(lambda split: text_of(split)(chosen), texts)
    stretches_of_test = cut(corpus.splits["test"], settings.network, TOKENS)[0]
    costs = costs_after_stretches(
        settings, corpus, stretches_of_test, per_step=MULTIPLY_ADDS_PER_STEP
    )
    return Tested(logs, seconds, costs, chosen=chosen, curve=curve)


def scorer(
    network: Network, _: RunRivalName, chosen: Mapping[str, Number]
) -> Callable[[Split], Floats]:
    """Return the function that scores a text while all weights are updated by chosen settings."""
    text_of = texts_of(network)
    return lambda split: text_of(split)(chosen)


def texts_of(tested: Network) -> Callable[[Split], LearningText]:
    """Read the training text once, for m; return a function that makes the texts of splits."""
    provide_kernels(usable_anywhere(tested.settings))
    network = tested.settings.network
    offsets = tested.corpus.class_offsets
    weights = tested.weights
    rms = kernel_online.root_mean_squares(
        network, tested.settings.rule, offsets, weights, tested.corpus.splits["train"]
    )

    def text_of(split: Split) -> LearningText:
        segments, order = cut(split, network, TOKENS)

        def read(chosen: Mapping[str, Number]) -> Floats:
            dynamics = kernel_online.DynamicEvaluation(*(float(chosen[key]) for key in GRID))
            return kernel_online.score_dynamically(
                network, offsets, weights, rms, segments, order, dynamics
            ).log_probabilities

        return read

    return text_of


def cut(split: Split, network: NetworkSettings, tokens: int) -> tuple[Split, Order]:
    """Cut each unit of a split into segments of at most `tokens` tokens, to be read in order.

    The state is carried over within each unit of text.
    """
    units = np.append(np.flatnonzero(unit_beginnings(split, network.unit_of_text)), split.sentences)
    segments = stretches(split, units, tokens)
    read = np.arange(segments.split.sentences)[:, None]
    return segments.split, Order(read, np.isin(read, segments.units))


def _settings_at(place: Place) -> dict[str, Number]:
    """Return the settings at a place of the grid."""
    chosen = {key: values[i] for (key, values), i in zip(GRID.items(), place, strict=True)}
    return {**chosen, "tokens": TOKENS}


def search(valid: LearningText) -> list[Trial]:
    """Try settings by steps to the best neighbour in the grid, until none is better."""
    curve = []

    @cache
    def reached(place: Place) -> float:
        """Return the perplexity with the settings at a place; infinite if it diverges."""
        settings = _settings_at(place)
        trial = Trial(settings=settings, valid_perplexity=perplexity(valid(settings)))
        curve.append(trial)
        said = ", ".join(f"{key} {settings[key]:g}" for key in GRID)
        found = trial.valid_perplexity or math.inf
        logger.info("dynamic evaluation: %s: perplexity %.2f on valid", said, found)
        return found

    def around(place: Place) -> Iterator[Place]:
        """Yield the places of the grid that are one of the steps away, in either direction."""
        sizes = [len(values) for values in GRID.values()]
        for step in STEPS:
            for sign in (-1, 1):
                moved = tuple(one + sign * by for one, by in zip(place, step, strict=True))
                if all(0 <= one < size for one, size in zip(moved, sizes, strict=True)):
                    yield moved

    best = _START if math.isfinite(reached(_START)) else _SLOWEST
    # Of equals, the first is taken.
    while (better := min([best, *around(best)], key=reached)) != best:
        best = better
    return curve
