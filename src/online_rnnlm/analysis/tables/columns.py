"""What the tables of models share: which row it is, means over seeds, settings as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Column, label

SEEDS_NOTE = "Mean ± sample standard deviation over the seeds."


def on_corpus(caption: str, results: Results) -> str:
    """Names the corpus in a caption where it is the only one, and so needs no column."""
    corpora = list(results.experiment.corpora)
    return f"{caption} on {corpora[0]}" if len(corpora) == 1 else caption


def corpus_columns(results: Results) -> list[Column]:
    """The corpus, where there are several."""
    several = len(results.experiment.corpora) > 1
    return [Column("Corpus", label("corpus"), text=True)] if several else []


def several_seeds(results: Results) -> bool:
    """Whether figures are means that have a spread."""
    return len(results.experiment.seeds) > 1


def spread_note(results: Results) -> str:
    """What a figure of several seeds, or of one, is."""
    return SEEDS_NOTE if several_seeds(results) else "One seed."


def mean_over_seeds(results: Results, key: str, values: Sequence[float]) -> dict[str, float]:
    """A column's mean and, if there are several seeds, its sample standard deviation.

    NaN: the mean of no value, the deviation of one.
    """
    series = pd.Series(values, dtype=float)
    spread = {f"{key}_sd": series.std()} if several_seeds(results) else {}
    return {key: series.mean(), **spread}


def mean_figure(
    results: Results, names: Sequence[str], evaluation: str, split: str, figure: str, key: str
) -> dict[str, float]:
    """`mean_over_seeds` of a figure of runs; NaN for a split that the evaluation leaves out."""
    have = [name for name in names if split in results.details[name, evaluation]["splits"]]
    values = [results.figure(name, split, evaluation, figure) for name in have]
    return mean_over_seeds(results, key, values)


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; where seeds differ, each one's value in their order."""
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in by_seed[0])


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """One setting's value, or each seed's in their order: `0.1`, `0.1 / 0.3 / 0.1`."""
    values = [_shortest(settings[key]) for settings in by_seed]
    return " / ".join(values if len(set(values)) > 1 else values[:1])


def _shortest(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
