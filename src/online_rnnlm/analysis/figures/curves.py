"""How the models learn: validation perplexity by epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from online_rnnlm.analysis.figures.drawing import (
    GRID,
    ONLINE,
    SMALL,
    STATIC,
    Picture,
    corpus_panels,
    log_scale,
    spread,
)
from online_rnnlm.analysis.figures.rows import is_vector, model_of, rows_on
from online_rnnlm.analysis.results import Results

_HEIGHT = 3.9
_STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_LINE_GAP = 0.065  # of the axes' height, between two labels


class _End(NamedTuple):
    """Where a line ends: the last epoch, the perplexity there, whose it is."""

    epoch: float
    perplexity: float
    model: str
    colour: str


def learning_curves(results: Results) -> Picture:
    """Validation perplexity by epoch: a line a row, thin lines for its seeds."""
    corpora = list(results.experiment.corpora)
    figure, axes = corpus_panels(corpora, _HEIGHT, "Validation perplexity")
    best = []
    for axis, corpus in zip(axes, corpora, strict=True):
        rows = rows_on(results, corpus)
        ends = [_draw(axis, results, r, s) for r, s in zip(rows, _styles(rows), strict=True)]
        shown = _epochs(results, pd.concat(rows))["valid_perplexity"]
        log_scale(axis, shown.min(), shown.max())
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
    several = len(results.experiment.seeds) > 1
    seeds = " Means over the seeds (thin lines), until the first of them stops." if several else ""
    vectors = bool(results.runs["document_size"].any())
    return (
        "Perplexity on the validation text after each epoch, on a logarithmic axis"
        f"{'; circles: static rows, diamonds: rows with a document vector' if vectors else ''}; "
        "at the right where each ends. "
        f"{lowest}.{seeds}"
    )


def _epochs(results: Results, runs: pd.DataFrame) -> pd.DataFrame:
    return results.epochs[results.epochs["name"].isin(runs["name"])]


def _styles(rows: list[pd.DataFrame]) -> list[object]:
    """A line style for each row, told apart within static and within vector rows."""
    kinds = [is_vector(runs) for runs in rows]
    ranks = [kinds[:place].count(kind) for place, kind in enumerate(kinds)]
    return [_STYLES[rank % len(_STYLES)] for rank in ranks]


def _draw(axis: Axes, results: Results, runs: pd.DataFrame, style: object) -> _End:
    """Draw one row's line, and its seeds'; returns where it ends."""
    epochs = _epochs(results, runs)
    colour, marker = (ONLINE, "D") if is_vector(runs) else (STATIC, "o")
    if len(runs) > 1:
        for _, seed in epochs.groupby("name"):
            axis.plot(seed["epoch"], seed["valid_perplexity"], color=colour, lw=0.4, alpha=0.4)
    by_epoch = epochs.groupby("epoch")["valid_perplexity"]
    # The mean ends where the first seed stopped: further on it would be of other runs.
    line = by_epoch.mean()[by_epoch.count() == len(runs)]
    axis.plot(line.index, line, linestyle=style, marker=marker, color=colour, lw=1.5, ms=3)
    return _End(float(line.index[-1]), float(line.iloc[-1]), model_of(runs), colour)


def _label_ends(axis: Axes, ends: list[_End]) -> None:
    """Write each line's name at the right edge, none overlapping, a thin leader to its end."""
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
