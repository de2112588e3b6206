"""The table on the terminal, and the set-up that the measured values depend on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from tabulate import tabulate
from threadpoolctl import threadpool_info

from benchmarks.context import ONLINE, STATIC, Context, NamedCorpus
from online_rnnlm.process.hardware import machine
from online_rnnlm.storage.code import code_digest

_PACKAGES = ("numpy", "scipy", "numba", "pytensor")
HEADINGS = ("what", "unit", "median", "min to max", "target", "ratio", "of the bound", "")


def setup(context: Context) -> dict[str, Any]:
    """Return the set-up that all values of one table share: machine, code, corpora, settings."""
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    options = context.options
    return {
        "machine": {
            **machine().model_dump(exclude_none=True),
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
            "blas": sorted({f"{b['internal_api']} {b['version']} {b.get('architecture', '')}"
                            for b in blas}),
        },
        "code": code_digest("training.loop", "engines.kernel_engine"),
        "quick": options.quick,
        "corpora": [_describe(named) for named in context.corpora],
        "settings": {str(size): context.settings(size).model_dump(mode="json")
                     for size in (STATIC, ONLINE)},
    }  # fmt: skip


def _describe(named: NamedCorpus) -> dict[str, Any]:
    corpus = named.corpus
    return {
        "name": named.name,
        "digest": corpus.digest,
        "reference": named.is_reference,
        "tokens": corpus.splits["train"].tokens,
        "sentences": corpus.splits["train"].sentences,
        "vocabulary": corpus.vocabulary_size,
        "classes": corpus.classes,
        "mean_class_size": corpus.mean_class_size("train"),
    }


def number(value: float) -> str:
    """Format a value with three or four significant digits."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def cells(row: dict[str, Any], corpora: int = 1) -> list[str]:
    """Return the cells of a row as text, in the order of `HEADINGS`."""
    where = f" ({row['corpus']})" if corpora > 1 and "corpus" in row else ""
    target = ""
    if "target" in row:
        target = ("≥ " if row["at_least"] else "≤ ") + number(row["target"]).removesuffix(".00")
    if "missing" in row:
        mark = "not met" if target else ""
        return [row["title"] + where, "", row["missing"], "", target, "", "", mark]
    spread = f"{number(row['min'])} to {number(row['max'])}"
    ratio = f"{row['ratio_to_target']:.2f}" if "target" in row else ""
    share = f"{row['share_of_bound']:.0%}" if "share_of_bound" in row else ""
    mark = ("met" if row["met"] else "not met") if "target" in row else ""
    return [
        row["title"] + where, row["unit"], number(row["median"]), spread, target, ratio, share, mark
    ]  # fmt: skip


def rows_of(results: dict[str, Any], *sections: str) -> list[dict[str, Any]]:
    """Return all rows of the named sections, or of all sections if none is named."""
    chosen = sections or tuple(results["sections"])
    found = [results["sections"].get(name, {}).get("rows", []) for name in chosen]
    return [row for rows in found for row in rows]


def show(results: dict[str, Any]) -> str:
    """Return the whole table as text for a terminal."""
    corpora = len(results["setup"]["corpora"])
    table = [cells(row, corpora) for row in rows_of(results)]
    return str(tabulate(table, headers=HEADINGS, disable_numparse=True))
