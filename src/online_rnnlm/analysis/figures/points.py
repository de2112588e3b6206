"""The cost and the perplexity of each model: the points of the figures of cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from online_rnnlm.analysis.comparison import Side
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row, metric_of, multiply_adds_of
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE
from online_rnnlm.storage.records import Evaluation

STATIC_ROW, LEARNING, STILL = "static network", "vector learns in testing", "vector held still"
NETWORKS = (STATIC_ROW, LEARNING, STILL)


@dataclass(frozen=True)
class Cost:
    """A cost, with the label of its axis and the unit that it is shown in."""

    label: str
    unit: float


PARAMETERS = Cost("Parameters (millions)", 1e6)
MULTIPLY_ADDS = Cost("Multiply-adds a word in testing (thousands)", 1e3)


class Point(NamedTuple):
    """A model's kind and cost, and its test perplexity, as mean and deviation over the seeds."""

    model: str
    kind: str
    cost: float
    perplexity: float
    deviation: float
    rival: str = ""
    """The module of the rival, if the point is that of a rival."""


def points_of(results: Results, corpus: str, cost: Cost) -> list[Point]:
    """The points of a corpus: its rows, held still and learning, and all rivals."""
    points = [point for row in results.rows_on(corpus) for point in _of_row(results, row, cost)]
    for _, rival, found in results.rivals_on(corpus):
        point = _point(rival.label, rival.label, [found], found.parameters or 0, cost)
        points.append(point._replace(rival=rival.module))
    return points


def _of_row(results: Results, row: Row, cost: Cost) -> Iterator[Point]:
    if row.has_vector:
        yield _of_side(Side(row, DOCUMENT_VECTOR), LEARNING, cost)
        yield _of_side(Side(row, NONE), STILL, cost)
    else:
        yield _of_side(Side(row, NONE), STATIC_ROW, cost)
    for evaluation in row.evaluations:
        rival = results.rival_in(evaluation)
        if rival is not None:
            count = results.parameters(row, rival)
            point = _point(row.label, rival.label, row.by_seed(evaluation), count, cost)
            yield point._replace(rival=rival.module)


def _of_side(side: Side, kind: str, cost: Cost) -> Point:
    by_seed = side.row.by_seed(side.evaluation)
    return _point(side.row.label, kind, by_seed, side.row.parameters, cost)


def _point(
    model: str, kind: str, by_seed: Sequence[Evaluation], parameters: int, cost: Cost
) -> Point:
    """The point of a model; multiply-adds depend on the evaluation, `parameters` do not."""
    adds = multiply_adds_of(by_seed).mean
    reached = metric_of(by_seed, "perplexity", "test")
    deviation = reached.deviation if len(by_seed) > 1 else 0.0
    value = parameters if cost is PARAMETERS else adds
    return Point(model, kind, value / cost.unit, reached.mean, deviation)


def frontier(points: Sequence[Point]) -> list[Point]:
    """The Pareto frontier by rising cost: the points that no other beats in cost and perplexity."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, point.perplexity)):
        if not best or point.perplexity < best[-1].perplexity:
            best.append(point)
    return best


@dataclass(frozen=True)
class Window:
    """The costs and perplexities that a figure shows: a rectangle around the networks."""

    left: float
    right: float
    low: float
    high: float

    def holds(self, point: Point) -> bool:
        """True if a point lies within the window."""
        inside = self.left <= point.cost <= self.right
        return inside and self.low <= point.perplexity <= self.high

    def clamped(self, point: Point) -> tuple[float, float]:
        """The place of the point if it is within the window, else the nearest place on its edge."""
        x = min(max(point.cost, self.left), self.right)
        return x, min(max(point.perplexity, self.low), self.high)


def window(points: Sequence[Point]) -> Window:
    """The window around the networks and points near them; far points would squash the rest."""
    networks = [point for point in points if point.kind in NETWORKS]
    # What lies below, such as caches, may be farther: it takes little room from the networks.
    reach = _around(networks, 0.3, 0.6)
    near = [point for point in points if reach.holds(point)]
    return _around([*networks, *near], 0.1, 0.1)


def _around(points: Sequence[Point], sideways: float, upright: float) -> Window:
    """A rectangle around points, extended on each side by shares of its width and height."""
    left, right = _stretched([point.cost for point in points], sideways)
    low, high = _stretched([point.perplexity for point in points], upright)
    return Window(left, right, low, high)


def _stretched(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    extent = max(high - low, 0.02 * abs(high))
    return low - margin * extent, high + margin * extent
