"""The figures of curves: perplexity by epoch, and gain by the size of the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from online_rnnlm.analysis.claims import MORE_PARAMETERS, SAME_HIDDEN
from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import MUTED, ONLINE, RIVAL, STATIC
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claim, Claims
from online_rnnlm.storage.runs import read_epochs

_HEIGHT = 3.9
_STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_LOOKS: Sequence[tuple[str, object, str]] = (
    (ONLINE, "-", "D"),
    (STATIC, "--", "o"),
    (RIVAL, "-.", "^"),
    ("#cc79a7", ":", "s"),
)
"""Colours, styles of lines and markers of several series."""
_OPPONENTS = {SAME_HIDDEN: "units", MORE_PARAMETERS: "parameters"}
"""The claims against a static network, and what that network has as many of."""


def draw_learning(results: Results) -> drawing.Picture:
    """Draw a line for each row, and thin lines for its seeds."""
    figure, (axis,) = drawing.panels(1, _HEIGHT)
    axis.grid(axis="y", linewidth=0.6)
    rows = results.rows_on(results.first_corpus)
    ends = []
    by_epoch = [_by_epoch(results, row) for row in rows]
    for number, row in enumerate(rows):  # static rows differ in style, and so do vector rows
        rank = sum(other.has_vector == row.has_vector for other in rows[:number])
        ends.append(_draw_row(axis, row, by_epoch[number], _STYLES[rank % len(_STYLES)]))
    shown = [perplexity for curves in by_epoch for curve in curves for perplexity in curve]
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


def _by_epoch(results: Results, row: Row) -> list[list[float]]:
    """Validation perplexity by epoch, one list for each seed."""
    epochs_of_runs = [read_epochs(results.directory.run(run.name)) for run in row.runs]
    return [[epoch.valid_perplexity for epoch in epochs] for epochs in epochs_of_runs]


def _draw_row(
    axis: Axes, row: Row, curves: Sequence[Sequence[float]], style: object
) -> drawing.Label:
    """Draw the line of a row and those of its seeds; return the end of the row's line."""
    colour, marker = (ONLINE, "D") if row.has_vector else (STATIC, "o")
    for curve in curves if len(curves) > 1 else ():
        axis.plot(range(1, len(curve) + 1), curve, color=colour, lw=0.4, alpha=0.4)
    # The mean ends where the first seed stops; later it would be over fewer runs.
    line = [float(np.mean(values)) for values in zip(*curves, strict=False)]
    epochs = range(1, len(line) + 1)
    axis.plot(epochs, line, linestyle=style, marker=marker, color=colour, lw=1.5, ms=3)
    return drawing.Label(f"{row.label}  {line[-1]:.1f}", (len(line), line[-1]), colour)


def by_size(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """The claims on each network and its static opponent, by names of both, the least text first.

    What is on texts of a single size is left out.
    """
    lines: dict[str, list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: claim.train_tokens):
        if claim.number in _OPPONENTS:
            lines[f"{claim.row}, {_OPPONENTS[claim.number]}"].append(claim)
    return {
        name: line
        for name, line in lines.items()
        if len({claim.train_tokens for claim in line}) > 1
    }


def draw_sizes(results: Results) -> drawing.Picture:
    """Draw the change that a vector makes, against the number of tokens in the training text.

    Raises NothingToShowError if no vector has a static network beside it on texts of two sizes.
    """
    lines = by_size(records.read(Claims, results.directory.claims).claims)
    if not lines:
        raise NothingToShowError("No vector has a static network beside it on texts of two sizes.")
    figure, (axis,) = drawing.panels(1, _HEIGHT)
    axis.grid(axis="y", linewidth=0.6)
    axis.axhline(0, color=MUTED, lw=1)
    named = []
    for (name, claims), (colour, line, marker) in zip(lines.items(), cycle(_LOOKS), strict=False):
        tokens = [claim.train_tokens for claim in claims]
        percents = [claim.effect.change_percent for claim in claims]
        intervals = np.array([claim.effect.interval_percent for claim in claims])
        ends = np.abs(intervals - np.reshape(percents, (-1, 1)))
        axis.errorbar(
            tokens,
            percents,
            ends.T,
            color=colour,
            ls=line,
            marker=marker,
            ms=5,
            lw=1.4,
            elinewidth=1,
            capsize=2.5,
        )
        named.append(drawing.Label(name, (tokens[-1], percents[-1]), colour))
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:.1f}"))
    sizes = {claim.train_tokens for claims in lines.values() for claim in claims}
    axis.xaxis.set_major_locator(FixedLocator(sorted(sizes)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("Tokens in the training text (millions)")
    axis.set_ylabel("Change of test perplexity (%)\nagainst a static network of as many …")
    drawing.label_at_the_right(axis, named)
    caption = (
        "Change of test perplexity by a document vector that learns, against static networks "
        "of as many units, or of as many parameters, by the size of the training text. Bars: 95 % "
        "intervals over the test text; below the line the vector is better."
    )
    return drawing.Picture(figure, caption)
