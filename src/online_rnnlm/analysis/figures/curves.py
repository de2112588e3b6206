"""The figures of curves: perplexity by epoch, and gain by the size of the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from online_rnnlm.analysis.comparison import compare_sides
from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import MUTED, ONLINE, RIVAL, STATIC
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Row, Side
from online_rnnlm.config.evaluations import NONE

_HEIGHT = 3.9
_STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
LOOKS: Sequence[tuple[str, object, str]] = (
    (ONLINE, "-", "D"),
    (STATIC, "--", "o"),
    (RIVAL, "-.", "^"),
    ("#cc79a7", ":", "s"),
    ("#e69f00", (0, (5, 1, 1, 1, 1, 1)), "v"),
    ("#56b4e9", "--", "P"),
    ("#8c564b", "-.", "X"),
)
"""Colours, styles of lines and markers of several series."""


def draw_learning(results: Results) -> drawing.Picture:
    """Draw a line for each row, and thin lines for its seeds."""
    figure, (axis,) = drawing.panels(1, _HEIGHT)
    axis.grid(axis="y", linewidth=0.6)
    rows, ends = results.rows_on(results.first_corpus), []
    for number, row in enumerate(rows):  # static rows differ in style, and so do vector rows
        rank = sum(other.has_vector == row.has_vector for other in rows[:number])
        ends.append(_draw_row(axis, row, _STYLES[rank % len(_STYLES)]))
    shown = [value for row in rows for curve in _by_epoch(row) for value in curve]
    drawing.log_scale(axis, min(shown), max(shown))
    axis.set_xlim(right=1.01 * max(end.place[0] for end in ends))
    axis.set_xlabel("Epoch")
    axis.set_ylabel("Validation perplexity")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    drawing.label_at_the_right(axis, ends)
    seeds = " Means over the seeds (thin lines), until the first seed stops."
    caption = (
        "Perplexity on the validation text after each epoch, on a logarithmic axis; circles: "
        "static networks, diamonds: networks with a vector; the last values are at the right."
        f"{seeds if results.several_seeds else ''}{drawing.only_first(results)}"
    )
    return drawing.Picture(figure, caption)


def _by_epoch(row: Row) -> list[list[float]]:
    """Validation perplexity by epoch, one list for each seed."""
    return [[epoch.valid_perplexity for epoch in run.epochs] for run in row.runs]


def _draw_row(axis: Axes, row: Row, style: object) -> drawing.Label:
    """Draw the line of a row and those of its seeds; return the end of the row's line."""
    curves = _by_epoch(row)
    colour, marker = (ONLINE, "D") if row.has_vector else (STATIC, "o")
    for curve in curves if len(curves) > 1 else ():
        axis.plot(range(1, len(curve) + 1), curve, color=colour, lw=0.4, alpha=0.4)
    # The mean ends where the first seed stops; later it would be over fewer runs.
    line = [float(np.mean(values)) for values in zip(*curves, strict=False)]
    epochs = range(1, len(line) + 1)
    axis.plot(epochs, line, linestyle=style, marker=marker, color=colour, lw=1.5, ms=3)
    return drawing.Label(f"{row.label}  {line[-1]:.1f}", (len(line), line[-1]), colour)


class Change(NamedTuple):
    """The change of test perplexity that a vector makes, with its interval over the test text."""

    tokens: int
    """Number of tokens of the training text."""
    percent: float
    interval: tuple[float, float]


def changes_by_size(results: Results) -> dict[str, list[Change]]:
    """Compare each network with a vector with its static opponents, on corpora of rising size.

    The keys name both. What is on a single corpus is left out.
    """
    found: dict[str, list[Change]] = defaultdict(list)
    for row in results.rows:
        for which, static in _opponents(results, row) if row.has_vector else ():
            effect = compare_sides(results, Side(row, row.final), Side(static, NONE)).effect
            tokens = results.corpora[row.corpus].splits["train"].tokens
            change = Change(tokens, effect["change_percent"], effect["interval_percent"])
            found[f"{row.label}, {which}"].append(change)
    return {name: sorted(changes) for name, changes in found.items() if len(changes) > 1}


def _opponents(results: Results, vector: Row) -> Iterator[tuple[str, Row]]:
    same, more, _ = results.opponents(vector)
    if same is not None:
        yield "units", same
    if more is not None:
        yield "parameters", more


def draw_sizes(results: Results) -> drawing.Picture:
    """Draw the change that a vector makes, against the number of words in the training text.

    Raises NothingToShowError if no network with a vector has static opponents on two corpora.
    """
    lines = changes_by_size(results)
    if not lines:
        raise NothingToShowError("No vector has a static network beside it on two corpora.")
    figure, (axis,) = drawing.panels(1, _HEIGHT)
    axis.grid(axis="y", linewidth=0.6)
    axis.axhline(0, color=MUTED, lw=1)
    named = []
    for (name, changes), (colour, line, marker) in zip(lines.items(), cycle(LOOKS), strict=False):
        tokens, percents, intervals = zip(*changes, strict=True)
        ends = np.abs(np.subtract(intervals, np.reshape(percents, (-1, 1))))
        axis.errorbar(
            tokens, percents, ends.T, color=colour, ls=line, marker=marker, ms=5,
            lw=1.4, elinewidth=1, capsize=2.5,
        )  # fmt: skip
        named.append(drawing.Label(name, (tokens[-1], percents[-1]), colour))
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:.1f}"))
    sizes = {change.tokens for changes in lines.values() for change in changes}
    axis.xaxis.set_major_locator(FixedLocator(sorted(sizes)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("Words in the training text (millions)")
    axis.set_ylabel("Change of test perplexity (%)")
    drawing.label_at_the_right(axis, named)
    caption = (
        "Change of test perplexity by a document vector that learns, against static networks that "
        "of as many units, or of as many parameters, by the size of the training text. Bars: 95 % "
        "intervals over the test text; below the line the vector is better."
    )
    return drawing.Picture(figure, caption)
