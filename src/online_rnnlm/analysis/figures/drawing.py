"""The lettering, axes and legends that all figures share, and a function to save a figure.

The same data gives the same bytes. Line styles, markers and fillings make the same distinctions as
the colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from online_rnnlm.analysis.figures.colours import GRID, INK, MUTED, SURFACE
from online_rnnlm.storage.files import replacing

WIDTH = 5.0  # Inches: at the width of a phone the 10-point text can still be read.
SMALL = 9.0  # points

_TICKS = [n * 10.0**k for k in range(6) for n in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]
_MOST_TICKS = 8
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
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
}
_UNDATED = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class Picture:
    """A drawn figure, with a caption that describes it."""

    drawing: Figure
    caption: str


@contextmanager
def style(name: str) -> Iterator[None]:
    """Return a context in which all drawings have the same look.

    The ids in an SVG are hashed with the name, so that they are the same every time, and differ
    between two drawings in one page.
    """
    with mpl.rc_context({**_PARAMETERS, "svg.hashsalt": name}):
        yield


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
    """Draw a legend above the plot, where it covers no point, in as many columns as fit.

    Everything that the legend names, or that decides the axes' width, must be drawn already.
    """
    figure = axis.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # This computes the layout, and so the axes' width.
    entries = list(zip(*axis.get_legend_handles_labels(), strict=True))
    entries.sort(key=lambda entry: isinstance(entry[0], Line2D))  # Plain lines come last.
    for columns in (3, 2, 1):
        legend = axis.legend(
            *zip(*entries, strict=True),
            loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, title=title, fontsize=SMALL,
            title_fontsize=SMALL, alignment="left", frameon=False, borderaxespad=0.2,
            columnspacing=1.2, handlelength=2.4, markerscale=scale,
        )  # fmt: skip
        if legend.get_window_extent().width <= axis.bbox.width:
            return


def log_scale(axis: Axes, low: float, high: float) -> None:
    """Make the y axis logarithmic, from a little below `low` to a little above `high`."""
    axis.set_yscale("log")
    axis.set_ylim(low / 1.06, high * 1.06)
    ticks = [tick for tick in _TICKS if low / 1.06 <= tick <= high * 1.06]
    ticks = ticks[:: -(-len(ticks) // _MOST_TICKS) or 1]
    axis.yaxis.set_major_locator(FixedLocator(ticks or [float(low)]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights moved apart until neighbours are at least `gap` apart, in the same order."""
    order = np.argsort(heights, kind="stable")
    moved = np.array(heights, dtype=float)[order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    for i in range(len(moved) - 2, -1, -1):  # Move heights that are too high down again.
        moved[i] = max(min(moved[i], moved[i + 1] - gap), i * gap)
    result = np.empty_like(moved)
    result[order] = moved
    return [float(height) for height in result]
