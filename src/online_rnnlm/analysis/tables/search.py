"""The table of the search: every candidate, how it does on `valid`, and which was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import MODEL, Results
from online_rnnlm.analysis.tables.columns import corpus_columns, on_corpus
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, mean


def search_table(results: Results) -> Table:
    """A row a candidate: the values it tries, its validation perplexity, whether it was taken.

    There are no test figures in it: nothing is chosen on the test set.
    """
    experiment = results.experiment
    taken = _taken(results)
    data = pd.DataFrame([_row(results, run, taken) for _, run in results.search.iterrows()])
    columns = [
        *corpus_columns(results),
        Column("M/D", label("model"), text=True),
        *(Column(key.replace("_", " ").capitalize(), _value(key)) for key in experiment.search),
        Column("Epochs", integer("epochs")),
        Column("Valid perplexity", mean("valid_perplexity"), best=lambda rows: rows["chosen"]),
        Column("Chosen", lambda row: "yes" if row["chosen"] else "", text=True),
    ]
    notes = [
        "Bold: the lowest of each row of the comparison, whose settings all its runs take. Chosen "
        f"on valid only, with seed {experiment.search_seed}, which the other tables do not use."
    ]
    return Table("search", on_corpus("Settings searched", results), data, columns, notes)


def _taken(results: Results) -> set[str]:
    """The candidate of each row that is lowest on `valid`; of equals, the first."""
    reached = dict(zip(results.search["name"], results.search["valid_perplexity"], strict=True))
    runs = results.experiment.runs()
    return {min(run.candidates, key=reached.__getitem__) for run in runs if run.candidates}


def _row(results: Results, run: pd.Series, taken: set[str]) -> dict[str, Any]:
    searched = results.records[run["name"]]["searched"]
    return {
        **{key: run[key] for key in MODEL},
        "model": run["model"],
        **{key: searched.get(key) for key in results.experiment.search},
        "epochs": run["epochs"],
        "valid_perplexity": run["valid_perplexity"],
        "chosen": run["name"] in taken,
    }


def _value(key: str) -> Callable[[pd.Series], str]:
    """Shows a setting; empty where the row does not have it."""
    show = label(key)
    return lambda row: f"{row[key]:g}" if isinstance(row[key], float) and show(row) else show(row)
