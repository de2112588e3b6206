"""Columns that several tables have: keys of a row, means over seeds, settings as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric, Row
from online_rnnlm.analysis.tables.rendering import Column, label
from online_rnnlm.config.runs import Run

SEEDS_NOTE = "Mean ± sample standard deviation over the seeds."


def on_corpus(caption: str, results: Results) -> str:
    """A caption that names the corpus if there is only one, which then needs no column."""
    return caption if results.several_corpora else f"{caption} on {next(iter(results.corpora))}"


def corpus_columns(results: Results) -> list[Column]:
    """The column of the corpus if there are several, else none."""
    return [Column("Corpus", label("corpus"), text=True)] if results.several_corpora else []


def row_keys(row: Row) -> dict[str, Any]:
    """The values that tell a row from others, and its label."""
    return model_keys(row.first.run)


def model_keys(run: Run) -> dict[str, Any]:
    """The values that tell a run's model from others, and its label."""
    settings = run.settings
    return {
        "corpus": settings.corpus,
        "hidden_size": settings.hidden_size,
        "context_size": settings.context_size,
        "cell": settings.cell,
        "document_size": settings.document_size,
        "document_layer": settings.document_layer,
        "document_gradient": settings.document_gradient,
        "unit_of_text": settings.unit_of_text,
        "carry": settings.carry,
        "model": run.model,
    }


def spread_note(results: Results) -> str:
    """A note that values are means over seeds with their spread, or are those of one seed."""
    return SEEDS_NOTE if results.several_seeds else "One seed."


def mean_over_seeds(results: Results, key: str, metric: Metric) -> dict[str, float]:
    """The mean of a metric and, if there are several seeds, its standard deviation as `<key>_sd`.

    The mean is NaN if there is no value, the deviation if there are fewer than two.
    """
    spread = {f"{key}_sd": metric.deviation} if results.several_seeds else {}
    return {key: metric.mean, **spread}


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; if seeds differ, with each seed's value in order."""
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in by_seed[0])


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """A setting's value, or that of each seed in order: `0.1`, `0.1 / 0.3 / 0.1`."""
    values = [_shortest(settings[key]) for settings in by_seed]
    return " / ".join(values if len(set(values)) > 1 else values[:1])


def _shortest(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
