"""The figures of cost: test perplexity against parameters, and against multiply-adds a word.

Each model is a point, and grey steps show the best for so much cost or less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from online_rnnlm.analysis.figures import MUTED, ONLINE, RIVAL, STATIC, SURFACE, drawing
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import metric_of, multiply_adds_of
from online_rnnlm.config.evaluations import NONE

_HEIGHT = 4.3
STATIC_ROW, LEARNING, STILL = "static network", "vector learns in testing", "vector held still"
Look = Mapping[str, Any]
_NETWORKS: Mapping[str, Look] = {
    STATIC_ROW: {"marker": "o", "color": STATIC},
    LEARNING: {"marker": "D", "color": ONLINE},
    STILL: {"marker": "D", "color": ONLINE, "mfc": SURFACE},
}
_MARKERS_OF_RIVALS = "^vXPs*dhp<>"


class Cost(NamedTuple):
    """A cost, with the label of its axis and the unit that it is shown in."""

    label: str
    unit: float


PARAMETERS = Cost("Parameters (millions)", 1e6)
MULTIPLY_ADDS = Cost("Multiply-adds a word in testing (thousands)", 1e3)


class Point(NamedTuple):
    """A model's kind and cost, and its test perplexity, as mean and deviation over the seeds."""

    model: str
    kind: str
    """A kind of network, or the name of a rival."""
    cost: float
    perplexity: float
    deviation: float


class Window(NamedTuple):
    """The costs and perplexities that a figure shows: a rectangle around the networks."""

    left: float
    right: float
    low: float
    high: float

    def clamped(self, point: Point) -> drawing.Place:
        """The place of the point if it is within the window, else the nearest place on its edge."""
        x = min(max(point.cost, self.left), self.right)
        return x, min(max(point.perplexity, self.low), self.high)

    def holds(self, point: Point) -> bool:
        """True if a point lies within the window."""
        return self.clamped(point) == (point.cost, point.perplexity)


def draw_parameters(results: Results) -> drawing.Picture:
    """Draw test perplexity against the number of parameters."""
    return _draw(results, PARAMETERS)


def draw_multiply_adds(results: Results) -> drawing.Picture:
    """Draw test perplexity against multiply-adds per word in testing, learning included."""
    return _draw(results, MULTIPLY_ADDS)


def _draw(results: Results, cost: Cost) -> drawing.Picture:
    corpora = results.compared_corpora
    points = [points_of(results, corpus, cost) for corpus in corpora]
    kinds = dict.fromkeys(point.kind for found in points for point in found)
    of_rivals = zip((kind for kind in kinds if kind not in _NETWORKS), cycle(_MARKERS_OF_RIVALS))
    looks = {**_NETWORKS, **{name: {"marker": m, "color": RIVAL} for name, m in of_rivals}}
    figure, axes = drawing.corpus_panels(corpora, _HEIGHT, "Test perplexity")
    for axis, found in zip(axes, points, strict=True):
        _panel(axis, found, looks)
        axis.set_xlabel(cost.label)
        drawing.legend_above(axis)
    what = cost.label.partition(" (")[0].lower()
    bars = f" Bars: standard deviation over {len(results.experiment.seeds)} seeds."
    caption = (
        f"Test perplexity against {what}. Arrows lead from the vector held at 0 to the same "
        "weights with it learning, dashed lines from a row to the same row with a rival; points "
        "far outside are drawn at the edge, and the legend gives their values. Grey steps: the "
        f"lowest perplexity with so many {what.split(' a ')[0]} or fewer."
        f"{bars if results.several_seeds else ''}"
    )
    return drawing.Picture(figure, caption)


def points_of(results: Results, corpus: str, cost: Cost) -> list[Point]:
    """The points of a corpus: its rows, held still and learning, and all rivals."""
    points = []
    for _, by_seed, parameters, row, rival in results.systems_on(corpus):
        kinds = {rival.label if rival else STATIC_ROW: by_seed}
        if row and row.has_vector and not rival:
            kinds = {LEARNING: by_seed, STILL: row.by_seed(NONE)}
        for kind, evaluations in kinds.items():
            reached = metric_of(evaluations, "perplexity", "test")
            adds = multiply_adds_of(evaluations).mean
            value = (parameters or 0) if cost is PARAMETERS else adds
            deviation = reached.deviation if len(evaluations) > 1 else 0.0
            model = row.label if row else kind
            points.append(Point(model, kind, value / cost.unit, reached.mean, deviation))
    return points


def frontier(points: Sequence[Point]) -> list[Point]:
    """The Pareto frontier by rising cost: the points that no other beats in cost and perplexity."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, point.perplexity)):
        if not best or point.perplexity < best[-1].perplexity:
            best.append(point)
    return best


def window(points: Sequence[Point]) -> Window:
    """The window around the networks and points near them; far points would squash the rest."""
    networks = [point for point in points if point.kind in _NETWORKS]
    # What lies below, such as caches, may be farther: it takes little room from the networks.
    reach = _around(networks, 0.3, 0.6)
    near = [point for point in points if reach.holds(point)]
    return _around([*networks, *near], 0.1, 0.1)


def _around(points: Sequence[Point], sideways: float, upright: float) -> Window:
    """A rectangle around points, extended on each side by shares of its width and height."""
    costs, reached = [point.cost for point in points], [point.perplexity for point in points]
    ends: list[float] = []
    for values, margin in ((costs, sideways), (reached, upright)):
        low, high = min(values), max(values)
        more = margin * max(high - low, 0.02 * abs(high))
        ends += [low - more, high + more]
    return Window(*ends)


def _panel(axis: Axes, points: Sequence[Point], looks: Mapping[str, Look]) -> None:
    shown = window(points)
    axis.set_xlim(shown.left, shown.right)
    axis.set_ylim(shown.low, shown.high)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    for kind in dict.fromkeys(point.kind for point in points):
        same = [point for point in points if point.kind == kind]
        far = [point for point in same if not shown.holds(point)]
        xs, ys = zip(*(shown.clamped(point) for point in same), strict=True)
        errors = [point.deviation if shown.holds(point) else 0.0 for point in same]
        axis.errorbar(
            xs, ys, yerr=errors if any(errors) else None, ls="", ms=6, capsize=2.5, elinewidth=1,
            label=f"{kind}: {_values(far)}" if far else kind, clip_on=False, zorder=3,
            **looks[kind],
        )  # fmt: skip
    best = frontier(points)
    xs = (*(point.cost for point in best), max(shown.right, best[-1].cost))
    ys = (*(point.perplexity for point in best), best[-1].perplexity)
    label = "lowest for so much or less"
    axis.step(xs, ys, where="post", color=MUTED, lw=1, zorder=1, label=label)
    _join(axis, [point for point in points if shown.holds(point)], looks)
    named = [point for point in points if point.kind in (STATIC_ROW, LEARNING)]
    drawing.label_at_the_right(
        axis,
        [drawing.Label(p.model, (p.cost, p.perplexity), looks[p.kind]["color"]) for p in named],
    )


def _join(axis: Axes, points: Sequence[Point], looks: Mapping[str, Look]) -> None:
    """Join the points of each model.

    An arrow leads from the vector held still to the learning one, a line from a row, its vector
    learning if it has one, to the same row with a rival.
    """
    still = {point.model: point for point in points if point.kind == STILL}
    rows = {point.model: point for point in points if point.kind in (STATIC_ROW, LEARNING)}
    for point in points:
        start = (still if point.kind in _NETWORKS else rows).get(point.model)
        if start is not None and start != point:
            arrow = {"arrowstyle": "->" if point.kind == LEARNING else "-", "ls": "--", "lw": 0.7}
            arrow |= {"color": looks[point.kind]["color"], "shrinkA": 5, "shrinkB": 5}
            ends = (point.cost, point.perplexity), (start.cost, start.perplexity)
            axis.annotate("", *ends, arrowprops=arrow, zorder=1.5)


def _values(far: Sequence[Point]) -> str:
    """The perplexities and costs of points that are drawn at an edge."""
    reached, costs = sorted(point.perplexity for point in far), sorted(point.cost for point in far)
    ys = dict.fromkeys(f"{y:.0f}" for y in (reached[0], reached[-1]))
    xs = dict.fromkeys(f"{x:,.0f}" if x >= 10 else f"{x:.2g}" for x in (costs[0], costs[-1]))
    return f"{' to '.join(ys)}, at {' to '.join(xs)}"
