"""The figures of systems: test perplexity by itself, sorted, and against two costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import ONLINE, RIVAL, STATIC
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import System, metric_of, multiply_adds_of
from online_rnnlm.config.testing import MIXTURE

MOST_SYSTEMS = 8
"""The most systems that a figure names."""
_A_SYSTEM, _HEIGHT = 0.36, 4.0  # inches
Look = Mapping[str, Any]
_STATIC: Look = {"marker": "o", "color": STATIC}
_LEARNING: Look = {"marker": "D", "color": ONLINE}
_RIVAL: Look = {"marker": "^", "color": RIVAL}


class Cost(NamedTuple):
    """A cost, with the label of its axis and the unit that it is shown in."""

    label: str
    unit: float


PARAMETERS = Cost("Parameters (millions)", 1e6)
MULTIPLY_ADDS = Cost("Multiply-adds per word in testing (thousands)", 1e3)


class Point(NamedTuple):
    """A system's cost, and its test perplexity, as mean and deviation over the seeds."""

    name: str
    cost: float
    perplexity: float
    deviation: float
    look: Look


def points_of(systems: Sequence[System], cost: Cost = PARAMETERS) -> list[Point]:
    """The points of systems, the one with the lowest test perplexity first."""
    points = []
    for system in systems:
        reached = metric_of(system.by_seed, "perplexity", "test")
        adds = multiply_adds_of(system.by_seed).mean
        value = (system.parameters or 0) if cost is PARAMETERS else adds
        spread = reached.deviation if len(reached.values) > 1 else 0.0
        look = _RIVAL
        if system.row is not None and system.rival is None:
            look = _LEARNING if system.row.has_vector else _STATIC
        points.append(Point(system.name, value / cost.unit, reached.mean, spread, look))
    return sorted(points, key=lambda point: point.perplexity)


def _marks(results: Results) -> str:
    """Return a sentence that says what the marks mean."""
    rivals = "; green triangles: systems with a rival" if results.experiment.testing.rivals else ""
    return f"Orange diamonds: the vector learns in testing; blue circles: static networks{rivals}."


def leading(results: Results) -> list[System]:
    """The systems of the first corpus that figures name, the most important first.

    The headline; for each hidden layer and unit of text its first network with a vector, and the
    larger of the static opponents; the best static network with one rival and the best rival of
    the corpus, both on `valid`; then the other networks.
    """
    corpus = results.first_corpus
    systems = {system.name: system for system in results.systems_on(corpus)}
    headline = results.headline(corpus)
    rows = results.rows_on(corpus)
    firsts = {row.regime: row for row in reversed([headline, *rows]) if row.has_vector}
    pairs = ((row, *results.opponents(row).shown[-1:]) for row in reversed(firsts.values()))
    named = [headline.label, *(row.label for pair in pairs for row in pair)]
    by_valid = sorted(
        (system for system in systems.values() if system.rival and system.rival.name != MIXTURE),
        key=lambda system: metric_of(system.by_seed, "perplexity", "valid").mean,
    )
    static = [system.name for system in by_valid if system.row and not system.row.has_vector]
    alone = [system.name for system in by_valid if system.row is None]
    named += [*static[:1], *alone[:1], *(row.label for row in rows)]
    return [systems[name] for name in dict.fromkeys(named)][:MOST_SYSTEMS]


def draw_systems(results: Results) -> drawing.Picture:
    """Draw the test perplexity of a few systems, the best at the top, each dot with its name."""
    points = points_of(leading(results))
    figure, (axis,) = drawing.panels(1, 0.6 + _A_SYSTEM * len(points))
    values = [point.perplexity for point in points]
    middle = (min(values) + max(values)) / 2
    headline = results.headline(results.first_corpus)
    for height, point in enumerate(points):
        error = point.deviation or None
        axis.errorbar(
            point.perplexity, height, xerr=error, ms=7, elinewidth=1.2, capsize=3, **point.look
        )
        side, alignment = (1, "left") if point.perplexity <= middle else (-1, "right")
        axis.annotate(
            f"{point.name}  {point.perplexity:.1f}",
            (point.perplexity + side * point.deviation, height),
            xytext=(9 * side, 0),
            textcoords="offset points",
            va="center",
            ha=alignment,
            weight="bold" if point.name == headline.label else "normal",
        )
    axis.set_ylim(len(points) - 0.4, -0.6)
    axis.margins(x=0.06)
    axis.grid(axis="x", linewidth=0.6)
    axis.yaxis.set_visible(False)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("Test perplexity: lower is better")
    seeds = len(results.experiment.seeds)
    bars = f" Bars: standard deviation over {seeds} seeds." if results.several_seeds else ""
    return drawing.Picture(figure, f"{_marks(results)}{bars}{drawing.only_first(results)}")


def draw_parameters(results: Results) -> drawing.Picture:
    """Draw test perplexity against the number of parameters."""
    return _draw(results, PARAMETERS)


def draw_multiply_adds(results: Results) -> drawing.Picture:
    """Draw test perplexity against multiply-adds per word in testing, learning included."""
    return _draw(results, MULTIPLY_ADDS)


def _draw(results: Results, cost: Cost) -> drawing.Picture:
    """Draw all systems with a network, and name the leading ones."""
    every = [system for system in results.systems_on(results.first_corpus) if system.row]
    points = points_of(every, cost)
    named = points_of([system for system in leading(results) if system.row], cost)
    figure, (axis,) = drawing.panels(1, _HEIGHT)
    axis.grid(axis="y", linewidth=0.6)
    axis.set_xscale("log")
    axis.margins(0.08)
    for point in points:
        axis.plot(point.cost, point.perplexity, ls="", ms=4, alpha=0.45, mew=0, **point.look)
    for point in named:
        axis.plot(point.cost, point.perplexity, ls="", ms=7, **point.look)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7), numticks=8))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlabel(cost.label)
    axis.set_ylabel("Test perplexity")
    drawing.label_beside(axis, [(point.name, (point.cost, point.perplexity)) for point in named])
    others = " Small marks: all other systems." if len(points) > len(named) else ""
    return drawing.Picture(figure, f"{_marks(results)}{others}{drawing.only_first(results)}")
