"""The table on the terminal, and the page of measurements with its figures, from values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from tabulate import tabulate

from benchmarks.measure import Row
from benchmarks.runs import reaching
from online_rnnlm.analysis.figures.drawing import MUTED, panels, save, style
from online_rnnlm.storage.files import replacing

_WIDTH = 6.0
"""Inches."""
HEADINGS = ["what", "unit", "median", "min to max", "target", "ratio", "of the bound", ""]
AXES = {
    "hidden_size": "Hidden units, M",
    "document_size": "Length of the document vector, D",
    "batch_sentences": "Sentences an update",
    "vocabulary": "Words of the vocabulary",
    "tokens": "Words of the training text",
}
_PEERS = ("graph", "jax", "torch", "toolkits")
Results = dict[str, Any]


def number(value: float) -> str:
    """Format a value with three or four significant digits."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def rows_of(results: Results, *sections: str) -> list[Row]:
    """Return all rows of the named sections, or of all sections if none is named."""
    chosen = sections or tuple(results["sections"])
    found = [results["sections"].get(name, {}).get("rows", []) for name in chosen]
    return [row for rows in found for row in rows]


def show(results: Results) -> str:
    """Return the whole table as text for a terminal."""
    table = [_cells(row) for row in rows_of(results)]
    return str(tabulate(table, headers=HEADINGS, disable_numparse=True))


def _cells(row: Row) -> list[str]:
    """Return the cells of a row as text, in the order of `HEADINGS`."""
    title = row["title"] + (f" ({row['corpus']})" if "corpus" in row else "")
    if "missing" in row:
        return [title, "", row["missing"], *[""] * 5]
    spread = f"{number(row['min'])} to {number(row['max'])}"
    share = f"{row['share_of_bound']:.0%}" if "share_of_bound" in row else ""
    target, ratio, mark = "", "", ""
    if "target" in row:
        target = ("≥ " if row["at_least"] else "≤ ") + number(row["target"]).removesuffix(".00")
        ratio = f"{row['ratio_to_target']:.2f}"
        mark = "met" if row["ratio_to_target"] >= 1 else "not met"
    return [title, row["unit"], number(row["median"]), spread, target, ratio, share, mark]


def write(results: Results, path: Path) -> None:
    """Write the document, and its figures into a folder of the same name beside it."""
    sections = results["sections"]
    growth = sections.get("scaling", {}).get("axes", {})
    environment = Environment(
        loader=PackageLoader("benchmarks", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # The output is Markdown.
    )
    environment.filters["number"] = number
    text = environment.get_template("performance.md.j2").render(
        **results,
        minutes=sum(section["took"] for section in sections.values()) / 60,
        tables=_tables(results),
        pictures=path.stem,
        axes=AXES,
        growth={axis: _growth_table(axis, cases) for axis, cases in growth.items()},
        race=_race(sections),
    )
    figures = {axis: partial(_draw_growth, axis, cases) for axis, cases in growth.items()}
    for name, draw in figures.items():
        with style(name):
            save(draw(), path.with_suffix("") / f"{name}.svg")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return str(tabulate(rows, headers=headings, tablefmt="github", disable_numparse=True))


def _tables(results: Results) -> dict[str, str]:
    """Return Markdown tables: rows with a target, other rows, peers, and bounds."""
    own = rows_of(results, *(name for name in results["sections"] if name not in _PEERS))
    others = [_cells(row) for row in own if "target" not in row]
    peers = [
        [*_cells(row)[:4], number(row["first_call"]) if "first_call" in row else ""]
        for row in rows_of(results, *_PEERS)
    ]
    return {
        "aimed": _markdown(HEADINGS, [_cells(row) for row in own if "target" in row]),
        "others": _markdown(HEADINGS[:4], [cells[:4] for cells in others]),
        "peers": _markdown([*HEADINGS[:4], "first call, s"], peers),
        "bounds": _bounds(rows_of(results, "training", "full_scale", "evaluation")),
    }


def _bounds(rows: list[Row]) -> str:
    """Return the table of each speed with its bound."""
    headings = ["what", "kFLOP a word", "GFLOP/s meanwhile", "bound, words/s", "measured",
                "of the bound", "by the clock"]  # fmt: skip
    lines = [
        [
            _cells(row)[0], number(row["flops_per_word"] / 1e3), number(row["reference_gflops"]),
            number(row["bound"]), number(row["median"]), f"{row['share_of_bound']:.0%}",
            number(row["wall_median"]),
        ]
        for row in rows
        if "flops_per_word" in row
    ]  # fmt: skip
    return _markdown(headings, lines)


def _growth_table(axis: str, cases: list[Row]) -> str:
    """Return the speeds for every value of a setting that `scaling` changes."""
    headings = [AXES[axis], "words/s", "min to max", "bound", "of the bound", "classes",
                "mean class size"]  # fmt: skip
    lines = [
        [
            f"{case['value']:,}", *_cells(case)[2:4], number(case["bound"]), _cells(case)[6],
            str(case["classes"]), number(case["mean_class_size"]),
        ]
        for case in cases
    ]  # fmt: skip
    return _markdown(headings, lines)


def _race(sections: Results) -> Results | None:
    """Return PyTorch's best perplexity in its time, and our models' times to reach it."""
    theirs = sections.get("torch", {}).get("epochs")
    runs = sections.get("convergence", {}).get("runs")
    if not theirs or not runs:
        return None
    best = min(theirs, key=lambda epoch: float(epoch["valid_perplexity"]))
    ours = {f"100/{size}": mine[0]["epochs"] for size, mine in runs.items()}
    reached = {name: reaching(epochs, best["valid_perplexity"]) for name, epochs in ours.items()}
    return {"best": best, "ours": reached}


def _draw_growth(name: str, cases: list[Row]) -> Figure:
    """Draw words per second with their spread, and the bound that the arithmetic sets."""
    figure, (axis,) = panels(1, 3.4, _WIDTH)
    values = [case["value"] for case in cases]
    speeds = [case["median"] for case in cases]
    spread = [[case["median"] - case["min"] for case in cases],
              [case["max"] - case["median"] for case in cases]]  # fmt: skip
    axis.plot(values, [case["bound"] for case in cases], "--", color=MUTED,
              label="bound: matrix products alone")  # fmt: skip
    axis.errorbar(values, speeds, yerr=spread, marker="o", capsize=3,
                  label="measured (median, least, greatest)")  # fmt: skip
    if min(values) > 0:
        axis.set_xscale("log")
        axis.set_xticks(values)
        axis.minorticks_off()
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.yaxis.set_major_formatter(EngFormatter(sep=""))
    axis.set_ylim(bottom=0)
    axis.set(xlabel=AXES[name], ylabel="Training words a second")
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure
