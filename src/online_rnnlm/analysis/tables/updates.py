"""The table `updates`: a row for each way to learn during testing, a column for each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.tables.columns import (
    corpus_columns,
    mean_over_seeds,
    on_corpus,
    row_keys,
    spread_note,
    values_text,
)
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, lowest, mean
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, online_evaluation
from online_rnnlm.storage.paths import HELD_OUT

_COSTS = ("parameters_touched_per_word", "multiply_adds_per_word")
_SPEED: Literal["words_per_second"] = "words_per_second"
_KEPT = "kept_for"


def make(results: Results) -> Table:
    """Make the table of test perplexities by evaluation, with the costs of the best model.

    The CSV has a row for each evaluation of each model, with all metrics. Raises NothingToShowError
    if there is no model.
    """
    best = {corpus: results.best(corpus).label for corpus in results.compared_corpora}
    data = pd.DataFrame([values for row in results.rows for values in _rows(results, row)])
    models = list(dict.fromkeys(data["model"]))
    columns = [
        *corpus_columns(results),
        Column("What learns", label("learns"), text=True),
        Column("After every", label("learn_after"), text=True),
        Column("Kept for a", label(_KEPT), text=True),
        *(Column(model, mean(model), best=lowest(model)) for model in models),
        Column("Rate", label("rate")),
        Column("Parameters touched a word", integer("parameters_touched_per_word")),
        Column("Multiply-adds a word", integer("multiply_adds_per_word")),
        Column("Words/s", integer(_SPEED)),
    ]
    caption = on_corpus("Test perplexity by what learns during testing", results)
    return Table("updates", caption, _shown(data, best), columns, _notes(results, best), tidy=data)


def _rows(results: Results, row: Row) -> Iterator[dict[str, Any]]:
    """Yield the values, means over seeds, of a model's evaluations other than those of rivals."""
    for evaluation in row.evaluations:
        if results.rival_in(evaluation):
            continue
        perplexities = (
            mean_over_seeds(results, f"{split}_perplexity", row.perplexity(split, evaluation))
            for split in HELD_OUT
        )
        costs = row.by_seed(evaluation)[0].costs  # the same for all seeds
        yield {
            **row_keys(row),
            "evaluation": evaluation,
            **_way(row, evaluation),
            "seeds": len(row.runs),
            "rate": _rate(row, evaluation),
            **{key: value for values in perplexities for key, value in values.items()},
            "parameters_touched_per_word": costs.parameters_touched_per_word,
            "multiply_adds_per_word": costs.multiply_adds_per_word,
            **mean_over_seeds(results, _SPEED, row.metric(_SPEED, "test", evaluation)),
        }


def _way(row: Row, evaluation: str) -> dict[str, str]:
    """The parts that learn, their frequency, and the unit of text that they are kept for.

    The last two are empty texts if nothing learns.
    """
    online = online_evaluation(evaluation)
    if online is not None:
        after, unit = online.learn_after, online.unit_of_text
        return {"updates": online.updates, "learn_after": after, _KEPT: unit}
    if evaluation == NONE:
        return {"updates": evaluation, "learn_after": "", _KEPT: ""}
    reading = row.settings.reading
    kept = reading.unit_of_text if reading.vector else "sentence"
    return {"updates": evaluation, "learn_after": "word", _KEPT: kept}


def _rate(row: Row, evaluation: str) -> str:
    """The rate best on `valid`, by seed, or the rate that the vector was trained with."""
    if evaluation == NONE:
        return ""
    if evaluation == DOCUMENT_VECTOR:
        return values_text([{"document_rate": row.settings.document_rate}], "document_rate")
    chosen = [found.chosen for found in row.by_seed(evaluation)]
    return values_text(chosen, next(iter(chosen[0])))


def _shown(data: pd.DataFrame, best: Mapping[str, str]) -> pd.DataFrame:
    """A row for each corpus and evaluation, a column for each model's test perplexity."""
    has_vector = data["document_size"] > 0
    # Models with a vector can learn in every way, so their evaluations come first.
    evaluations = pd.concat([data[has_vector], data[~has_vector]])["evaluation"].unique()
    shown = pd.DataFrame(
        _shown_row(of_corpus[of_corpus["evaluation"] == evaluation], best[str(corpus)])
        for corpus, of_corpus in data.groupby("corpus", sort=False)
        for evaluation in sorted(evaluations, key=lambda name: name != NONE)
        if evaluation in set(of_corpus["evaluation"])
    )
    # The name of the parts that learn is shown only in the first of the rows that share it.
    above = shown[["corpus", "learns"]].shift()
    again = (shown[["corpus", "learns"]] == above).all(axis=1)
    return shown.assign(learns=shown["learns"].mask(again, ""))


def _shown_row(same: pd.DataFrame, best: str) -> dict[str, Any]:
    """One row for all models; `same` holds the rows of the data of one corpus and evaluation."""
    first = same.iloc[0]
    row = {key: first[key] for key in ("corpus", "learn_after")}
    units = same[_KEPT].unique()
    row[_KEPT] = units[0] if len(units) == 1 else "as trained"
    row["learns"] = _spelled(first["evaluation"], first["updates"])
    mine = same[same["model"] == best]
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


def _notes(results: Results, best: Mapping[str, str]) -> list[str]:
    seeds = " Several rates are those of the seeds in order." if results.several_seeds else ""
    models = [
        f"{model} on {corpus}" if len(set(best.values())) > 1 else model
        for corpus, model in best.items()
    ]
    return [
        f"{spread_note(results)} Bold: each model's lowest. A cell is empty for a model without "
        "a vector if the same parts of it learn as in another row.",
        "Weights take plain steps, their loss propagated through "
        f"{results.experiment.testing.steps} hidden states. Rates are those best on valid; beside "
        "weights that learn, the vector keeps the rate it was trained with. What is learnt is "
        "kept for a sentence, for a document, or for the whole stream of sentences.",
        "Rate, costs and words/s (scoring the test set) are those of "
        f"{' and '.join(dict.fromkeys(models))}, the best on valid.{seeds}",
    ]
