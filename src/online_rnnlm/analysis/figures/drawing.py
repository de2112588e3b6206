"""The lettering, axes and legends that all figures share, and a function to save a figure.

The same data gives the same bytes. Line styles, markers and fillings make the same distinctions as
the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from online_rnnlm.analysis.figures import GRID, INK, MUTED, SURFACE
from online_rnnlm.analysis.results import Results
from online_rnnlm.storage.files import replacing

WIDTH = 5.0  # Inches: at the width of a phone the 10-point text can still be read.
SMALL = 9.0  # points

_TICKS = [n * 10.0**k for k in range(6) for n in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]
_MOST_TICKS = 8
_LEGEND_WIDTH = 60  # The number of letters beside each other; a mark takes the room of eight.
_LABEL_GAP = 0.065  # The distance between two labels, as a share of the axes' height.
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
_UNDATED = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
}

Place = tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """A drawn figure, with a caption that describes it."""

    drawing: Figure
    caption: str


def style(name: str) -> AbstractContextManager[None]:
    """Return a context in which all drawings have the same look.

    The ids in an SVG are hashed with the name, so that they are the same every time, and differ
    between two drawings in one page.
    """
    return mpl.rc_context({**_PARAMETERS, "svg.hashsalt": name})


def notice(text: str) -> Picture:
    """Make a drawing that only has a text, which is its caption, too."""
    figure, (axis,) = panels(1, 1.0)
    axis.set_axis_off()
    axis.text(0.5, 0.5, text, ha="center", va="center", color=MUTED)
    return Picture(figure, text)


def save(drawing: Figure, path: Path) -> None:
    """Write a drawing in the format that the path ends in, `svg` or `png`."""
    kind = path.suffix.removeprefix(".")
    with replacing(path) as temporary:
        drawing.savefig(temporary, format=kind, metadata=_UNDATED[kind], dpi=200)


def panels(
    rows: int, height: float, width: float = WIDTH, ratios: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Make a drawing with axes below each other; its width and height are in inches."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=SURFACE)
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, 1, squeeze=False, height_ratios=ratios)[:, 0])
    for axis in axes:
        axis.set_facecolor("none")
        axis.set_axisbelow(True)
    return figure, axes


def corpus_panels(corpora: Sequence[str], height: float, label: str) -> tuple[Figure, list[Axes]]:
    """Make a drawing with a panel for each corpus.

    `label` is the label of every y axis; if there are several corpora, the corpus is added to it.
    """
    figure, axes = panels(len(corpora), height * len(corpora))
    for axis, corpus in zip(axes, corpora, strict=True):
        axis.grid(axis="y", linewidth=0.6)
        axis.set_ylabel(f"{label}, {corpus}" if len(corpora) > 1 else label)
    return figure, axes


def legend_above(axis: Axes, title: str | None = None, scale: float = 1) -> None:
    """Draw a legend above the plot, where it covers no point; all that it names is drawn already.

    It has as many columns as its longest text leaves room for.
    """
    entries = list(zip(*axis.get_legend_handles_labels(), strict=True))
    entries.sort(key=lambda entry: isinstance(entry[0], Line2D))  # Plain lines come last.
    longest = max(len(text) for _, text in entries)
    axis.legend(
        *zip(*entries, strict=True),
        loc="lower left", bbox_to_anchor=(0, 1), ncols=max(1, _LEGEND_WIDTH // (longest + 8)),
        title=title, fontsize=SMALL, title_fontsize=SMALL, alignment="left", frameon=False,
        borderaxespad=0.2, columnspacing=1.2, handlelength=2.4, markerscale=scale,
    )  # fmt: skip


def log_scale(axis: Axes, low: float, high: float) -> None:
    """Make the y axis logarithmic, from a little below `low` to a little above `high`."""
    axis.set_yscale("log")
    axis.set_ylim(low / 1.06, high * 1.06)
    ticks = [tick for tick in _TICKS if low / 1.06 <= tick <= high * 1.06]
    ticks = ticks[:: -(-len(ticks) // _MOST_TICKS) or 1]
    axis.yaxis.set_major_locator(FixedLocator(ticks or [float(low)]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


class Label(NamedTuple):
    """A name, its place in the coordinates of the axes' data, and its colour."""

    text: str
    place: Place
    colour: str


def label_at_the_right(axis: Axes, labels: Sequence[Label]) -> None:
    """Write names at the right edge, each joined to its place; no two overlap.

    The axes' limits must be final.
    """
    places = axis.transData.transform([label.place for label in labels])
    heights = axis.transAxes.inverted().transform(places)[:, 1]
    for label, height in zip(labels, spread(heights, _LABEL_GAP), strict=True):
        axis.annotate(
            label.text, xy=label.place, xytext=(1.05, height), textcoords=axis.transAxes,
            color=label.colour, fontsize=SMALL, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GRID, "lw": 0.8, "relpos": (0, 0.5)},
        )  # fmt: skip


def spread(heights: Sequence[float] | npt.NDArray[np.float64], gap: float) -> list[float]:
    """Heights moved apart until neighbours are at least `gap` apart, in the same order."""
    order = np.argsort(heights, kind="stable")
    moved = np.array(heights, dtype=float)[order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    for i in range(len(moved) - 2, -1, -1):  # Move heights that are too high down again.
        moved[i] = max(min(moved[i], moved[i + 1] - gap), i * gap)
    return [float(height) for height in moved[np.argsort(order)]]


def only_first(results: Results) -> str:
    """A sentence for a caption that names the corpus shown; empty if there is only one corpus."""
    shown = f" The corpus shown is {results.first_corpus}."
    return shown if results.several_corpora else ""
