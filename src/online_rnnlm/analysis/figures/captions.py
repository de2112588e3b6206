"""Phrases that several captions share."""

from __future__ import annotations

from online_rnnlm.analysis.results import Results


def only_first(results: Results) -> str:
    """A sentence that names the corpus shown; empty if there is only one corpus."""
    shown = f" The corpus shown is {results.first_corpus}."
    return shown if results.several_corpora else ""


def pooled(results: Results) -> str:
    """A phrase with the number of seeds that are pooled; empty if there is only one."""
    seeds = len(results.experiment.seeds)
    return f", pooled over {seeds} seeds" if seeds > 1 else ""
