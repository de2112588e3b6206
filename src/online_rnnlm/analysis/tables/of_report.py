"""The tables of settings and of runs, which the report alone shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pydantic.fields import FieldInfo

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import Column, Row, Table
from online_rnnlm.analysis.tables.values import integer
from online_rnnlm.config.runs import network_name
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings

PUBLISHED = "published"
TOOLKIT = "RNNLM Toolkit's"
ASSUMED = "assumed"

ORIGINS: Mapping[str, Mapping[str, Any]] = {
    PUBLISHED: {"cell": "sigmoid"},
    TOOLKIT: {
        "error_clip": 15.0,
        "improvement_factor": 1.003,
        "rate_divisor": 2.0,
        "rate_rule": "toolkit",
        "classes.rule": "sqrt_frequency",
        "classes.count": 100,
        "testing.steps": 5,
    },
}
"""The values of settings that are not assumed, by their origin.

Published values are in the author's summary of the paper, the toolkit's in its source code.
"""
_DECIDED_BY_ROW = {"corpus", "seed", "hidden_size", "document_size"}


def origin(key: str, value: Any) -> str:
    """The origin of a setting's value."""
    for source, known in ORIGINS.items():
        if key in known and known[key] == value:
            return source
    return ASSUMED


def _texts(caption: str, rows: list[Row]) -> Table:
    """A table of texts, whose headings are the keys of its rows."""
    return Table(caption, rows, [Column(heading, heading, text=True) for heading in rows[0]])


def settings_table(results: Results) -> Table:
    """The settings of training and testing; if networks differ, with each one's own value."""
    rows = []
    for key, field in RunSettings.model_fields.items():
        used = [network for network in results.networks if key not in network.settings.unused]
        if used and key not in _DECIDED_BY_ROW:
            several = len({network.corpus for network in used}) > 1
            values = {
                f"{one.corpus + ' ' if several else ''}{one.network_name}": getattr(
                    one.settings, key
                )
                for one in used
            }
            rows.append(_setting(key, values, field))
    for key, field in TestingSettings.model_fields.items():
        values = {
            f"{one.settings.corpus + ' ' if results.several_corpora else ''}"
            f"{network_name(one.settings)}": getattr(one.testing, key)
            for one in results.experiment.networks
        }
        rows.append(_setting(f"testing.{key}", values, field))
    return _texts("Training", rows)


def _setting(name: str, values: Mapping[str, Any], field: FieldInfo) -> Row:
    """A row of the table; `values` are by the network that has them."""
    several = len(set(map(repr, values.values()))) > 1
    shown = "; ".join(f"{network}: {value}" for network, value in values.items())
    return {
        "Setting": name,
        "Value": shown if several else str(next(iter(values.values()))),
        "Status": " / ".join(dict.fromkeys(origin(name, value) for value in values.values())),
        "Meaning": " ".join((field.description or "").replace("`", "").split()),
    }


def corpus_settings_table(results: Results) -> Table:
    """The settings by which the corpora are prepared."""
    rows: list[Row] = [
        {"Setting": f"{name}: {key}", "Value": value, "Status": origin(str(key), value)}
        for name, corpus in results.experiment.corpora.items()
        for key, value in pd.json_normalize(corpus.model_dump(mode="json")).iloc[0].items()
    ]
    return _texts("Corpora", rows)


def runs_table(results: Results) -> Table:
    """The runs of the comparison, each with its epochs, time and identity."""
    columns = [
        Column("Run", lambda run: run.name, text=True),
        Column("Epochs", lambda run: run.end.epochs, integer),
        Column("Best epoch", lambda run: run.end.best_epoch, integer),
        Column("Training (s)", lambda run: run.end.seconds, integer),
        Column("Identity", lambda run: run.end.identity[:12], text=True),
    ]
    return Table("Runs", results.runs, columns)
