"""The tables of settings; each setting is from the paper, from the original toolkit, or assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings

PUBLISHED, TOOLKIT, ASSUMED = "published", "RNNLM Toolkit's", "assumed"

# The origin holds only for the value given here; any other value of the setting is assumed.
# Published values are in the author's summary of the paper, the toolkit's in its source code.
_ORIGINS: Mapping[str, tuple[str, Any]] = {
    "cell": (PUBLISHED, "sigmoid"),
    "document_layer": (PUBLISHED, "output"),
    "error_clip": (TOOLKIT, 15.0),
    "improvement_factor": (TOOLKIT, 1.003),
    "rate_divisor": (TOOLKIT, 2.0),
    "initial_scale": (TOOLKIT, 0.1),
    "rate_rule": (TOOLKIT, "toolkit"),
    "classes.rule": (TOOLKIT, "sqrt_frequency"),
    "classes.count": (TOOLKIT, 100),
    "testing.steps": (TOOLKIT, 5),
}
Values = Mapping[tuple[str, str], Any]
"""The values of a setting, by corpus and label of the row."""
_DECIDED_BY_ROW = {
    "corpus",
    "seed",
    "hidden_size",
    "context_size",
    "document_size",
    "document_layer",
}


def origin(key: str, value: Any) -> str:
    """The origin of a setting's value."""
    status, known = _ORIGINS.get(key, (ASSUMED, None))
    return status if known is not None and value == known else ASSUMED


def settings_table(results: Results) -> Table:
    """The settings of training and testing; if rows differ, with each row's own value."""
    rows = []
    for key, field in RunSettings.model_fields.items():
        if key not in _DECIDED_BY_ROW:
            settings = {(row.corpus, row.label): row.settings for row in results.rows}
            values = {row: getattr(s, key) for row, s in settings.items() if key not in s.unused}
            if not values:
                continue
            row = {"setting": key, "value": _shown(values), "meaning": field.description}
            rows.append({**row, "status": _common(origin(key, v) for v in values.values())})
    return _table("settings", "Training", [*rows, *_testing_rows(results.experiment.testing)])


def corpus_settings_table(results: Results) -> Table:
    """The settings by which the corpora are prepared."""
    rows = [
        {"setting": f"{name}: {key}", "value": str(value), "status": origin(key, value)}
        for name, corpus in results.experiment.corpora.items()
        for key, value in _flat(corpus.model_dump(mode="json")).items()
    ]
    return _table("corpus_settings", "Corpora", rows)


def runs_table(results: Results) -> Table:
    """The runs of the comparison, each with its seed, epochs, time and identity."""
    data = pd.DataFrame(
        {
            "name": run.name,
            "seed": run.seed,
            "epochs": run.result.epochs,
            "best_epoch": run.result.best_epoch,
            "seconds": run.result.seconds,
            "identity": run.result.identity,
        }
        for run in results.runs
    )
    columns = [
        Column("Run", label("name"), text=True),
        Column("Seed", integer("seed")),
        Column("Epochs", integer("epochs")),
        Column("Best epoch", integer("best_epoch")),
        Column("Training (s)", integer("seconds")),
        Column("Identity", lambda row: row["identity"][:12], text=True),
    ]
    return Table("runs", "Runs", data, columns)


def _shown(values: Values) -> str:
    if len(set(map(repr, values.values()))) == 1:
        return str(next(iter(values.values())))
    several = len({corpus for corpus, _ in values}) > 1
    return "; ".join(
        f"{corpus + ' ' if several else ''}{model}: {value}"
        for (corpus, model), value in values.items()
    )


def _common(statuses: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(statuses))


def _testing_rows(testing: TestingSettings) -> list[dict[str, Any]]:
    return [
        {
            "setting": f"testing.{key}",
            "value": str(value),
            "meaning": field.description,
            "status": origin(f"testing.{key}", value),
        }
        for key, field in TestingSettings.model_fields.items()
        for value in [getattr(testing, key)]
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def _table(name: str, caption: str, rows: list[dict[str, Any]]) -> Table:
    columns = [
        Column("Setting", label("setting"), text=True),
        Column("Value", label("value"), text=True),
        Column("Status", label("status"), text=True),
    ]
    if any(row.get("meaning") for row in rows):
        columns.append(Column("Meaning", lambda row: row["meaning"].replace("`", ""), text=True))
    return Table(name, caption, pd.DataFrame(rows), columns)
