"""The rows of the comparison that a picture shows, and what they reach."""

from __future__ import annotations

import pandas as pd

from online_rnnlm.analysis.comparison import Side, mean_perplexity
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.evaluations import final_evaluation


def rows_on(results: Results, corpus: str) -> list[pd.DataFrame]:
    """The runs of each row on a corpus, a run a seed."""
    return [runs for runs in results.rows() if runs.iloc[0]["corpus"] == corpus]


def is_vector(runs: pd.DataFrame) -> bool:
    """Whether the row has a document vector."""
    return bool(runs.iloc[0]["document_size"] > 0)


def model_of(runs: pd.DataFrame) -> str:
    """What tables call the row."""
    return str(runs.iloc[0]["model"])


def result_of(runs: pd.DataFrame) -> Side:
    """The row with what learns in training, as its result counts."""
    return Side(runs, final_evaluation(runs.iloc[0]["document_size"]))


def best_row(results: Results, corpus: str) -> pd.DataFrame:
    """The vector row with the lowest perplexity on `valid`; without any, the static one."""
    rows = rows_on(results, corpus)
    among = [runs for runs in rows if is_vector(runs)] or rows
    return min(among, key=lambda runs: mean_perplexity(results, result_of(runs), "valid"))


def static_opponents(results: Results, vector: pd.DataFrame) -> list[pd.DataFrame]:
    """The static rows to set a vector row against: of as many hidden units, and a larger one.

    The larger one is the smallest static row of at least as many parameters; the largest there
    is where none has so many. One row where both are the same; none without static rows.
    """
    first = vector.iloc[0]
    static = [runs for runs in rows_on(results, first["corpus"]) if not is_vector(runs)]
    static.sort(key=lambda runs: int(runs.iloc[0]["parameters"]))
    same = [runs for runs in static if runs.iloc[0]["hidden_size"] == first["hidden_size"]]
    large = [runs for runs in static if runs.iloc[0]["parameters"] >= first["parameters"]]
    larger = [*large[:1], *static[-1:]][:1]
    return [*same, *(runs for runs in larger if not any(runs is one for one in same))]


def only_first(results: Results) -> str:
    """Says which corpus a picture is of, where it is not of all."""
    corpora = list(results.experiment.corpora)
    return f" Of the corpora, {corpora[0]} is shown." if len(corpora) > 1 else ""


def pooled(results: Results) -> str:
    """Says over how many seeds a figure is pooled."""
    seeds = len(results.experiment.seeds)
    return f", pooled over {seeds} seeds" if seeds > 1 else ""
