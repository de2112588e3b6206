"""Every setting with where it comes from: the paper, the original toolkit, or an assumption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings

PUBLISHED, TOOLKIT, ASSUMED = "published", "RNNLM Toolkit's", "assumed"

# A setting is published, or the toolkit's, only with this value; with another it is assumed.
# Published: said in the author's summary of the paper. The toolkit's: read off its source.
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
_DECIDED_BY_ROW = {"corpus", "seed", "hidden_size", "document_size", "document_layer"}


def origin(key: str, value: Any) -> str:
    """Where a setting's value comes from."""
    status, known = _ORIGINS.get(key, (ASSUMED, None))
    return status if known is not None and value == known else ASSUMED


def settings_table(results: Results) -> Table:
    """Every setting of the shown runs; where rows differ, each row's own value."""
    rows = []
    for key, field in RunSettings.model_fields.items():
        if key not in _DECIDED_BY_ROW:
            values = _values_by_model(results, key)
            row = {"setting": key, "value": _shown(values), "meaning": field.description}
            rows.append({**row, "status": _common(origin(key, v) for v in values.values())})
    return _table("settings", "Training", [*rows, *_testing_rows(results.experiment.testing)])


def corpus_settings_table(results: Results) -> Table:
    """Every setting of the corpora's preparation."""
    rows = [
        {"setting": f"{name}: {key}", "value": str(value), "status": origin(key, value)}
        for name, corpus in results.experiment.corpora.items()
        for key, value in _flat(corpus.model_dump(mode="json")).items()
    ]
    return _table("corpus_settings", "Corpora", rows)


def runs_table(results: Results) -> Table:
    """Every run with its seed, epochs, time and identity."""
    data = results.runs[["name", "seed", "epochs", "best_epoch", "seconds", "identity"]]
    columns = [
        Column("Run", label("name"), text=True),
        Column("Seed", integer("seed")),
        Column("Epochs", integer("epochs")),
        Column("Best epoch", integer("best_epoch")),
        Column("Training (s)", integer("seconds")),
        Column("Identity", lambda row: row["identity"][:12], text=True),
    ]
    return Table("runs", "Runs", data, columns)


def _values_by_model(results: Results, key: str) -> dict[tuple[str, str], Any]:
    columns = (results.runs[name] for name in ("corpus", "model", "name"))
    return {
        (corpus, model): results.records[name]["settings"][key]
        for corpus, model, name in zip(*columns, strict=True)
    }


def _shown(values: dict[tuple[str, str], Any]) -> str:
    if len(set(map(repr, values.values()))) == 1:
        return str(next(iter(values.values())))
    several = len({corpus for corpus, _ in values}) > 1
    return "; ".join(
        f"{corpus + ' ' if several else ''}{model}: {value}"
        for (corpus, model), value in values.items()
    )


def _common(statuses: Any) -> str:
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
