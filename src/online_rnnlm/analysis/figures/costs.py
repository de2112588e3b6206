"""Test perplexity against a cost: a point for each model, and the frontier of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from typing import Any, get_args

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from online_rnnlm.analysis.figures.colours import INK, MUTED, ONLINE, RIVAL, STATIC, SURFACE
from online_rnnlm.analysis.figures.drawing import Picture, corpus_panels, legend_above
from online_rnnlm.analysis.figures.labels import Label, Place, place_labels
from online_rnnlm.analysis.figures.points import (
    LEARNING,
    NETWORKS,
    STATIC_ROW,
    STILL,
    Cost,
    Point,
    Window,
    frontier,
    points_of,
    window,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.wording import enumeration
from online_rnnlm.config.testing import CorpusRivalName, RunRivalName

Line = tuple[Place, Place]

_HEIGHT = 4.3
_FRONTIER = "lowest for so much or less"
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    STATIC_ROW: {"marker": "o", "color": STATIC, "mfc": STATIC},
    LEARNING: {"marker": "D", "color": ONLINE, "mfc": ONLINE},
    STILL: {"marker": "D", "color": ONLINE, "mfc": SURFACE},
}
_RIVALS = [f"rivals.{name}" for name in (*get_args(RunRivalName), *get_args(CorpusRivalName))]
_RIVAL_LOOKS: Mapping[str, Mapping[str, Any]] = {
    rival: {"marker": marker, "color": RIVAL, "mfc": SURFACE if marker == "^" else RIVAL}
    for rival, marker in zip(_RIVALS, cycle("^vXPs*dhp<>"), strict=False)
}


def draw_against(results: Results, cost: Cost) -> Picture:
    """Draw the test perplexity of every model and of its rivals against a cost."""
    corpora = results.compared_corpora
    figure, axes = corpus_panels(corpora, _HEIGHT, "Test perplexity")
    points = {corpus: points_of(results, corpus, cost) for corpus in corpora}
    lines = [_panel(axis, points[c], cost) for axis, c in zip(axes, corpora, strict=True)]
    legend_above(axes[0])
    for axis, found, free in zip(axes, points.values(), lines, strict=True):
        shown = window(found)
        place_labels(axis, _labels(found, shown), [shown.clamped(p) for p in found], free)
    return Picture(figure, _caption(results, cost, points))


def _panel(axis: Axes, points: Sequence[Point], cost: Cost) -> list[Line]:
    """Draw all but the labels; return the lines that the labels should not cover."""
    shown = window(points)
    axis.set_xlim(shown.left, shown.right)
    axis.set_ylim(shown.low, shown.high)
    axis.set_xlabel(cost.label)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    for kind in dict.fromkeys(point.kind for point in points):
        _draw_series(axis, kind, [point for point in points if point.kind == kind], shown)
    return [*_draw_joints(axis, points, shown), *_draw_frontier(axis, frontier(points), shown)]


def _draw_frontier(axis: Axes, best: Sequence[Point], shown: Window) -> list[Line]:
    """Draw the frontier as steps; return its visible lines."""
    right = max(shown.right, best[-1].cost)
    steps = [shown.clamped(point) for point in best] + [(shown.right, best[-1].perplexity)]
    axis.step(
        [*(point.cost for point in best), right],
        [*(point.perplexity for point in best), best[-1].perplexity],
        where="post", color=MUTED, lw=1, zorder=1, label=_FRONTIER,
    )  # fmt: skip
    return [
        line
        for (x, y), (next_x, next_y) in pairwise(steps)
        for line in (((x, y), (next_x, y)), ((next_x, y), (next_x, next_y)))
    ]


def _draw_joints(axis: Axes, points: Sequence[Point], shown: Window) -> list[Line]:
    """Join the points of each model, and return the lines.

    An arrow leads from the vector held still to the learning one, a line from a row, its vector
    learning if it has one, to the same row with a rival.
    """
    still = {p.model: p for p in points if p.kind == STILL}
    rows = {p.model: p for p in points if p.kind in (STATIC_ROW, LEARNING)}
    lines = []
    for point in points:
        start = (rows if point.rival else still).get(point.model)
        if start is None or start.kind == point.kind or not shown.holds(point):
            continue
        line = (start.cost, start.perplexity), (point.cost, point.perplexity)
        style = "->" if point.kind == LEARNING else "-"
        arrow = {"arrowstyle": style, "color": _look(point)["color"], "lw": 0.7, "ls": "--"}
        axis.annotate(
            "", line[1], line[0], arrowprops={**arrow, "shrinkA": 5, "shrinkB": 5}, zorder=1.5
        )
        lines.append(line)
    return lines


def _look(point: Point) -> Mapping[str, Any]:
    return _RIVAL_LOOKS[point.rival] if point.rival else _LOOKS[point.kind]


def _draw_series(axis: Axes, kind: str, points: Sequence[Point], shown: Window) -> None:
    """Draw the points of a kind; points outside the window are drawn at its edge."""
    xs, ys = zip(*(shown.clamped(point) for point in points), strict=True)
    errors = [point.deviation if shown.holds(point) else 0.0 for point in points]
    axis.errorbar(
        xs, ys, yerr=errors if any(errors) else None, ls="", ms=6, capsize=2.5, elinewidth=1,
        label=kind, clip_on=False, zorder=3, **_look(points[0]),
    )  # fmt: skip


def _labels(points: Sequence[Point], shown: Window) -> list[Label]:
    """The labels of rows and of points drawn at an edge; rivals are named in the legend."""
    named = [point for point in points if point.kind in (STATIC_ROW, LEARNING)]
    labels = [Label(p.model, (p.cost, p.perplexity), str(_look(p)["color"])) for p in named]
    outside = [point for point in points if not shown.holds(point)]
    for kind in dict.fromkeys(point.kind for point in outside):
        far = [point for point in outside if point.kind == kind]
        labels.append(Label(_far_text(kind, far, shown), shown.clamped(far[0]), INK))
    return labels


def _far_text(kind: str, far: Sequence[Point], shown: Window) -> str:
    """The label of points drawn at an edge, with their true values."""
    ys = sorted(point.perplexity for point in far)
    xs = sorted(point.cost for point in far)
    reached = " to ".join(dict.fromkeys(f"{y:.0f}" for y in (ys[0], ys[-1])))
    costs = " to ".join(dict.fromkeys(_short(x) for x in (xs[0], xs[-1])))
    text, arrow = f"{kind}: {reached}, at {costs}", _arrow(far[0], shown)
    return f"{arrow} {text}" if arrow == "←" else f"{text} {arrow}"


def _short(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 10 else f"{cost:.2g}"


def _arrow(point: Point, shown: Window) -> str:
    if point.cost > shown.right:
        return "→"
    if point.cost < shown.left:
        return "←"
    return "↑" if point.perplexity > shown.high else "↓"


def _caption(results: Results, cost: Cost, points: Mapping[str, Sequence[Point]]) -> str:
    shown = {point.kind for found in points.values() for point in found}
    what = cost.label.partition(" (")[0].lower()
    lines = [f"Test perplexity against {what}."]
    if LEARNING in shown:
        lines.append("Arrows lead from the vector held at 0 to the same weights with it learning.")
    joined = {p.kind for found in points.values() for p in found if p.rival and p.model != p.kind}
    if joined:
        rivals = enumeration(sorted(joined), "or")
        lines.append(f"Dashed lines join a row to the same row with a rival: {rivals}.")
    if not shown <= set(NETWORKS):
        lines.append("Points far outside are drawn at the edge, with their values.")
    lines.append(f"Grey steps: the lowest perplexity with so many {what.split(' a ')[0]} or fewer;")
    lines[-1] += f" on them lie {_on_frontier(points)}."
    if results.several_seeds:
        lines.append(f"Bars: standard deviation over {len(results.experiment.seeds)} seeds.")
    return " ".join(lines)


def _on_frontier(points: Mapping[str, Sequence[Point]]) -> str:
    texts = []
    for corpus, found in points.items():
        names = enumeration([_name(point) for point in frontier(found)])
        texts.append(f"{names} on {corpus}" if len(points) > 1 else names)
    return "; ".join(texts)


def _name(point: Point) -> str:
    if point.kind in (STATIC_ROW, LEARNING) or point.kind == point.model:
        return point.model
    return (
        f"{point.model} + {point.kind}" if point.rival else f"{point.model} with its {point.kind}"
    )
