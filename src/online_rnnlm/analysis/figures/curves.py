"""The figures of curves: perplexity by epoch and by the rate of learning, and gain by text size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from online_rnnlm.analysis.comparison import compare_sides
from online_rnnlm.analysis.figures import MUTED, ONLINE, RIVAL, STATIC, SURFACE, drawing
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Row, Side
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, Learning, online_evaluation
from online_rnnlm.config.testing import UNITS
from online_rnnlm.storage.records import Evaluation

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
_REACH = 1.15
"""The upper end of the axis, relative to the highest of the lines' lowest perplexities."""
_AXES = {"document_rate": "Rate α of the document vector", "learning_rate": "Rate of the weights"}


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


class Curve(NamedTuple):
    """Validation perplexity at each rate, averaged over the seeds; NaN where a seed diverged."""

    evaluation: Learning
    key: str
    """The name of the rate."""
    perplexities: pd.Series[float]
    """By rising rate."""
    chosen: frozenset[float]
    """The rates used in testing."""

    @property
    def name(self) -> str:
        """The vector's moment and unit of learning, or the names of the parts that learn."""
        found = self.evaluation
        if found.updates == DOCUMENT_VECTOR:
            return f"{found.moment} / {UNITS[str(found.unit_of_text)]}"
        return found.updates.replace("_", " ").replace("+", " + ")


def draw_rates(results: Results) -> drawing.Picture:
    """Draw a panel for the headline's document vector, and one for its weights.

    The weights' curves are those of learning after every word, kept for the unit of training.
    """
    row = results.headline(results.first_corpus)
    curves = curves_of(row)
    vector = [curve for curve in curves if curve.evaluation.updates == DOCUMENT_VECTOR]
    as_trained = ("word", row.settings.unit_of_text)
    weights = [
        curve
        for curve in curves
        if curve.evaluation.updates != DOCUMENT_VECTOR
        and (curve.evaluation.learn_after, curve.evaluation.unit_of_text) == as_trained
    ]
    drawn = [found for found in (vector, weights) if found]
    if not drawn:
        raise NothingToShowError(f"Of {row.label} nothing was tested that learns, or it diverged.")
    figure, axes = drawing.panels(len(drawn), _HEIGHT * len(drawn))
    for axis, found in zip(axes, drawn, strict=True):
        _draw(axis, found, row.perplexity("valid").mean)
    several = ", the mean over the seeds" if len(row.runs) > 1 else ""
    learns = "its vector learning as in training" if row.has_vector else "nothing learning"
    caption = (
        f"Validation perplexity of {row.label} against the rate of what learns during "
        f"testing{several}. Filled marks: the rates chosen for testing; crosses at the upper edge: "
        "rates at which it is higher, or learning diverged; dotted: the perplexity with "
        f"{learns}. A vector's line is named by what it takes a step after / is kept for."
        f"{drawing.only_first(results)}"
    )
    return drawing.Picture(figure, caption)


def curves_of(row: Row) -> list[Curve]:
    """The curve of each online evaluation of a row, if it has a perplexity at any rate."""
    evaluations = filter(None, map(online_evaluation, row.evaluations))
    curves = [_curve(evaluation, row.by_seed(evaluation.name)) for evaluation in evaluations]
    return [curve for curve in curves if curve.perplexities.notna().any()]


def _curve(evaluation: Learning, by_seed: Sequence[Evaluation]) -> Curve:
    key = next(iter(by_seed[0].chosen))
    tried = pd.DataFrame(
        [
            {float(one.settings[key]): one.valid_perplexity for one in found.curve}
            for found in by_seed
        ]
    )
    # A rate at which one seed diverged cannot be used, so its mean is NaN.
    means = tried.astype(float).mean(skipna=False).sort_index()
    return Curve(evaluation, key, means, frozenset(float(found.chosen[key]) for found in by_seed))


def _draw(axis: Axes, curves: Sequence[Curve], reference: float) -> None:
    axis.grid(axis="y", linewidth=0.6)
    axis.axhline(reference, color=MUTED, lw=1, ls=(0, (1, 3)))
    best = [curve.perplexities.min() for curve in curves]
    highest = max(curve.perplexities.max() for curve in curves)
    low, worst = min(*best, reference), max(*best, reference)
    top = min(_REACH * worst, max(worst, highest) + 0.06 * (worst - low))
    axis.set_ylim(low - 0.06 * (top - low), top)
    axis.set_xscale("log")
    rates = sorted({rate for curve in curves for rate in curve.perplexities.index})
    axis.xaxis.set_major_locator(FixedLocator(rates))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.tick_params(axis="x", labelsize=drawing.SMALL)
    axis.set_xlabel(_AXES[curves[0].key])
    axis.set_ylabel("Validation perplexity")
    ends = [_draw_curve(axis, curve, top, look) for curve, look in zip(curves, cycle(LOOKS))]
    drawing.label_at_the_right(axis, ends)


def _draw_curve(
    axis: Axes, curve: Curve, top: float, look: tuple[str, object, str]
) -> drawing.Label:
    """Draw a line up to the upper edge, where crosses stand for what is higher; return its end."""
    colour, style, marker = look
    shown = curve.perplexities.where(curve.perplexities <= top)
    axis.plot(shown, ls=style, color=colour, lw=1.4, marker=marker, ms=4.5, mfc=SURFACE)
    axis.plot(shown[shown.index.isin(curve.chosen)], ls="", color=colour, marker=marker, ms=7.5)
    higher = shown.index[shown.isna()]
    if len(higher):  # An empty line would upset the layout.
        axis.plot(higher, [top] * len(higher), ls="", color=colour, marker="x", ms=6, clip_on=False)
    last = shown.dropna().tail(1)
    return drawing.Label(curve.name, (float(last.index[0]), float(last.iloc[0])), colour)


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
