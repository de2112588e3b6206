"""Figures of `docs/performance.md`: the growth of the cost, and the time of each part.

The same data gives the same bytes. Colours and fonts are those of the experiment's figures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from online_rnnlm.analysis.figures.colours import INK, MUTED, ONLINE, STATIC
from online_rnnlm.analysis.figures.drawing import panels, save, style

AXES = {
    "hidden_size": "Hidden units, M",
    "document_size": "Length of the document vector, D",
    "batch_sentences": "Sentences an update",
    "vocabulary": "Words of the vocabulary",
    "tokens": "Words of the training text",
}
_LINEAR = ("document_size",)


def write_figures(results: dict[str, Any], folder: Path) -> list[str]:
    """Draw an SVG figure of each measured section that has one; returns the figures' names."""
    drawings: dict[str, Callable[[], Figure]] = {}
    for name, cases in results["sections"].get("scaling", {}).get("axes", {}).items():
        drawings[name] = partial(_draw_scaling, name, cases)
    profiles = results["sections"].get("profile", {}).get("profiles")
    if profiles:
        drawings["profile"] = partial(_draw_profile, profiles)
    for name, draw in drawings.items():
        with style(name):
            save(draw(), folder / f"{name}.svg")
    return list(drawings)


def _draw_scaling(name: str, cases: list[dict[str, Any]]) -> Figure:
    """Draw words per second with their spread, and the bound that the arithmetic sets."""
    figure, (axis,) = panels(1, 3.4)
    values = [case["value"] for case in cases]
    speeds = [case["median"] for case in cases]
    axis.grid(axis="y", linewidth=0.6)
    axis.plot(values, [case["bound"] for case in cases], "--", color=MUTED, lw=1.4,
              label="bound: matrix products alone")  # fmt: skip
    below = [case["median"] - case["min"] for case in cases]
    above = [case["max"] - case["median"] for case in cases]
    axis.errorbar(values, speeds, yerr=[below, above], color=ONLINE, marker="o", ms=5, lw=1.6,
                  capsize=3, label="measured (median, least, greatest)")  # fmt: skip
    if name not in _LINEAR:
        axis.set_xscale("log")
        axis.set_xticks(values)
        axis.minorticks_off()
    axis.xaxis.set_major_formatter(FuncFormatter(_short))
    axis.yaxis.set_major_formatter(FuncFormatter(_short))
    axis.set_ylim(bottom=0)
    axis.set_xlabel(AXES[name])
    axis.set_ylabel("Training words a second")
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2)
    return figure


def _short(value: float, _: int | None = None) -> str:
    """Format 1,000 as 1k and 1,000,000 as 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _draw_profile(profiles: list[dict[str, Any]]) -> Figure:
    """Draw a bar for each part, in the order of computation, for D = 0 and D = 20."""
    names = list(profiles[-1]["parts"])
    figure, (axis,) = panels(1, 0.34 * len(names) + 1.2, width=6.0)
    axis.grid(axis="x", linewidth=0.6)
    height = 0.8 / len(profiles)
    for number, (profile, colour) in enumerate(zip(profiles, (STATIC, ONLINE), strict=False)):
        places = [place + (number - (len(profiles) - 1) / 2) * height
                  for place in range(len(names))]  # fmt: skip
        widths = [profile["parts"].get(name, 0.0) for name in names]
        label = f"D = {profile['document_size']}"
        axis.barh(places, widths, height=height, color=colour, label=label)
        products = [profile["arithmetic"].get(name, 0.0) for name in names]
        marks = "products alone" if number == 0 else None
        axis.plot(products, places, "|", color=INK, ms=9, mew=1.6, label=marks)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlabel("Microseconds a word")
    axis.legend(loc="lower right", frameon=False)
    return figure
