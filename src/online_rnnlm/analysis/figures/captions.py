"""Sentences that several captions end in."""

from __future__ import annotations

from online_rnnlm.analysis.results import Results


def only_first(results: Results) -> str:
    """Says which corpus a figure shows, where there are several."""
    shown = f" Of the corpora, {results.first_corpus} is shown."
    return shown if results.several_corpora else ""


def pooled(results: Results) -> str:
    """Says over how many seeds a metric is pooled, where there are several."""
    seeds = len(results.experiment.seeds)
    return f", pooled over {seeds} seeds" if seeds > 1 else ""
