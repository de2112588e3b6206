"""The tables of settings, which the report alone shows, and where the values come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from pydantic.fields import FieldInfo

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import Column, Table
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings

PUBLISHED = "published"
TOOLKIT = "RNNLM Toolkit's"
ASSUMED = "assumed"

ORIGINS: Mapping[str, tuple[str, Any]] = {
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
"""Where a setting's value comes from, and that value: any other value of the setting is assumed.

Published values are in the author's summary of the paper, the toolkit's in its source code.
"""
_DECIDED_BY_ROW = {"corpus", "seed", "hidden_size", "document_size"}


def origin(key: str, value: Any) -> str:
    """The origin of a setting's value."""
    status, known = ORIGINS.get(key, (ASSUMED, None))
    return status if value == known else ASSUMED


class SettingRow(NamedTuple):
    """A row of a table of settings."""

    name: str
    value: str
    """The value; each network's own if they differ."""
    status: str
    """Where the value comes from."""
    meaning: str = ""


_COLUMNS: Sequence[Column[SettingRow]] = (
    Column("Setting", lambda row: row.name, text=True),
    Column("Value", lambda row: row.value, text=True),
    Column("Status", lambda row: row.status, text=True),
)


def settings_table(results: Results) -> Table[SettingRow]:
    """The settings of training and testing; if networks differ, with each one's own value."""
    rows = []
    for key, field in RunSettings.model_fields.items():
        used = [network for network in results.networks if key not in network.settings.unused]
        if used and key not in _DECIDED_BY_ROW:
            several = len({network.corpus for network in used}) > 1
            values = {
                f"{one.corpus + ' ' if several else ''}{one.label}": getattr(one.settings, key)
                for one in used
            }
            rows.append(_setting(key, values, field))
    for key, field in TestingSettings.model_fields.items():
        values = {"": getattr(results.experiment.testing, key)}
        rows.append(_setting(f"testing.{key}", values, field))
    meaning: Column[SettingRow] = Column("Meaning", lambda row: row.meaning, text=True)
    return Table("Training", rows, [*_COLUMNS, meaning])


def _setting(name: str, values: Mapping[str, Any], field: FieldInfo) -> SettingRow:
    """A row of the table; `values` are by the network that has them."""
    several = len(set(map(repr, values.values()))) > 1
    shown = "; ".join(f"{network}: {value}" for network, value in values.items())
    return SettingRow(
        name=name,
        value=shown if several else str(next(iter(values.values()))),
        status=" / ".join(dict.fromkeys(origin(name, value) for value in values.values())),
        meaning=" ".join((field.description or "").replace("`", "").split()),
    )


def corpus_settings_table(results: Results) -> Table[SettingRow]:
    """The settings by which the corpora are prepared."""
    rows = [
        SettingRow(f"{name}: {key}", str(value), origin(str(key), value))
        for name, corpus in results.experiment.corpora.items()
        for key, value in pd.json_normalize(corpus.model_dump(mode="json")).iloc[0].items()
    ]
    return Table("Corpora", rows, _COLUMNS)
