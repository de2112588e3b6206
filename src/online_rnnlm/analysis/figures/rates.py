"""How much the rate of learning during testing matters: validation perplexity against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from online_rnnlm.analysis.comparison import mean_perplexity
from online_rnnlm.analysis.figures.drawing import (
    MUTED,
    ONLINE,
    RIVAL,
    SMALL,
    STATIC,
    SURFACE,
    Picture,
    legend_above,
    panels,
)
from online_rnnlm.analysis.figures.rows import best_row, is_vector, model_of, only_first, result_of
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, OnlineEvaluation, online_evaluation

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
"""The axis ends at so many times the highest of the lines' lowest perplexities."""
_AXES = {"document_rate": "Rate α of the document vector", "learning_rate": "Rate of the weights"}


@dataclass(frozen=True)
class Curve:
    """Validation perplexity at each rate, averaged over the seeds; NaN where a seed diverged.

    `rates`, `perplexities`: (rates,), rates rising; `chosen`: those that seeds were tested with.
    """

    evaluation: OnlineEvaluation
    key: str
    rates: Floats
    perplexities: Floats
    chosen: frozenset[float]


def rate_curve(results: Results) -> Picture:
    """A panel for the document vector's rate, by what it is kept for; one for weights' rates."""
    runs = best_row(results, next(iter(results.experiment.corpora)))
    curves = curves_of(results, runs)
    vector = [curve for curve in curves if curve.evaluation.updates == DOCUMENT_VECTOR]
    weights = _of_one_way([c for c in curves if c.evaluation.updates != DOCUMENT_VECTOR])
    drawn = [found for found in (vector, weights) if found]
    figure, axes = panels(len(drawn), _HEIGHT * len(drawn))
    reference = mean_perplexity(results, result_of(runs), "valid")
    for axis, found in zip(axes, drawn, strict=True):
        _draw(axis, found, reference)
    return Picture(figure, _caption(results, runs, vector, weights))


def curves_of(results: Results, runs: pd.DataFrame) -> list[Curve]:
    """The curve of each of a row's evaluations in which more learns."""
    names = list(runs["name"])
    return [
        _curve(evaluation, [results.details[name, evaluation.name] for name in names])
        for evaluation in map(online_evaluation, results.evaluations_of(names[0]))
        if evaluation is not None
    ]


def _curve(evaluation: OnlineEvaluation, details: Sequence[dict[str, Any]]) -> Curve:
    key = next(iter(details[0]["chosen"]))
    tried = pd.DataFrame([point for found in details for point in found["curve"]])
    # A null among numbers is NaN; a rate at which one seed diverged is no rate to take.
    tried["valid_perplexity"] = tried["valid_perplexity"].astype(float)
    means = tried.groupby(key)["valid_perplexity"].agg(lambda values: values.mean(skipna=False))
    chosen = frozenset(float(found["chosen"][key]) for found in details)
    rates = np.array(means.index, dtype=np.float64)
    return Curve(evaluation, key, rates, np.array(means, dtype=np.float64), chosen)


def _of_one_way(curves: Sequence[Curve]) -> list[Curve]:
    """Those that learn as often, and keep as long what they learn, as the first does."""
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
    """A line; filled marks at chosen rates; crosses at the top edge where it diverged."""
    colour, style, marker = look
    shown = np.minimum(curve.perplexities, 9 * top)  # numbers without end make no path
    axis.plot(
        curve.rates, shown, ls=style, color=colour, lw=1.4, marker=marker, ms=4.5,
        mfc=SURFACE, label=_name(curve),
    )  # fmt: skip
    chosen = np.isin(curve.rates, sorted(curve.chosen))
    axis.plot(curve.rates[chosen], shown[chosen], ls="", color=colour, marker=marker, ms=7.5)
    diverged = np.isnan(curve.perplexities)
    if diverged.any():  # an empty line would have no place, and so upset the layout
        edge = np.full(int(diverged.sum()), top)
        axis.plot(curve.rates[diverged], edge, ls="", color=colour, marker="x", ms=6, clip_on=False)


def _name(curve: Curve) -> str:
    updates, learn_after, unit = curve.evaluation
    if updates == DOCUMENT_VECTOR:
        return f"{learn_after} / {unit}"
    return updates.replace("_", " ").replace("+", " + ")


def _rates(axis: Axes, rates: Sequence[float]) -> None:
    """A logarithmic axis with the rates that were tried, and no others."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(rates))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.tick_params(axis="x", labelsize=SMALL)


def _caption(
    results: Results, runs: pd.DataFrame, vector: Sequence[Curve], weights: Sequence[Curve]
) -> str:
    several = ", the mean over the seeds" if len(runs) > 1 else ""
    parts = [
        f"Validation perplexity of {model_of(runs)} against the rate of what learns during "
        f"testing{several}. Filled marks: the rates chosen, which the test text is read with; "
        "crosses at the upper edge: diverged; a line that leaves there: higher still."
    ]
    learns = "its vector learning as in training" if is_vector(runs) else "nothing learning"
    parts.append(f"Dotted: {learns}.")
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
