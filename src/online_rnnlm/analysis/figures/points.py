"""What each model costs and reaches: the points of the pictures of cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.comparison import Side
from online_rnnlm.analysis.figures.rows import is_vector, model_of, rows_on
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE
from online_rnnlm.rivals import rival_in, rivals_of_corpora

STATIC_ROW, LEARNING, STILL = "static network", "vector learns in testing", "vector held still"
NETWORKS = (STATIC_ROW, LEARNING, STILL)


@dataclass(frozen=True)
class Cost:
    """A cost: its key in the figures, what its axis says, and the unit that it is shown in."""

    key: str
    label: str
    unit: float


PARAMETERS = Cost("parameters", "Parameters (millions)", 1e6)
MULTIPLY_ADDS = Cost("multiply_adds_per_word", "Multiply-adds a word in testing (thousands)", 1e3)


class Point(NamedTuple):
    """A model: what kind it is of, its cost and its test perplexity, over the seeds."""

    model: str
    kind: str
    cost: float
    perplexity: float
    deviation: float
    rival: str = ""
    """The module of the rival that it is a point of."""


def points_of(results: Results, corpus: str, cost: Cost) -> list[Point]:
    """Every row, held still and learning, its rivals, and the rivals of the corpus."""
    points = [point for runs in rows_on(results, corpus) for point in _of_row(results, runs, cost)]
    for name, of_corpus in rivals_of_corpora(results.experiment).items():
        if of_corpus.corpus == corpus:
            found = results.details[name, NONE][cost.key] / cost.unit
            reached, rival = results.perplexity(name, "test", NONE), of_corpus.rival
            points.append(Point(rival.label, rival.label, found, reached, 0.0, rival.module))
    return points


def _of_row(results: Results, runs: pd.DataFrame, cost: Cost) -> Iterator[Point]:
    if is_vector(runs):
        yield _point(results, Side(runs, DOCUMENT_VECTOR), LEARNING, cost)
        yield _point(results, Side(runs, NONE), STILL, cost)
        return
    yield _point(results, Side(runs, NONE), STATIC_ROW, cost)
    for evaluation in results.evaluations_of(runs.iloc[0]["name"]):
        rival = rival_in(evaluation, results.experiment.testing)
        if rival is not None:
            point = _point(results, Side(runs, evaluation), rival.label, cost)
            yield point._replace(rival=rival.module)


def _point(results: Results, side: Side, kind: str, cost: Cost) -> Point:
    names = list(side.runs["name"])
    costs = [
        # What a model is made of does not depend on how it is tested; what a word costs does.
        side.runs.iloc[0][cost.key]
        if cost is PARAMETERS
        else results.details[name, side.evaluation][cost.key]
        for name in names
    ]
    reached = [results.perplexity(name, "test", side.evaluation) for name in names]
    deviation = float(np.std(reached, ddof=1)) if len(reached) > 1 else 0.0
    mean = float(np.mean(costs)) / cost.unit
    return Point(model_of(side.runs), kind, mean, float(np.mean(reached)), deviation)


def frontier(points: Sequence[Point]) -> list[Point]:
    """The Pareto frontier, by cost: those that no other point matches in both for as little."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, point.perplexity)):
        if not best or point.perplexity < best[-1].perplexity:
            best.append(point)
    return best


@dataclass(frozen=True)
class Window:
    """What a picture shows of costs and perplexities: a rectangle around the networks."""

    left: float
    right: float
    low: float
    high: float

    def holds(self, point: Point) -> bool:
        """Whether a point lies within."""
        inside = self.left <= point.cost <= self.right
        return inside and self.low <= point.perplexity <= self.high

    def clamped(self, point: Point) -> tuple[float, float]:
        """The point, or the place of the edge nearest to it."""
        x = min(max(point.cost, self.left), self.right)
        return x, min(max(point.perplexity, self.low), self.high)


def window(points: Sequence[Point]) -> Window:
    """Holds the networks, and what lies near; what lies far would squash them."""
    networks = [point for point in points if point.kind in NETWORKS]
    reach = _around(networks, 0.3)
    near = [point for point in points if reach.holds(point)]
    return _around([*networks, *near], 0.1)


def _around(points: Sequence[Point], margin: float) -> Window:
    """A rectangle around points, larger by a share of its extent on each side."""
    left, right = _stretched([point.cost for point in points], margin)
    low, high = _stretched([point.perplexity for point in points], margin)
    return Window(left, right, low, high)


def _stretched(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    extent = max(high - low, 0.02 * abs(high))
    return low - margin * extent, high + margin * extent
