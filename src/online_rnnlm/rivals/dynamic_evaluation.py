"""Dynamic evaluation as Krause et al. (2018, arXiv 1709.07432) do it: every weight learns.

A step follows each stretch of a few tokens; `engines.kernels.dynamic` has the equation. What is
ours: ε is a share of the mean of the weights' root mean squares, which are those of training's own
batches, so that one grid suits networks of different sizes; and the document vector of a network
that has one learns as in training beside the weights.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.core.text import Split
from online_rnnlm.jobs.cost import costs_after_stretches
from online_rnnlm.jobs.network import Network, Tested, best_trial, timed
from online_rnnlm.process.environment import begin_anew_if_compiled
from online_rnnlm.storage.evaluations import Trial

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
LearningText = Callable[..., Floats]
"""A split that a network reads while all of its weights learn: a function of the settings that
returns natural log P of every token (`engines.kernels.dynamic.DynamicScorer.score`)."""
STEPS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1))
"""The moves of the search; the last is of η and ε together, since a larger ε wants a larger η."""


def evaluate(network: Network) -> Tested:
    """Score the texts with weights that learn, by the settings that are best on `valid`."""
    from online_rnnlm.core.engines.kernels import dynamic  # noqa: PLC0415  # loads kernels

    corpus = network.corpus
    scorer = dynamic.DynamicScorer(network.settings, corpus, network.weights)
    texts: dict[str, LearningText] = {
        name: partial(scorer.score, corpus.splits[name]) for name in corpus.held_out
    }
    scorer.score(_beginning(corpus.splits["valid"]), **_settings_at(_START))
    begin_anew_if_compiled()
    curve = search(texts["valid"])
    chosen = best_trial(curve).settings
    logs, seconds = timed(lambda text: text(**chosen), texts)
    test = corpus.splits["test"]
    offsets = dynamic.segments_for(test, network.settings, TOKENS)[0]
    costs = costs_after_stretches(
        network.settings,
        corpus,
        Split(test.stream, offsets),
        per_step=MULTIPLY_ADDS_PER_STEP,
    )
    return Tested(logs, seconds, costs, chosen=chosen, curve=curve)


def _beginning(split: Split) -> Split:
    """Return the first sentence of a split, by which kernels are compiled or loaded."""
    return Split(split.stream[: split.offsets[1] + 1], split.offsets[:2], split.articles[:1])


def _settings_at(place: Place) -> dict[str, Any]:
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
        trial = Trial(settings=settings, valid_perplexity=perplexity(valid(**settings)))
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
