"""Generation of `docs/performance.md`; every number in it comes from the measured values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from tabulate import tabulate

from benchmarks.context import ONLINE, STATIC
from benchmarks.convergence import time_to
from benchmarks.figures import AXES, write_figures
from benchmarks.report import HEADINGS, cells, number, rows_of
from online_rnnlm.storage.files import replacing

_PEERS = ("graph", "jax", "torch")


def write(results: dict[str, Any], path: Path) -> None:
    """Write the document, and its figures into a folder of the same name beside it."""
    pictures = write_figures(results, path.with_suffix(""))
    environment = Environment(
        loader=PackageLoader("benchmarks", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # The output is Markdown.
    )
    environment.filters |= {"number": number, "percent": lambda value: f"{value:.0%}"}
    text = environment.get_template("performance.md.j2").render(
        **results,
        minutes=sum(s["took"] for s in results["sections"].values()) / 60,
        tables=_tables(results),
        speeds=_speeds(results),
        first={name: _first_row(results, name) for name in results["sections"]},
        profile=_profile(results),
        pictures={name: f"{path.stem}/{name}.svg" for name in pictures},
        axes=AXES,
        growth=_growth(results),
        race=_race(results),
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _first_row(results: dict[str, Any], section: str) -> dict[str, Any] | None:
    """Return the first row of a section; None if it was not measured."""
    rows = rows_of(results, section)
    return rows[0] if rows and "median" in rows[0] else None


def _markdown(headings: list[str], rows: list[list[str]]) -> str:
    return str(tabulate(rows, headers=headings, tablefmt="github", disable_numparse=True))


def _tables(results: dict[str, Any]) -> dict[str, str]:
    """Return Markdown tables: rows with a target, other rows, peers, and bounds."""
    corpora = len(results["setup"]["corpora"])
    own = rows_of(results, *(name for name in results["sections"] if name not in _PEERS))
    aimed = [cells(row, corpora) for row in own if "target" in row]
    others = [cells(row, corpora) for row in own if "target" not in row]
    peers = [
        [
            *cells(row, corpora)[:4],
            number(row["compile_seconds"]) if "compile_seconds" in row else "",
        ]
        for row in rows_of(results, *_PEERS)
    ]
    headings = list(HEADINGS)
    return {
        "aimed": _markdown(headings, aimed),
        "others": _markdown(headings[:4] + headings[6:7], [c[:4] + c[6:7] for c in others]),
        "peers": _markdown([*headings[:4], "compiling, s"], peers),
        "bounds": _bounds(rows_of(results, "training", "full_scale", "evaluation"), corpora),
    }


def _bounds(rows: list[dict[str, Any]], corpora: int) -> str:
    """Return the table of each speed with its bound."""
    headings = ["what", "kFLOP a word", "GFLOP/s meanwhile", "bound, words/s", "measured",
                "of the bound", "by the clock"]  # fmt: skip
    found = [row for row in rows if "bound" in row]
    return _markdown(
        headings,
        [
            [
                cells(row, corpora)[0], number(row["flops_per_word"] / 1e3),
                number(row["reference_gflops"]), number(row["bound"]), number(row["median"]),
                f"{row['share_of_bound']:.0%}", number(row["wall_median"]),
            ]
            for row in found
        ],
    )  # fmt: skip


def _speeds(results: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the training row of the main corpus for each document size."""
    rows = [row for row in rows_of(results, "training") if "target" in row]
    return dict(zip((STATIC, ONLINE), rows, strict=False))


def _profile(results: dict[str, Any]) -> dict[str, Any] | None:
    """Return the table of the profile and its slowest parts; None if it was not measured."""
    profiles = results["sections"].get("profile", {}).get("profiles")
    if not profiles:
        return None
    lines = [_profile_line(name, profiles) for name in profiles[-1]["parts"]]
    totals = ["sum of the parts"]
    wholes = ["the whole, as training runs it"]
    headings = ["part"]
    for p in profiles:
        total, products = sum(p["parts"].values()), sum(p["arithmetic"].values())
        totals += [f"{total:.3f}", "100%", f"{products:.3f}"]
        wholes += [f"{p['whole']:.3f}", f"{p['whole'] / total:.0%}", ""]
        size = p["document_size"]
        headings += [f"D = {size}: µs a word", "share", "products alone"]
    table = _markdown(headings, [*lines, totals, wholes])
    return {"table": table, "largest": _largest(profiles)}


def _profile_line(name: str, profiles: list[dict[str, Any]]) -> list[str]:
    line = [name]
    for p in profiles:
        value, products = p["parts"].get(name, 0.0), p["arithmetic"].get(name)
        share = value / sum(p["parts"].values())
        line += [f"{value:.3f}", f"{share:.0%}", f"{products:.3f}" if products else ""]
    return line


def _largest(profiles: list[dict[str, Any]]) -> dict[int, list[str]]:
    """Return the three slowest parts, with their shares of the time, by document size."""
    result = {}
    for p in profiles:
        total = sum(p["parts"].values())
        top = sorted(p["parts"].items(), key=lambda part: -part[1])[:3]
        result[p["document_size"]] = [f"{name} ({value / total:.0%})" for name, value in top]
    return result


def _growth(results: dict[str, Any]) -> dict[str, str]:
    """Return a table for every setting that `scaling` changes."""
    headings = ["words/s", "min to max", "bound", "of the bound", "classes", "mean class size"]
    axes = results["sections"].get("scaling", {}).get("axes", {})
    return {
        name: _markdown(
            [AXES[name], *headings],
            [
                [
                    f"{case['value']:,}", number(case["median"]),
                    f"{number(case['min'])} to {number(case['max'])}", number(case["bound"]),
                    f"{case['share_of_bound']:.0%}", str(case["classes"]),
                    number(case["mean_class_size"]),
                ]
                for case in cases
            ],
        )
        for name, cases in axes.items()
    }  # fmt: skip


def _race(results: dict[str, Any]) -> dict[str, Any] | None:
    """Return PyTorch's best perplexity in its time, and the time of our models to reach it."""
    epochs = results["sections"].get("torch", {}).get("epochs")
    runs = results["sections"].get("convergence", {}).get("runs")
    if not epochs or not runs:
        return None
    best = min(epochs, key=lambda epoch: float(epoch["valid_perplexity"]))
    ours = {}
    for size in (STATIC, ONLINE):
        mine = [run for run in runs if run["document_size"] == size]
        ours[size] = time_to(mine[0]["epochs"], best["valid_perplexity"], "cpu_everything")
    lines = [
        [str(i), number(e["cpu_everything"]), number(e["valid_perplexity"])]
        for i, e in enumerate(epochs, 1)
    ]
    table = _markdown(["epoch", "CPU seconds so far", "validation perplexity"], lines)
    return {"best": best, "ours": ours, "table": table, "own": _epoch_table(runs)}


def _epoch_table(runs: list[dict[str, Any]]) -> str:
    """Return the table of the epochs of both models with the first seed."""
    lines = []
    for size in (STATIC, ONLINE):
        run = next(run for run in runs if run["document_size"] == size)
        lines += [
            [
                f"100/{size}", str(e["epoch"]), number(e["cpu_learning"]),
                number(e["cpu_everything"]), number(e["valid_perplexity"]),
            ]
            for e in run["epochs"]
        ]  # fmt: skip
    headings = ["model", "epoch", "CPU seconds of learning", "of everything",
                "validation perplexity"]  # fmt: skip
    return _markdown(headings, lines)
