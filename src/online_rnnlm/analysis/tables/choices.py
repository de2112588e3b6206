"""The table `choices`: the settings of testing that were tried on `valid`, and the chosen ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.tables import shared
from online_rnnlm.analysis.tables.write import Column, Table, label, mean


def make(results: Results) -> Table:
    """Make the table: the chosen settings of each network in each evaluation.

    The CSV has a row for each combination of settings that was tried, with each seed. The
    perplexity of one that diverged is NaN. Raises NothingToShowError if nothing was tried.
    """
    tried = [values for row in results.rows for values in _tried(row)]
    chosen = [values for row in results.rows for values in _chosen(results, row)]
    if not chosen:
        raise NothingToShowError("No evaluation that has finished chose settings.")
    columns = [
        Column("Network", label("model"), text=True),
        Column("Tested", lambda row: results.way_in(row["evaluation"]), text=True),
        Column("Chosen", label("chosen"), text=True),
        Column("At the edge of its grid", label("edges"), text=True),
        Column("Valid perplexity", mean("valid_perplexity")),
    ]
    several = " Several values are those of the seeds in order." if results.several_seeds else ""
    notes = [f"Chosen on valid, for each seed by itself.{several} {shared.spread_note(results)}"]
    caption = "Settings chosen for testing"
    return shared.comparison_table(
        results, "choices", caption, pd.DataFrame(chosen), columns, notes, pd.DataFrame(tried)
    )


def _tried(row: Row) -> Iterator[dict[str, Any]]:
    """Yield each combination of settings that was tried with a network, seed by seed."""
    for run in row.runs:
        for evaluation, found in run.evaluations.items():
            for trial in found.curve:
                perplexity = trial.valid_perplexity
                yield {
                    "corpus": row.corpus,
                    "model": row.label,
                    "evaluation": evaluation,
                    "seed": run.seed,
                    "settings": shared.settings_text([trial.settings]),
                    "valid_perplexity": math.nan if perplexity is None else perplexity,
                    "chosen": trial.settings == found.chosen,
                }


def _chosen(results: Results, row: Row) -> Iterator[dict[str, Any]]:
    """Yield what was chosen for a network in each evaluation that tries settings."""
    for evaluation in row.evaluations:
        by_seed = row.by_seed(evaluation)
        if by_seed[0].curve:
            grids = [([trial.settings for trial in one.curve], one.chosen) for one in by_seed]
            edges = dict.fromkeys(key for tried, one in grids for key in shared.edges(tried, one))
            valid = row.perplexity("valid", evaluation)
            yield {
                "corpus": row.corpus,
                "model": row.label,
                "evaluation": evaluation,
                "chosen": shared.settings_text([one.chosen for one in by_seed]),
                "edges": ", ".join(edges),
                **shared.mean_over_seeds(results, "valid_perplexity", valid),
            }
