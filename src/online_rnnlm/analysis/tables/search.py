"""The table `search`: the candidates' settings and results on `valid`, and the chosen ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.tables.columns import corpus_columns, model_keys, on_corpus
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, mean
from online_rnnlm.config.runs import Run
from online_rnnlm.storage.records import RunResult
from online_rnnlm.storage.runs import End


def make(results: Results) -> Table:
    """Make the table, with a row for each candidate.

    It has no test perplexity, since nothing is chosen on the test set. The perplexity of a
    candidate that diverged is NaN.
    """
    experiment = results.experiment
    taken = {name for row in results.rows for name in _taken(results, row)}
    rows = [_row(results, run.run, run.result, run.name in taken) for run in results.search]
    rows += [_row(results, run, end, taken=False) for run, end in results.diverged_search]
    places = {run.name: place for place, run in enumerate(experiment.search_runs())}
    rows.sort(key=lambda row: places[row["name"]])
    data = pd.DataFrame(rows)
    columns = [
        *corpus_columns(results),
        Column("M/D", label("model"), text=True),
        *(Column(key.replace("_", " ").capitalize(), _value(key)) for key in experiment.search),
        Column("Epochs", integer("epochs")),
        Column("Valid perplexity", _reached, best=lambda rows: rows["chosen"]),
        Column("Chosen", lambda row: "yes" if row["chosen"] else "", text=True),
    ]
    notes = [
        "Bold: the lowest for each row of the comparison; all runs of the row use its settings. "
        f"The choice is made on valid only, with seed {experiment.search_seed}, which the other "
        "tables do not use."
    ]
    return Table("search", on_corpus("Settings searched", results), data, columns, notes)


def _taken(results: Results, row: Row) -> list[str]:
    """The name of the candidate whose settings a row's runs were trained with."""
    return [
        run.name
        for run in results.search
        if run.name in row.first.run.candidates
        and all(getattr(row.settings, key) == value for key, value in run.run.searched.items())
    ]


def _row(results: Results, run: Run, end: End, taken: bool) -> dict[str, Any]:
    return {
        **model_keys(run),
        **{key: run.searched.get(key) for key in results.experiment.search},
        "epochs": end.epochs,
        "valid_perplexity": end.valid_perplexity if isinstance(end, RunResult) else math.nan,
        "status": end.status,
        "chosen": taken,
        "name": run.name,
    }


def _reached(row: pd.Series) -> str:
    return mean("valid_perplexity")(row) or str(row["status"])


def _value(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a setting; empty if the row does not have it."""
    show = label(key)
    return lambda row: f"{row[key]:g}" if isinstance(row[key], float) and show(row) else show(row)
