"""Colours, lettering, axes and labels that all figures share, and the writing of their files.

The same data gives the same bytes. Line styles, markers and fillings make the same distinctions as
the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    Locator,
    LogLocator,
    MaxNLocator,
    NullLocator,
)
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

from online_rnnlm.storage.files import replacing

# The colours of lines and marks are from Okabe and Ito's set, which colour-blind people can tell
# apart.
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
INK = "#1f2328"
MUTED = "#6b7280"
GRID = "#d9dce1"
SURFACE = "#ffffff"
_DARK = {
    INK: "#e6e8eb",
    MUTED: "#a0a8b3",
    GRID: "#363c45",
    SURFACE: "#16191d",
    BLUE: "#56b4e9",
    ORANGE: "#f0a25a",
    GREEN: "#3fc79a",
    PURPLE: "#e3a5c6",
}
"""The colours that an SVG has in their place where a reader prefers a dark page."""
_DARK_RULES = "".join(
    f'[style*="{key}: {light}"]{{{key}: {dark} !important}}'
    for light, dark in _DARK.items()
    for key in ("fill", "stroke")
)

WIDTH = 5.0  # Inches: at the width of a phone the 10-point text can still be read.
WIDTH_OF_ROW = 9.6  # Inches: a figure that fills a page.
HEIGHT_OF_LINES = 3.9  # Inches: a figure of lines in one panel.
SMALL = 9.0  # points

_LABEL_GAP = 13.0  # points between the middles of two labels
_STYLE = {
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
    "grid.linewidth": 0.6,
    "svg.fonttype": "none",
}
"""The parameters of matplotlib that are set for all figures."""
_UNDATED = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
}
"""The metadata of a file, by its format: none that differ from one drawing to the next."""


class Drawing(NamedTuple):
    """A drawn figure, and a caption that describes it."""

    figure: Figure
    caption: str


def style(name: str) -> AbstractContextManager[None]:
    """Return a context in which all drawings have the same look.

    The ids in an SVG are hashed with the name, so that they are the same every time, and differ
    between two drawings in one page.
    """
    return mpl.rc_context({**_STYLE, "svg.hashsalt": name})


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the path ends in, `svg` or `png`.

    An SVG has other colours where a reader prefers a dark page.
    """
    kind = path.suffix.removeprefix(".")
    made = BytesIO()
    figure.savefig(made, format=kind, metadata=_UNDATED[kind], dpi=200)
    content = made.getvalue()
    if kind == "svg":
        when_dark = f"@media (prefers-color-scheme: dark) {{{_DARK_RULES}}}"
        content = content.replace(b"</style>", f"{when_dark}</style>".encode(), 1)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def panels(
    rows: int,
    height: float,
    width: float = WIDTH,
    *,
    columns: int = 1,
    ratios: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with axes below or beside each other; those in a row share their y axis.

    Its width and height are in inches.
    """
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=SURFACE)
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, sharey="row", height_ratios=ratios)
    for axis in axes.flat:
        axis.set_facecolor("none")
        axis.set_axisbelow(True)
    return figure, list(axes.flat)


def panel_of_changes(what: str) -> tuple[Figure, Axes]:
    """Make a figure of changes of a perplexity (%) in one panel, with a line at 0."""
    figure, (axis,) = panels(1, HEIGHT_OF_LINES)
    axis.grid(axis="y")
    axis.axhline(0, color=MUTED, lw=1)
    axis.set_ylabel(f"Change of {what}")
    return figure, axis


def set_ticks(axis: Axis, locator: Locator, form: str = "g", unit: float = 1) -> None:
    """Set an axis' ticks, and the format and the unit of the numbers beside them."""
    axis.set_major_locator(locator)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:{form}}"))


def log_scale(axis: Axes, low: float, high: float) -> None:
    """Make the y axis logarithmic, from a little below `low` to a little above `high`."""
    axis.set_yscale("log")
    axis.set_ylim(low / 1.06, high * 1.06)
    if high < 5 * low:
        ticks = MaxNLocator(6).tick_values(low, high)
    else:
        per_decade = (1, 2, 5) if high < 100 * low else (1,)
        ticks = LogLocator(subs=per_decade).tick_values(low, high)
    set_ticks(axis.yaxis, FixedLocator(ticks))


class Label(NamedTuple):
    """A name, its place in the coordinates of the axes' data, and its colour."""

    text: str
    place: tuple[float, float]
    colour: str = INK


def label_at_the_right(axis: Axes, labels: Sequence[Label]) -> None:
    """Write names at the right edge, each joined to its place; no two overlap.

    The axes' limits must be final.
    """
    figure = _lay_out(axis)
    places = axis.transData.transform([label.place for label in labels])
    heights = axis.transAxes.inverted().transform(places)[:, 1]
    lines = max(label.text.count("\n") + 1 for label in labels)
    gap = lines * _LABEL_GAP * figure.dpi / 72 / axis.bbox.height
    for label, height in zip(labels, spread(heights, gap), strict=True):
        axis.annotate(
            label.text,
            xy=label.place,
            xytext=(1.05, height),
            textcoords=axis.transAxes,
            color=label.colour,
            fontsize=SMALL,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": label.colour, "lw": 0.5, "relpos": (0, 0.5)},
        )


def spread(heights: Sequence[float] | npt.NDArray[np.float64], gap: float) -> list[float]:
    """Heights moved as little as possible, in the sense of least squares, until neighbours are at
    least `gap` apart, in the same order, and all are between 0 and 1 if there is room."""
    order = np.argsort(heights, kind="stable")
    least = gap * np.arange(len(order))
    free = isotonic_regression(np.asarray(heights)[order] - least).x
    moved = free.clip(0, max(0, 1 - least[-1])) + least
    return [float(height) for height in moved[np.argsort(order)]]


_SIDES = ((8, 0), (-8, 0), (0, 7), (0, -7), (6, 6), (-6, 6), (-6, -6), (6, -6))
"""The places beside a mark that a label is tried on, in this order: points to the right and up."""


def label_beside(axis: Axes, labels: Sequence[Label]) -> None:
    """Write names beside their places where they cover nothing; one without room is dropped.

    The axes' limits must be final.
    """
    figure = _lay_out(axis)
    marks = axis.transData.transform([label.place for label in labels])
    taken = [Bbox.from_extents(x - 8, y - 6, x + 8, y + 6) for x, y in marks]
    neighbours = [other.bbox.x0 for other in figure.axes if other.bbox.x0 > axis.bbox.x1]
    edge = min(neighbours, default=figure.bbox.x1)
    for label in labels:
        for right, up in _SIDES:
            text = axis.annotate(
                label.text,
                label.place,
                xytext=(right, up),
                textcoords="offset points",
                ha="center" if right == 0 else "left" if right > 0 else "right",
                va="center" if up == 0 else "bottom" if up > 0 else "top",
                color=label.colour,
                fontsize=SMALL,
                in_layout=False,
                bbox={"boxstyle": "square,pad=0", "color": SURFACE, "alpha": 0.7, "lw": 0},
            )
            box = text.get_window_extent()
            inside = axis.bbox.x0 <= box.x0 and box.x1 <= edge
            if inside and not box.count_overlaps(taken):
                taken.append(box)
                break
            text.remove()


def _lay_out(axis: Axes) -> Figure:
    """Give all axes of a figure their final places; return the figure."""
    figure = axis.get_figure()
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    return figure
