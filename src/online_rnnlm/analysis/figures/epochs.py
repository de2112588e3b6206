"""The figures of training: perplexity of `valid`, and its gain by a vector, after each epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import Drawing
from online_rnnlm.analysis.figures.looks import SERIES, look_of, meaning_of_marks
from online_rnnlm.analysis.opponents import opponents_of, slow_units_like
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.significance import percent_of_gain
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.storage.runs import read_epochs

_STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
"""Styles of the lines of several networks."""


def _curves(results: Results, network: FinishedNetwork) -> pd.DataFrame:
    """(epochs, seeds): the perplexity of `valid` after each epoch; NaN after a seed's last one."""
    curves = {}
    for run in network.runs:
        epochs = read_epochs(results.directory.run(run.name))
        curves[run.seed] = pd.Series({epoch.epoch: epoch.valid_perplexity for epoch in epochs})
    return pd.DataFrame(curves)


def _name_lines(axis: Axes, ends: Sequence[drawing.Label]) -> None:
    """Name lines over epochs at their ends, where the axis ends, too."""
    axis.set_xlim(right=1.01 * max(end.place[0] for end in ends))
    axis.set_xlabel("Epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    drawing.label_at_the_right(axis, ends)


def draw_learning(results: Results) -> Drawing:
    """Draw validation perplexity by epoch: a line for each network, thin lines for its seeds."""
    figure, (axis,) = drawing.panels(1, drawing.HEIGHT_OF_LINES)
    axis.grid(axis="y")
    ends = []
    shown: list[float] = []
    # Networks whose vector learns differ in the lines' style, and so do the others.
    styles = {learns: cycle(_STYLES) for learns in (True, False)}
    for network in results.networks_on(results.first_corpus):
        curves = _curves(results, network)
        shown += [float(curves.min().min()), float(curves.max().max())]
        look = look_of(network.main)
        colour = look["color"]
        for seed in curves if results.several_seeds else ():
            curve = curves[seed].dropna()
            axis.plot(curve.index, curve, color=colour, lw=0.4, alpha=0.4)
        # The mean ends where the first seed stops; later it would be over fewer runs.
        line = curves.mean(axis=1, skipna=False).dropna()
        style = next(styles[network.learns])
        axis.plot(line.index, line, linestyle=style, lw=1.5, ms=3, **look)
        end = line.iloc[-1]
        ends.append(drawing.Label(f"{network.network_name}  {end:.1f}", (len(line), end), colour))
    drawing.log_scale(axis, min(shown), max(shown))
    axis.set_ylabel("Validation perplexity")
    _name_lines(axis, ends)
    seeds = " Means over the seeds (thin lines), until the first seed stops."
    caption = (
        "Perplexity on the validation text after each epoch, on a logarithmic axis; the last "
        f"values are at the right. {meaning_of_marks(results, rivals=False)}"
        f"{seeds if results.several_seeds else ''}"
    )
    return Drawing(figure, caption)


def draw_gain_by_epoch(results: Results) -> Drawing:
    """Draw the change of `valid` by a vector, against static networks and slow units, by epoch.

    Raises NothingToShowError if no vector has a static network beside it.
    """
    figure, axis = drawing.panel_of_changes("validation perplexity (%)")
    ends = []
    looks = cycle(SERIES)
    for vector in results.networks_on(results.first_corpus):
        if not vector.learns:
            continue
        for other in [*opponents_of(results, vector), *slow_units_like(results, vector)]:
            ours, theirs = (
                _curves(results, network).map(math.log).mean(axis=1, skipna=False)
                for network in (vector, other)
            )
            percents = (theirs - ours).dropna().map(percent_of_gain)
            look = next(looks)
            axis.plot(percents.index, percents, ms=3, lw=1.4, **look)
            name = f"{vector.network_name}\nagainst {other.network_name}"
            ends.append(drawing.Label(name, (len(percents), percents.iloc[-1]), look["color"]))
    if not ends:
        raise NothingToShowError("No vector has a static network beside it.")
    _name_lines(axis, ends)
    caption = (
        "Change of the perplexity of valid by a vector that learns, against static networks of as "
        "many units or parameters and slow units in its place, after each epoch; below the line "
        "the vector is better."
    )
    return Drawing(figure, caption)
