"""The table `search`: the candidates' settings and results on `valid`, and the chosen ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import DivergedRun, Results
from online_rnnlm.analysis.row import FinishedRun
from online_rnnlm.analysis.tables import shared
from online_rnnlm.analysis.tables.write import Column, Table, integer, label, mean
from online_rnnlm.storage.records import RunResult


def make(results: Results) -> Table:
    """Make the table, with a row for each candidate.

    It has no test perplexity, since nothing is chosen on the test set. The perplexity of a
    candidate that diverged is NaN.
    """
    experiment = results.experiment
    data = pd.DataFrame([_values(results, candidate) for candidate in results.candidates])
    tried = {candidate.run.name: candidate.run.searched for candidate in results.candidates}
    edges = {
        name: shared.edges([tried[other] for other in row.first.run.candidates], tried[name])
        for row in results.rows
        for name in row.first.run.candidates
    }
    data["edges"] = [", ".join(edges.get(name, ())) for name in data["name"].where(data["chosen"])]
    columns = [
        Column("Network", label("model"), text=True),
        Column("Valid perplexity", _reached, best=lambda rows: rows["chosen"]),
        *(Column(key.replace("_", " ").capitalize(), _setting(key)) for key in experiment.searched),
        Column("Epochs", integer("epochs")),
        Column("Chosen", lambda row: "yes" if row["chosen"] else "", text=True),
        Column("At the edge of its grid", label("edges"), text=True),
    ]
    note = (
        "Bold: the lowest for each network; all runs of the network use its settings. "
        f"The choice is made on valid only, with seed {experiment.search_seed}, which the other "
        "tables do not use."
    )
    return shared.comparison_table(results, "search", "Settings searched", data, columns, [note])


def _values(results: Results, candidate: FinishedRun | DivergedRun) -> dict[str, Any]:
    run, end = candidate.run, candidate.end
    return {
        **shared.model_keys(run),
        **{key: run.searched.get(key) for key in results.experiment.searched},
        "epochs": end.epochs,
        "valid_perplexity": end.valid_perplexity if isinstance(end, RunResult) else math.nan,
        "status": end.status,
        "chosen": isinstance(end, RunResult)
        and any(
            run.name in row.first.run.candidates
            and all(getattr(row.settings, key) == value for key, value in run.searched.items())
            for row in results.rows
        ),
        "name": run.name,
    }


def _reached(row: pd.Series) -> str:
    return mean("valid_perplexity")(row) or str(row["status"])


def _setting(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a setting; empty if the row does not have it."""
    show = label(key)
    return lambda row: f"{row[key]:g}" if isinstance(row[key], float) and show(row) else show(row)
