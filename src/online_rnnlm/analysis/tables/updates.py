"""The table of what learns during testing: a row a way to learn, a column a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import MODEL, Results
from online_rnnlm.analysis.tables.columns import (
    corpus_columns,
    mean_figure,
    on_corpus,
    several_seeds,
    spread_note,
    values_text,
)
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, lowest, mean
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, online_evaluation
from online_rnnlm.rivals import rival_in

_COSTS = ("parameters_touched_per_word", "multiply_adds_per_word")
_SPEED = "words_per_second"


def updates_table(results: Results) -> Table:
    """Test perplexities of all models, a row an evaluation, with one model's costs.

    The CSV has a row for each evaluation of each model, with all figures.
    """
    data = pd.DataFrame([row for runs in results.rows() for row in _rows(results, runs)])
    reference = _reference(data)
    models = list(dict.fromkeys(data["model"]))
    columns = [
        *corpus_columns(results),
        Column("What learns", label("learns"), text=True),
        Column("After every", label("learn_after"), text=True),
        Column("Kept for a", label("unit_of_text"), text=True),
        *(Column(model, mean(model), best=lowest(model)) for model in models),
        Column("Rate", label("rate")),
        Column("Parameters touched a word", integer("parameters_touched_per_word")),
        Column("Multiply-adds a word", integer("multiply_adds_per_word")),
        Column("Words/s", integer(_SPEED)),
    ]
    caption = on_corpus("Test perplexity by what learns during testing", results)
    return Table(
        "updates", caption, _shown(data, reference), columns, _notes(results, reference), tidy=data
    )


def _rows(results: Results, runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row for each of a model's evaluations, those of rivals excepted: means over seeds."""
    first, names = runs.iloc[0], list(runs["name"])
    for evaluation in results.evaluations_of(first["name"]):
        if rival_in(evaluation, results.experiment.testing):
            continue
        details = [results.details[name, evaluation] for name in names]
        yield {
            **{key: first[key] for key in MODEL},
            "model": first["model"],
            "evaluation": evaluation,
            **_way(evaluation),
            "seeds": len(runs),
            "rate": _rate(results, names, evaluation),
            **_perplexity(results, names, evaluation, "valid"),
            **_perplexity(results, names, evaluation, "test"),
            # Counted from the equations: the same for all seeds.
            **{key: details[0][key] for key in _COSTS},
            **mean_figure(results, names, evaluation, "test", _SPEED, _SPEED),
        }


def _perplexity(
    results: Results, names: list[str], evaluation: str, split: str
) -> dict[str, float]:
    return mean_figure(results, names, evaluation, split, "perplexity", f"{split}_perplexity")


def _way(evaluation: str) -> dict[str, str]:
    """What learns, after what, and for how long it is kept; the latter "" where nothing learns."""
    online = online_evaluation(evaluation)
    if online is not None:
        return online._asdict()
    after, unit = ("word", "sentence") if evaluation == DOCUMENT_VECTOR else ("", "")
    return {"updates": evaluation, "learn_after": after, "unit_of_text": unit}


def _rate(results: Results, names: list[str], evaluation: str) -> str:
    """The rate that was best on `valid`, by seed, or the one that the vector was trained with."""
    if evaluation == NONE:
        return ""
    if evaluation == DOCUMENT_VECTOR:
        return values_text([results.records[names[0]]["settings"]], "document_rate")
    chosen = [results.details[name, evaluation]["chosen"] for name in names]
    return values_text(chosen, next(iter(chosen[0])))


def _reference(data: pd.DataFrame) -> str:
    """The model whose costs are shown: the first with a document vector, or the first."""
    vectors = data[data["document_size"] > 0]
    return str((data if vectors.empty else vectors).iloc[0]["model"])


def _shown(data: pd.DataFrame, reference: str) -> pd.DataFrame:
    """A row for each corpus and evaluation, a column for each model's test perplexity."""
    has_vector = data["document_size"] > 0
    # A model with a vector has all ways to learn; one without adds at most what that leaves.
    evaluations = pd.concat([data[has_vector], data[~has_vector]])["evaluation"].unique()
    shown = pd.DataFrame(
        _shown_row(of_corpus[of_corpus["evaluation"] == evaluation], reference)
        for _, of_corpus in data.groupby("corpus", sort=False)
        for evaluation in sorted(evaluations, key=lambda name: name != NONE)
    )
    # Said once, of all ways in which the same parts learn.
    above = shown[["corpus", "learns"]].shift()
    again = (shown[["corpus", "learns"]] == above).all(axis=1)
    return shown.assign(learns=shown["learns"].mask(again, ""))


def _shown_row(same: pd.DataFrame, reference: str) -> dict[str, Any]:
    """One evaluation of all models: `data`'s rows of one corpus and evaluation, made one."""
    first = same.iloc[0]
    row = {key: first[key] for key in ("corpus", "learn_after", "unit_of_text")}
    row["learns"] = _spelled(first["evaluation"], first["updates"])
    mine = same[same["model"] == reference]
    row |= {key: mine.iloc[0][key] if len(mine) else None for key in ("rate", *_COSTS, _SPEED)}
    for _, model in same.iterrows():
        row[model["model"]] = model["test_perplexity"]
        row[f"{model['model']}_sd"] = model.get("test_perplexity_sd")
    return row


def _spelled(evaluation: str, updates: str) -> str:
    if evaluation == NONE:
        return "nothing"
    as_trained = ", as trained" if evaluation == DOCUMENT_VECTOR else ""
    return updates.replace("_", " ").replace("+", " + ") + as_trained


def _notes(results: Results, reference: str) -> list[str]:
    seeds = " Several rates: each seed's own." if several_seeds(results) else ""
    return [
        f"{spread_note(results)} Bold: each model's lowest. Empty: a model without a vector, in "
        "which the same parts learn as in another row.",
        "Weights take plain steps, their loss propagated through "
        f"{results.experiment.testing.steps} hidden states. Rates are those best on valid; beside "
        "weights that learn, the vector keeps the rate it was trained with. What is learnt is "
        "kept for a sentence, for a document, or for the whole stream of sentences.",
        f"Rate, costs and words/s (scoring the test set) are those of {reference}.{seeds}",
    ]
