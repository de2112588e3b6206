"""Two pictures: how the models learn, and what their parameters buy.

The same data gives the same bytes. Colours are of Okabe and Ito's set, which colour-blind people
can tell apart; line styles and fillings say the same once more.
"""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from online_rnnlm.analysis.collect import MODEL, Results, chosen, collect
from online_rnnlm.configuration import Experiment
from online_rnnlm.runs import ExperimentDirectory, final_updates, replacing

FIGURES = ("perplexity_by_parameters", "learning_curves")
KINDS = ("svg", "png")

STATIC, ONLINE = "#0072b2", "#d55e00"
INK, MUTED, GRID, SURFACE = "#1f2328", "#6b7280", "#d9dce1", "#ffffff"
_WIDTH, _HEIGHT = 5.0, 3.7  # inches: at a phone's width the 10-point text is still read
_SERIES = (
    "static network",
    "vector learns during testing",
    "the same weights, vector held still",
)
_STYLES = ("-", "--", ":", "-.")
_TICKS = [n * 10.0**k for k in range(6) for n in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]
_PARAMETERS = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "svg.fonttype": "none",
}


def write_figures(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Draw all figures as SVG and PNG."""
    results = collect(experiment, directory)
    drawings = {"learning_curves": learning_curves, "perplexity_by_parameters": by_parameters}
    for name in FIGURES:
        # Ids in an SVG are hashed with the name: two drawings can share a page, and never change.
        with mpl.rc_context({**_PARAMETERS, "svg.hashsalt": name}):
            _save(drawings[name](results), directory, name)


def _save(figure: Figure, directory: ExperimentDirectory, name: str) -> None:
    no_date = {
        "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
        "png": {"Software": None},
    }
    FigureCanvasAgg(figure)
    for kind in KINDS:
        with replacing(directory.figure(name, kind)) as temporary:
            figure.savefig(temporary, format=kind, metadata=no_date[kind], dpi=200)


def _panels(results: Results) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A figure with a panel a corpus, and the chosen runs that belong into each."""
    runs = chosen(results)
    corpora = list(results.experiment.corpora)
    size = (_WIDTH, _HEIGHT * len(corpora))
    figure = Figure(figsize=size, layout="constrained", facecolor=SURFACE)
    axes = figure.subplots(len(corpora), 1, squeeze=False)[:, 0]
    for axis, corpus in zip(axes, corpora, strict=True):
        axis.set_facecolor("none")
        axis.grid(axis="y", linewidth=0.6)
        axis.set_axisbelow(True)
        if len(corpora) > 1:
            axis.set_title(corpus, loc="right")
    return figure, [
        (axis, runs[runs["corpus"] == c]) for axis, c in zip(axes, corpora, strict=True)
    ]


def learning_curves(results: Results) -> Figure:
    """Validation perplexity by epoch: a line a row, thin lines for further seeds."""
    figure, panels = _panels(results)
    for axis, runs in panels:
        ends = [
            _draw_curve(axis, results, group, style)
            for group, style in zip(_groups(runs), _styles(runs), strict=True)
        ]
        _log_scale(axis, results.epochs.loc[results.epochs["name"].isin(runs["name"])])
        _label_ends(axis, ends)
        axis.set_xlabel("Epoch")
        axis.set_ylabel("Validation perplexity")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _groups(runs: pd.DataFrame) -> list[pd.DataFrame]:
    return [group for _, group in runs.groupby(MODEL, sort=False)]


def _styles(runs: pd.DataFrame) -> list[str]:
    """A line style for each group, told apart within static and within vector rows."""
    online = [group.iloc[0]["document_size"] > 0 for group in _groups(runs)]
    ranks = [sum(kind == mine for kind in online[:i]) for i, mine in enumerate(online)]
    return [_STYLES[rank % len(_STYLES)] for rank in ranks]


def _colour(runs: pd.DataFrame) -> str:
    return ONLINE if runs.iloc[0]["document_size"] > 0 else STATIC


def _draw_curve(
    axis: Axes, results: Results, runs: pd.DataFrame, style: str
) -> tuple[float, float, str, str]:
    """Draw one row's line, and its seeds'; returns where it ends, its label and colour."""
    epochs = results.epochs[results.epochs["name"].isin(runs["name"])]
    by_epoch = epochs.groupby("epoch")["valid_perplexity"]
    colour = _colour(runs)
    if len(runs) > 1:
        for _, seed in epochs.groupby("name"):
            axis.plot(seed["epoch"], seed["valid_perplexity"], color=colour, lw=0.5, alpha=0.5)
    # The mean ends where the first seed stopped: further on it would be of other runs.
    line = by_epoch.mean()[by_epoch.count() == len(runs)]
    axis.plot(line.index, line, style, color=colour, lw=1.8)
    return float(line.index[-1]), float(line.iloc[-1]), str(runs.iloc[0]["model"]), colour


def _log_scale(axis: Axes, epochs: pd.DataFrame) -> None:
    """A logarithmic axis with readable numbers: the first epochs would crush the last ones."""
    axis.set_yscale("log")
    low, high = epochs["valid_perplexity"].min(), epochs["valid_perplexity"].max()
    axis.set_ylim(low / 1.06, high * 1.06)
    ticks = [tick for tick in _TICKS if low / 1.06 <= tick <= high * 1.06]
    axis.yaxis.set_major_locator(FixedLocator(ticks or [float(low)]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _label_ends(axis: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name at the right edge, none overlapping, a thin leader to its end."""
    right = max(x for x, *_ in ends)
    low, high = np.log(axis.get_ylim())
    heights = [(np.log(y) - low) / (high - low) for _, y, *_ in ends]
    for (x, y, name, colour), height in zip(ends, spread(heights, 0.065), strict=True):
        axis.annotate(
            f"{name}  {y:.0f}",
            xy=(x, y),
            xytext=(1.05, height),
            textcoords=axis.transAxes,
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GRID, "lw": 0.8, "shrinkA": 2, "shrinkB": 2},
        )
    axis.set_xlim(right=right + 0.01 * right)


def spread(heights: list[float], gap: float) -> list[float]:
    """Move heights apart until neighbours are `gap` from each other, their order kept."""
    order = np.argsort(heights, kind="stable")
    moved = np.array(heights, dtype=float)[order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    for i in range(len(moved) - 2, -1, -1):  # what was pushed up too far comes back down
        moved[i] = max(min(moved[i], moved[i + 1] - gap), i * gap)
    result = np.empty_like(moved)
    result[order] = moved
    return [float(height) for height in result]


def by_parameters(results: Results) -> Figure:
    """Test perplexity against parameters: static rows, vector rows, and those held still."""
    figure, panels = _panels(results)
    for axis, runs in panels:
        points = pd.DataFrame([_point(results, group) for group in _groups(runs)])
        online = points["document_size"] > 0
        _draw_series(axis, points[~online], STATIC, "o", _SERIES[0])
        _draw_series(axis, points[online], ONLINE, "D", _SERIES[1])
        _draw_still(axis, points[online])
        axis.set_xlabel("Parameters (millions)")
        axis.set_ylabel("Test perplexity")
        axis.margins(x=0.16, y=0.16)
        axis.xaxis.set_major_locator(MaxNLocator(5))
        _legend(axis)
    return figure


def _legend(axis: Axes) -> None:
    """Above the plot, where no point can be under it; in the order of `_SERIES`."""
    handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    names = [name for name in _SERIES if name in handles]
    axis.legend(
        [handles[name] for name in names],
        names,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        borderaxespad=0.2,
    )


def _point(results: Results, runs: pd.DataFrame) -> dict[str, object]:
    first = runs.iloc[0]
    final = final_updates(first["document_size"])
    tests = [results.perplexity(name, "test", final) for name in runs["name"]]
    stills = [results.perplexity(name, "test", "none") for name in runs["name"]]
    return {
        "model": first["model"],
        "document_size": first["document_size"],
        "millions": first["parameters"] / 1e6,
        "test": np.mean(tests),
        "sd": np.std(tests, ddof=1) if len(tests) > 1 else 0.0,
        "still": np.mean(stills),
    }


def _draw_series(axis: Axes, points: pd.DataFrame, colour: str, marker: str, name: str) -> None:
    if points.empty:
        return
    points = points.sort_values("millions", kind="stable")
    errors = points["sd"] if points["sd"].any() else None
    axis.errorbar(
        points["millions"], points["test"], yerr=errors, color=colour, marker=marker, lw=1.4, ms=6,
        capsize=3, label=name,
    )  # fmt: skip
    _label_points(axis, points["millions"], points["test"], points["model"], colour)


def _label_points(
    axis: Axes, xs: Iterable[float], ys: Iterable[float], names: Iterable[str], colour: str
) -> None:
    for x, y, name in zip(xs, ys, names, strict=True):
        axis.annotate(
            name, (x, y), xytext=(7, 4), textcoords="offset points", color=colour, fontsize=9.5
        )


def _draw_still(axis: Axes, points: pd.DataFrame) -> None:
    """The same weights with the vector held at 0: hollow, an arrow to what learning makes of it."""
    if points.empty:
        return
    axis.plot(
        points["millions"], points["still"], "D", color=ONLINE, mfc=SURFACE, ms=6,
        label=_SERIES[2],
    )  # fmt: skip
    arrow = {"arrowstyle": "->", "color": ONLINE, "lw": 0.9, "shrinkA": 5, "shrinkB": 5}
    for _, point in points.iterrows():
        ends = (point["millions"], point["test"]), (point["millions"], point["still"])
        axis.annotate("", *ends, arrowprops={**arrow, "linestyle": "--"})
