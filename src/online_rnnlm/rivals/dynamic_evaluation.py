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
from typing import TYPE_CHECKING, Any

from online_rnnlm.core.perplexity import perplexity
from online_rnnlm.core.text import Split
from online_rnnlm.jobs.cost import costs_after_stretches
from online_rnnlm.rivals import base
from online_rnnlm.rivals.base import Floats, timed
from online_rnnlm.storage.evaluations import Trial

if TYPE_CHECKING:
    from online_rnnlm.jobs.evaluate import EvaluationFiles
    from online_rnnlm.jobs.network import Network

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
"""Those of a step of one weight, beside its gradient: one for the scaled step, two for the decay.
"""
Place = tuple[int, ...]
_START: Place = (4, 1, 2)
_SLOWEST: Place = (0, 3, 4)
"""The smallest steps of the grid: where the search starts if its usual start diverges."""
LearningText = Callable[..., Floats]
"""A split that a network reads while all of its weights learn: a function of the settings that
returns natural log P of every token (`engines.kernels.dynamic.DynamicScorer.score`)."""
_STEPS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1))
"""The moves of the search; the last is of η and ε together, since a larger ε wants a larger η."""


class Rival(base.Rival):
    """Dynamic evaluation with the settings that are best on `valid`."""

    label = "dynamic evaluation"
    note = (
        "With dynamic evaluation: all weights learn after every few words, by steps scaled with "
        "their usual gradients, and decay to the trained weights."
    )
    phrase = label

    def evaluate(self, network: Network, files: EvaluationFiles) -> None:
        """Score the texts with weights that learn and decay."""
        from online_rnnlm.core.engines.kernels import dynamic  # noqa: PLC0415  # loads kernels

        corpus = network.corpus
        scorer = dynamic.DynamicScorer(network.settings, corpus, network.weights)
        texts = {name: partial(scorer.score, corpus.splits[name]) for name in corpus.held_out}
        self.fit(texts["valid"])
        logs, seconds = timed(self.score, texts)
        test = corpus.splits["test"]
        offsets, _ = dynamic.segments_for(test, network.settings, TOKENS)
        costs = costs_after_stretches(
            network.settings,
            corpus,
            Split(test.stream, offsets),
            per_step=MULTIPLY_ADDS_PER_STEP,
        )
        files.write(logs, seconds, costs=costs, chosen=self.chosen, curve=tuple(self.curve))

    def fit(self, valid: LearningText) -> None:
        """Choose the settings by steps to the best neighbour in the grid, until none is better."""
        reached = cache(partial(self._try, valid))
        best = _START if math.isfinite(reached(_START)) else _SLOWEST
        # Of equals, the first is taken.
        while (better := min([best, *_neighbours(best)], key=reached)) != best:
            best = better
        self.chosen = _settings(best)

    def _try(self, valid: LearningText, place: Place) -> float:
        """Return the perplexity with the settings at a place; infinite if it diverges."""
        settings = _settings(place)
        reached = perplexity(valid(**settings))
        self.curve.append(Trial(settings=settings, valid_perplexity=reached))
        said = ", ".join(f"{key} {settings[key]:g}" for key in GRID)
        logger.info("%s: %s: perplexity %.2f on valid", self.label, said, reached or math.inf)
        return reached or math.inf

    def score(self, text: LearningText) -> Floats:
        """Natural log P of every token."""
        return text(**self.chosen)


def _settings(place: Place) -> dict[str, Any]:
    chosen = {key: values[i] for (key, values), i in zip(GRID.items(), place, strict=True)}
    return {**chosen, "tokens": TOKENS}


def _neighbours(place: Place) -> Iterator[Place]:
    """Yield the places of the grid that are one of the steps away, in either direction."""
    sizes = [len(values) for values in GRID.values()]
    for step in _STEPS:
        for sign in (-1, 1):
            moved = tuple(one + sign * by for one, by in zip(place, step, strict=True))
            if all(0 <= one < size for one, size in zip(moved, sizes, strict=True)):
                yield moved
