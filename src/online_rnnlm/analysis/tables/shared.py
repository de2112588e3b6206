"""Functions that several tables use: keys of a row, means over seeds, settings as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric
from online_rnnlm.analysis.tables.write import Column, Table, label
from online_rnnlm.config.runs import Run

_KEYS = (
    *("corpus", "hidden_size", "cell", "document_size"),
    *("document_gradient", "unit_of_text", "carry"),
)


def model_keys(run: Run) -> dict[str, Any]:
    """The values that tell a run's model from others, and its label."""
    return {**{key: getattr(run.settings, key) for key in _KEYS}, "model": run.model}


def comparison_table(
    results: Results,
    name: str,
    caption: str,
    data: pd.DataFrame,
    columns: Iterable[Column],
    notes: Sequence[str],
    tidy: pd.DataFrame | None = None,
) -> Table:
    """A table with corpora in its third column; if there is one, the caption names it instead."""
    first, second, *others = columns
    if results.several_corpora:
        others.insert(0, Column("Corpus", label("corpus"), text=True))
    else:
        caption += f" on {next(iter(results.corpora))}"
    return Table(name, caption, data, [first, second, *others], notes, tidy)


def spread_note(results: Results) -> str:
    """A note that values are means over seeds with their spread, or are those of one seed."""
    several = "Mean ± sample standard deviation over the seeds."
    return several if results.several_seeds else "One seed."


def mean_over_seeds(results: Results, key: str, metric: Metric) -> dict[str, float]:
    """The mean of a metric and, if there are several seeds, its standard deviation as `<key>_sd`.

    The mean is NaN if there is no value, the deviation if there are fewer than two.
    """
    spread = {f"{key}_sd": metric.deviation} if results.several_seeds else {}
    return {key: metric.mean, **spread}


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; if seeds differ, with each seed's value in order."""
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in keys_of(by_seed))


def keys_of(by_seed: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the settings that any of the seeds has."""
    return [*dict.fromkeys(key for settings in by_seed for key in settings)]


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """A setting's value, or that of each seed in order: `0.1`, `0.1 / 0.3 / 0.1`.

    A seed without it, which may be one for which no rate of the vector was better than that of its
    training, has `as in training`.
    """
    found = (settings.get(key, "as in training") for settings in by_seed)
    values = [f"{value:g}" if isinstance(value, float) else str(value) for value in found]
    return " / ".join(values if len(set(values)) > 1 else values[:1])


def edges(tried: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> list[str]:
    """Return the settings whose chosen value is the lowest or the highest of three numbers or more.

    A search may try a setting in some of its runs only.
    """
    found = []
    for key, value in chosen.items():
        grid = {settings[key] for settings in tried if key in settings}
        if isinstance(value, float | int) and len(grid) > 2 and value in (min(grid), max(grid)):
            found.append(key)
    return found
