"""The table `updates`: a row for each way to learn during testing, a column for each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import Results, way_in
from online_rnnlm.analysis.row import FinishedRow, Side
from online_rnnlm.analysis.tables.choices import keys_of, values_text
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    integer,
    label,
    lowest,
    mean_over_seeds,
    model_keys,
    number,
    spread_note,
)
from online_rnnlm.core.way import DOCUMENT_VECTOR, NONE
from online_rnnlm.storage.paths import HELD_OUT

_OF_HEADLINE = (
    "rate",
    "parameters_touched_per_word",
    "multiply_adds_per_word",
    "words_per_second",
    "timed_words_per_second",
)


def make(results: Results) -> Table:
    """Make the table of test perplexities by evaluation, with the costs of the headline.

    The CSV has a row for each evaluation of each model, with all metrics. Raises NothingToShowError
    if there is no model.
    """
    headlines = {corpus: results.headline_on(corpus).label for corpus in results.compared_corpora}
    data = pd.DataFrame([values for row in results.rows for values in _rows(results, row)])
    models = list(dict.fromkeys(data["model"]))
    columns = [
        Column("In testing", label("in_testing"), text=True, wide=True),
        *(Column(model, number(model), best=lowest(model)) for model in models),
        Column("Rate", label("rate")),
        Column("Parameters touched per word", integer("parameters_touched_per_word")),
        Column("Multiply-adds per word", integer("multiply_adds_per_word")),
        Column("Words/s", integer("words_per_second")),
        Column("Words/s, side by side", integer("timed_words_per_second")),
    ]
    caption = "Test perplexity by what learns during testing"
    seeds = " Several rates are those of the seeds in order." if results.several_seeds else ""
    named = " and ".join(dict.fromkeys(headlines.values()))
    notes = [
        f"{spread_note(results)} Bold: each network's lowest. A cell is empty for a "
        "static network if the same parts of it learn as in another row.",
        "Weights take plain steps, a word's loss propagated through "
        f"{results.experiment.testing.steps} hidden states, a sentence's through all of its own. "
        "Rates are those best on valid; beside weights that learn, the vector has α or, if none is "
        "given, the rate of its training.",
        f"Rate, costs and words/s (scoring the test set) are those of {named}."
        f"{seeds} Side by side: timed in turn on one core, with the first seed, where at most the "
        "vector learns; the median of several rounds.",
    ]
    shown = _shown(results, data, headlines)
    return comparison_table(results, "updates", caption, shown, columns, notes, data)


def _rows(results: Results, row: FinishedRow) -> Iterator[dict[str, Any]]:
    """Yield the values, means over seeds, of a model's evaluations other than those of rivals."""
    for side in row.sides.values():
        if side.rival:
            continue
        values = {
            **model_keys(row.first.run),
            "evaluation": side.evaluation,
            "seeds": len(row.runs),
            "rate": _rate(side),
        }
        for split in HELD_OUT:
            values |= mean_over_seeds(results, f"{split}_perplexity", side.perplexity(split))
        values |= dict(side.by_seed[0].costs)  # the same for all seeds
        speed = side.metric("words_per_second", "test")
        values |= mean_over_seeds(results, "words_per_second", speed)
        # Of the first seed, all networks and ways in turn; NaN if it was not timed.
        values["timed_words_per_second"] = 1 / np.median(side.rounds) if side.rounds else np.nan
        yield values


def _rate(side: Side) -> str:
    """The rates best on `valid`, by seed: 0.1, or 0.1, α 0.2; or the vector's rate in training."""
    chosen: list[Mapping[str, Any]] = [record.chosen for record in side.by_seed]
    if side.evaluation == DOCUMENT_VECTOR:
        chosen = [{"document_rate": side.row.settings.document_rate}]
    return ", α ".join(values_text(chosen, key) for key in keys_of(chosen))


def _shown(results: Results, data: pd.DataFrame, headlines: Mapping[str, str]) -> pd.DataFrame:
    """A row for each corpus and evaluation, a column for each model's test perplexity."""
    keys = ["corpus", "evaluation"]
    # Models with a vector can learn in every way, so their evaluations come first.
    ordered = data.assign(static=data["document_size"] == 0).sort_values("static", kind="stable")
    evaluations = sorted(ordered["evaluation"].unique(), key=lambda name: name != NONE)
    there = {*zip(data["corpus"], data["evaluation"], strict=True)}
    rows = [(c, e) for c in data["corpus"].unique() for e in evaluations if (c, e) in there]
    costs = data[data["model"] == data["corpus"].map(headlines)].set_index(keys)[[*_OF_HEADLINE]]
    wide = [data.pivot(index=keys, columns="model", values="test_perplexity"), costs]
    if "test_perplexity_sd" in data:
        deviations = data.pivot(index=keys, columns="model", values="test_perplexity_sd")
        wide.append(deviations.add_suffix("_sd"))
    shown = pd.concat(wide, axis=1).loc[rows].reset_index()
    shown["in_testing"] = [
        way_in(results.experiment, name) or "the vector learns as in training"
        for name in shown["evaluation"]
    ]
    return shown
