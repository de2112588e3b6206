"""The tables of settings; each setting is from the paper, from the original toolkit, or assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.write import Column, Table, integer, label
from online_rnnlm.config.base import descriptions
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings

PUBLISHED, TOOLKIT, ASSUMED = "published", "RNNLM Toolkit's", "assumed"

# The origin holds only for the value given here; any other value of the setting is assumed.
# Published values are in the author's summary of the paper, the toolkit's in its source code.
_ORIGINS: Mapping[str, tuple[str, Any]] = {
    "cell": (PUBLISHED, "sigmoid"),
    "error_clip": (TOOLKIT, 15.0),
    "improvement_factor": (TOOLKIT, 1.003),
    "rate_divisor": (TOOLKIT, 2.0),
    "initial_scale": (TOOLKIT, 0.1),
    "rate_rule": (TOOLKIT, "toolkit"),
    "classes.rule": (TOOLKIT, "sqrt_frequency"),
    "classes.count": (TOOLKIT, 100),
    "testing.steps": (TOOLKIT, 5),
}
_DECIDED_BY_ROW = {"corpus", "seed", "hidden_size", "document_size"}


def origin(key: str, value: Any) -> str:
    """The origin of a setting's value."""
    status, known = _ORIGINS.get(key, (ASSUMED, None))
    return status if known is not None and value == known else ASSUMED


def settings_table(results: Results) -> Table:
    """The settings of training and testing; if rows differ, with each row's own value."""
    rows = []
    for key, meaning in descriptions(RunSettings).items():
        used = [row for row in results.rows if key not in row.settings.unused]
        if used and key not in _DECIDED_BY_ROW:
            several = len({row.corpus for row in used}) > 1
            values = {
                f"{row.corpus + ' ' if several else ''}{row.label}": getattr(row.settings, key)
                for row in used
            }
            rows.append(_row(key, values, meaning))
    for key, meaning in descriptions(TestingSettings).items():
        name = f"testing.{key}"
        rows.append(_row(name, {"": getattr(results.experiment.testing, key)}, meaning))
    return _table("settings", "Training", rows)


def _row(setting: str, values: Mapping[str, Any], meaning: str) -> dict[str, str]:
    """A row of the table; `values` are by the row of the comparison that has them."""
    several = len(set(map(repr, values.values()))) > 1
    shown = "; ".join(f"{row}: {value}" for row, value in values.items())
    return {
        "setting": setting,
        "value": shown if several else str(next(iter(values.values()))),
        "status": " / ".join(dict.fromkeys(origin(setting, value) for value in values.values())),
        "meaning": meaning.replace("`", ""),
    }


def corpus_settings_table(results: Results) -> Table:
    """The settings by which the corpora are prepared."""
    rows = [
        {"setting": f"{name}: {key}", "value": str(value), "status": origin(str(key), value)}
        for name, corpus in results.experiment.corpora.items()
        for key, value in pd.json_normalize(corpus.model_dump(mode="json")).iloc[0].items()
    ]
    return _table("corpus_settings", "Corpora", rows)


def _table(name: str, caption: str, rows: list[dict[str, str]]) -> Table:
    columns = [Column(key.capitalize(), label(key), text=True) for key in rows[0]]
    return Table(name, caption, pd.DataFrame(rows), columns)


def runs_table(results: Results) -> Table:
    """The runs of the comparison, each with its epochs, time and identity."""
    data = pd.DataFrame({"name": run.name, **dict(run.end)} for run in results.runs)
    columns = [
        Column("Run", label("name"), text=True),
        Column("Epochs", integer("epochs")),
        Column("Best epoch", integer("best_epoch")),
        Column("Training (s)", integer("seconds")),
        Column("Identity", lambda row: row["identity"][:12], text=True),
    ]
    return Table("runs", "Runs", data, columns)
