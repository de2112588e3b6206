"""The figure `rate_curve`: the effect of the rate of learning during testing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from online_rnnlm.analysis.figures.captions import only_first
from online_rnnlm.analysis.figures.colours import MUTED, ONLINE, RIVAL, STATIC, SURFACE
from online_rnnlm.analysis.figures.drawing import SMALL, Picture, legend_above, panels
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, OnlineEvaluation, online_evaluation
from online_rnnlm.storage.records import Evaluation

Floats = npt.NDArray[np.float64]

_HEIGHT = 3.9
_LOOKS: Sequence[tuple[str, object, str]] = (
    (ONLINE, "-", "D"),
    (STATIC, "--", "o"),
    (RIVAL, "-.", "^"),
    ("#cc79a7", ":", "s"),
    ("#e69f00", (0, (5, 1, 1, 1, 1, 1)), "v"),
)
_REACH = 1.15
"""The upper end of the axis, relative to the highest of the lines' lowest perplexities."""
_AXES = {"document_rate": "Rate α of the document vector", "learning_rate": "Rate of the weights"}


@dataclass(frozen=True)
class Curve:
    """Validation perplexity at each rate, averaged over the seeds; NaN where a seed diverged.

    `rates` and `perplexities`: (rates,), with rising rates; `chosen`: the rates used in testing.
    """

    evaluation: OnlineEvaluation
    key: str
    rates: Floats
    perplexities: Floats
    chosen: frozenset[float]


def draw(results: Results) -> Picture:
    """Draw a panel for the best row's document vector, and one for its weights."""
    row = results.best(results.first_corpus)
    curves = curves_of(row)
    vector = [curve for curve in curves if curve.evaluation.updates == DOCUMENT_VECTOR]
    weights = _of_one_way([c for c in curves if c.evaluation.updates != DOCUMENT_VECTOR])
    drawn = [found for found in (vector, weights) if found]
    if not drawn:
        raise NothingToShowError(f"What learns during the testing of {row.label} diverged.")
    figure, axes = panels(len(drawn), _HEIGHT * len(drawn))
    reference = row.perplexity("valid").mean
    for axis, found in zip(axes, drawn, strict=True):
        _draw(axis, found, reference)
    return Picture(figure, _caption(results, row, vector, weights))


def curves_of(row: Row) -> list[Curve]:
    """The curve of each online evaluation of a row, if it has a perplexity at any rate."""
    curves = [
        _curve(evaluation, row.by_seed(evaluation.name))
        for evaluation in map(online_evaluation, row.evaluations)
        if evaluation is not None
    ]
    return [curve for curve in curves if not np.isnan(curve.perplexities).all()]


def _curve(evaluation: OnlineEvaluation, by_seed: Sequence[Evaluation]) -> Curve:
    key = next(iter(by_seed[0].chosen))
    reached: dict[float, list[float]] = defaultdict(list)
    for found in by_seed:
        for trial in found.curve:
            value = trial.valid_perplexity
            reached[float(trial.settings[key])].append(math.nan if value is None else value)
    rates = sorted(reached)
    # A rate at which one seed diverged cannot be used, so its mean is NaN.
    means = [float(np.mean(reached[rate])) for rate in rates]
    chosen = frozenset(float(found.chosen[key]) for found in by_seed)
    return Curve(evaluation, key, np.array(rates), np.array(means), chosen)


def _of_one_way(curves: Sequence[Curve]) -> list[Curve]:
    """The curves that share the first one's learning frequency and unit of text."""
    return [curve for curve in curves if curve.evaluation[1:] == curves[0].evaluation[1:]]


def _draw(axis: Axes, curves: Sequence[Curve], reference: float) -> None:
    axis.grid(axis="y", linewidth=0.6)
    axis.axhline(reference, color=MUTED, lw=1, ls=(0, (1, 3)), label="as trained")
    best = [float(np.nanmin(curve.perplexities)) for curve in curves]
    low, top = min(*best, reference), _REACH * max(*best, reference)
    for number, curve in enumerate(curves):
        _draw_curve(axis, curve, top, _LOOKS[number % len(_LOOKS)])
    axis.set_ylim(low - 0.06 * (top - low), top)
    _rates(axis, sorted({float(rate) for curve in curves for rate in curve.rates}))
    axis.set_xlabel(_AXES[curves[0].key])
    axis.set_ylabel("Validation perplexity")
    vector = curves[0].evaluation.updates == DOCUMENT_VECTOR
    legend_above(axis, title="learns after a … / kept for a …" if vector else None)


def _draw_curve(axis: Axes, curve: Curve, top: float, look: tuple[str, object, str]) -> None:
    """Draw a line, with filled marks at chosen rates and crosses at the top if it diverged."""
    colour, style, marker = look
    shown = np.minimum(curve.perplexities, 9 * top)  # Huge values would make no path.
    axis.plot(
        curve.rates, shown, ls=style, color=colour, lw=1.4, marker=marker, ms=4.5,
        mfc=SURFACE, label=_name(curve),
    )  # fmt: skip
    chosen = np.isin(curve.rates, sorted(curve.chosen))
    axis.plot(curve.rates[chosen], shown[chosen], ls="", color=colour, marker=marker, ms=7.5)
    diverged = np.isnan(curve.perplexities)
    if diverged.any():  # An empty line would upset the layout.
        edge = np.full(int(diverged.sum()), top)
        axis.plot(curve.rates[diverged], edge, ls="", color=colour, marker="x", ms=6, clip_on=False)


def _name(curve: Curve) -> str:
    updates, learn_after, unit = curve.evaluation
    if updates == DOCUMENT_VECTOR:
        return f"{learn_after} / {unit}"
    return updates.replace("_", " ").replace("+", " + ")


def _rates(axis: Axes, rates: Sequence[float]) -> None:
    """Make the x axis logarithmic, with ticks only at the rates that were tried."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(rates))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.tick_params(axis="x", labelsize=SMALL)


def _caption(results: Results, row: Row, vector: Sequence[Curve], weights: Sequence[Curve]) -> str:
    several = ", the mean over the seeds" if len(row.runs) > 1 else ""
    parts = [
        f"Validation perplexity of {row.label} against the rate of what learns during "
        f"testing{several}. Filled marks show the rates chosen for testing, crosses at the upper "
        "edge rates at which learning diverged; a line that leaves there rises further."
    ]
    learns = "its vector learning as in training" if row.has_vector else "nothing learning"
    parts.append(f"The dotted line is the perplexity with {learns}.")
    if vector:
        parts.append(_best(vector, "With the vector alone learning,"))
    if weights:
        _, learn_after, unit = weights[0].evaluation
        way = f"With weights learning after every {learn_after}, reset with every {unit},"
        parts.append(_best(weights, way))
    return " ".join(parts) + only_first(results)


def _best(curves: Sequence[Curve], when: str) -> str:
    best = min(curves, key=lambda curve: float(np.nanmin(curve.perplexities)))
    place = int(np.nanargmin(best.perplexities))
    updates, learn_after, unit = best.evaluation
    way = f"learning after every {learn_after}, kept for a {unit}"
    return (
        f"{when} the lowest is {best.perplexities[place]:.1f}, at {best.rates[place]:g} "
        f"({way if updates == DOCUMENT_VECTOR else _name(best)})."
    )
