"""The table `choices`: all settings that were tried on `valid`, and those that were chosen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Metric
from online_rnnlm.analysis.tables.write import (
    Column,
    Table,
    comparison_table,
    edges,
    label,
    mean,
    mean_over_seeds,
    settings_text,
    spread_note,
)
from online_rnnlm.storage.runs import RunResult

TRAINING = "training"
"""The entry of the column `evaluation` for settings of training, which a search has tried."""
_KEYS = ["corpus", "model", "evaluation"]


def make(results: Results) -> Table:
    """Make the table: the chosen settings of each network in training and in each evaluation.

    The CSV has a row for each combination of settings that was tried, with each seed. The
    perplexity of one that diverged is NaN. Raises NothingToShowError if nothing was chosen.
    """
    tried = pd.DataFrame([*_searched(results), *_tested(results)])
    if tried.empty or not tried["chosen"].any():
        raise NothingToShowError("Nothing that has finished chose settings.")
    groups = tried.groupby(_KEYS, sort=False)
    data = pd.DataFrame([_values(results, group) for _, group in groups if group["chosen"].any()])
    columns = [
        Column("Network", label("model"), text=True),
        Column("In", lambda row: _in_words(results, row["evaluation"]), text=True),
        Column("Chosen", label("chosen"), text=True),
        Column("At the edge of its grid", label("edges"), text=True),
        Column("Valid perplexity", mean("valid_perplexity")),
    ]
    several = " Several values are those of the seeds in order." if results.several_seeds else ""
    of_search = (
        f"for training with seed {results.experiment.search_seed}, which nothing else uses; "
    )
    note = (
        f"Chosen on valid: {of_search if results.candidates else ''}for testing with each seed by "
        f"itself.{several} {spread_note(results)}"
    )
    tidy = tried.assign(settings=[settings_text([settings]) for settings in tried["settings"]])
    caption = "Settings chosen"
    return comparison_table(results, "choices", caption, data, columns, [note], tidy)


def _searched(results: Results) -> Iterator[dict[str, Any]]:
    """Yield each combination of settings that the search for training's tried."""
    for run, end in results.candidates:
        yield {
            "corpus": run.settings.corpus,
            "model": run.model,
            "evaluation": TRAINING,
            "seed": run.settings.seed,
            "settings": run.searched,
            "valid_perplexity": end.valid_perplexity if isinstance(end, RunResult) else math.nan,
            "chosen": isinstance(end, RunResult) and any(row.chose(run) for row in results.rows),
        }


def _tested(results: Results) -> Iterator[dict[str, Any]]:
    """Yield each combination of settings that was tried in testing, seed by seed."""
    for row in results.rows:
        for run in row.runs:
            for evaluation, record in run.evaluations.items():
                for trial in record.curve:
                    perplexity = trial.valid_perplexity
                    yield {
                        "corpus": row.corpus,
                        "model": row.label,
                        "evaluation": evaluation,
                        "seed": run.seed,
                        "settings": trial.settings,
                        "valid_perplexity": math.nan if perplexity is None else perplexity,
                        "chosen": trial.settings == record.chosen,
                    }


def _values(results: Results, tried: pd.DataFrame) -> dict[str, Any]:
    """Return the row of the settings chosen for a network in training, or in one evaluation."""
    best = tried[tried["chosen"]]
    grid = [*tried["settings"]]
    chosen = [*best["settings"]]
    at_the_edge = dict.fromkeys(key for settings in chosen for key in edges(grid, settings))
    valid = Metric(tuple(best["valid_perplexity"]))
    return {
        **tried.iloc[0][_KEYS],
        "chosen": settings_text(chosen),
        "edges": ", ".join(at_the_edge),
        **mean_over_seeds(results, "valid_perplexity", valid),
    }


def _in_words(results: Results, evaluation: str) -> str:
    """Return in words where settings are used: in training, or in a way of testing."""
    return evaluation if evaluation == TRAINING else f"testing {results.way_in(evaluation)}"
