"""The figure `learning_curves`: validation perplexity by epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from online_rnnlm.analysis.figures.colours import GRID, ONLINE, STATIC
from online_rnnlm.analysis.figures.drawing import SMALL, Picture, corpus_panels, log_scale, spread
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row

_HEIGHT = 3.9
_STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_LINE_GAP = 0.065  # The distance between two labels, as a share of the axes' height.


class _End(NamedTuple):
    """The end of a line: the last epoch, its perplexity, and the model with its colour."""

    epoch: float
    perplexity: float
    model: str
    colour: str


def draw(results: Results) -> Picture:
    """Draw a line for each row, and thin lines for its seeds."""
    corpora = results.compared_corpora
    figure, axes = corpus_panels(corpora, _HEIGHT, "Validation perplexity")
    best = []
    for axis, corpus in zip(axes, corpora, strict=True):
        rows = results.rows_on(corpus)
        ends = [_draw(axis, row, style) for row, style in zip(rows, _styles(rows), strict=True)]
        shown = [value for row in rows for curve in _curves(row) for value in curve]
        log_scale(axis, min(shown), max(shown))
        _label_ends(axis, ends)
        axis.set_xlabel("Epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        best.append((min(ends, key=lambda end: end.perplexity), corpus))
    return Picture(figure, _caption(results, best))


def _caption(results: Results, best: list[tuple[_End, str]]) -> str:
    lowest = "; ".join(
        f"{end.model} ends lowest, at {end.perplexity:.1f}"
        + (f" ({corpus})" if len(best) > 1 else "")
        for end, corpus in best
    )
    several = results.several_seeds
    seeds = " Means over the seeds (thin lines), until the first seed stops." if several else ""
    vectors = any(row.has_vector for row in results.rows)
    return (
        "Perplexity on the validation text after each epoch, on a logarithmic axis"
        f"{'; circles: static rows, diamonds: rows with a document vector' if vectors else ''}; "
        "the last values are at the right. "
        f"{lowest}.{seeds}"
    )


def _curves(row: Row) -> list[list[float]]:
    """Validation perplexity by epoch, one list for each seed."""
    return [[epoch.valid_perplexity for epoch in run.epochs] for run in row.runs]


def _styles(rows: list[Row]) -> list[object]:
    """A line style for each row; static rows differ from each other, and so do vector rows."""
    kinds = [row.has_vector for row in rows]
    ranks = [kinds[:place].count(kind) for place, kind in enumerate(kinds)]
    return [_STYLES[rank % len(_STYLES)] for rank in ranks]


def _draw(axis: Axes, row: Row, style: object) -> _End:
    """Draw the line of a row and those of its seeds; return the end of the row's line."""
    curves = _curves(row)
    colour, marker = (ONLINE, "D") if row.has_vector else (STATIC, "o")
    if len(curves) > 1:
        for curve in curves:
            axis.plot(range(1, len(curve) + 1), curve, color=colour, lw=0.4, alpha=0.4)
    # The mean ends where the first seed stops; later it would be over fewer runs.
    line = [float(np.mean(values)) for values in zip(*curves, strict=False)]
    epochs = range(1, len(line) + 1)
    axis.plot(epochs, line, linestyle=style, marker=marker, color=colour, lw=1.5, ms=3)
    return _End(float(len(line)), line[-1], row.label, colour)


def _label_ends(axis: Axes, ends: list[_End]) -> None:
    """Write each line's name at the right edge, joined to its end; no two names overlap."""
    low, high = np.log(axis.get_ylim())
    heights = [(np.log(end.perplexity) - low) / (high - low) for end in ends]
    for end, height in zip(ends, spread(heights, _LINE_GAP), strict=True):
        axis.annotate(
            f"{end.model}  {end.perplexity:.1f}",
            xy=(end.epoch, end.perplexity),
            xytext=(1.05, height),
            textcoords=axis.transAxes,
            color=end.colour,
            fontsize=SMALL,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GRID, "lw": 0.8, "relpos": (0, 0.5)},
        )
    axis.set_xlim(right=1.01 * max(end.epoch for end in ends))
