"""Columns that several tables have: which row it is, means over seeds, settings as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric, Row
from online_rnnlm.analysis.tables.rendering import Column, label

SEEDS_NOTE = "Mean ± sample standard deviation over the seeds."


def on_corpus(caption: str, results: Results) -> str:
    """Name the corpus in a caption where it is the only one, and so needs no column."""
    return caption if results.several_corpora else f"{caption} on {results.first_corpus}"


def corpus_columns(results: Results) -> list[Column]:
    """The corpus, where there are several."""
    return [Column("Corpus", label("corpus"), text=True)] if results.several_corpora else []


def row_keys(row: Row) -> dict[str, Any]:
    """The keys that tell a row from others, and its label."""
    return {
        "corpus": row.corpus,
        "hidden_size": row.hidden_size,
        "document_size": row.document_size,
        "document_layer": row.settings.document_layer,
        "model": row.label,
    }


def spread_note(results: Results) -> str:
    """The note on what a value is: a mean over seeds with its spread, or of one seed."""
    return SEEDS_NOTE if results.several_seeds else "One seed."


def mean_over_seeds(results: Results, key: str, metric: Metric) -> dict[str, float]:
    """The mean of a metric and, if there are several seeds, `<key>_sd`: its standard deviation.

    NaN: the mean of no value, the deviation of fewer than two.
    """
    spread = {f"{key}_sd": metric.deviation} if results.several_seeds else {}
    return {key: metric.mean, **spread}


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; where seeds differ, each one's value in their order."""
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in by_seed[0])


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """One setting's value, or each seed's in their order: `0.1`, `0.1 / 0.3 / 0.1`."""
    values = [_shortest(settings[key]) for settings in by_seed]
    return " / ".join(values if len(set(values)) > 1 else values[:1])


def _shortest(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
