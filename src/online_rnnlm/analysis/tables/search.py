"""The table `search`: the candidates' settings and results on `valid`, and the chosen ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import FinishedRun, Row
from online_rnnlm.analysis.tables.columns import corpus_columns, on_corpus, row_keys
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, mean


def make(results: Results) -> Table:
    """Make the table, with a row for each candidate.

    It has no test perplexity, since nothing is chosen on the test set.
    """
    experiment = results.experiment
    taken = {name for row in results.rows for name in _taken(results, row)}
    data = pd.DataFrame([_row(results, run, run.name in taken) for run in results.search])
    columns = [
        *corpus_columns(results),
        Column("M/D", label("model"), text=True),
        *(Column(key.replace("_", " ").capitalize(), _value(key)) for key in experiment.search),
        Column("Epochs", integer("epochs")),
        Column("Valid perplexity", mean("valid_perplexity"), best=lambda rows: rows["chosen"]),
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


def _row(results: Results, run: FinishedRun, taken: bool) -> dict[str, Any]:
    searched = run.run.searched
    return {
        **row_keys(Row((run,))),
        **{key: searched.get(key) for key in results.experiment.search},
        "epochs": run.result.epochs,
        "valid_perplexity": run.result.valid_perplexity,
        "chosen": taken,
    }


def _value(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a setting; empty if the row does not have it."""
    show = label(key)
    return lambda row: f"{row[key]:g}" if isinstance(row[key], float) and show(row) else show(row)
