"""The tests of the paper's five claims: which runs are set against which, in which evaluations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from online_rnnlm.analysis.comparison import (
    Side,
    against,
    compare_sides,
    figure,
    mean_perplexity,
    perplexity_effect,
    seed_differences,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import Comparison, SeedInterval, seed_interval
from online_rnnlm.config.evaluations import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    OnlineEvaluation,
    online_evaluation,
)
from online_rnnlm.config.testing import UnitOfText

SAME_HIDDEN, MORE_PARAMETERS, MULTIPLY_ADDS, VECTOR_ALONE, LEARNING = range(1, 6)
MARGIN_PERCENT = 1.0
"""So much higher a perplexity still counts as good as the other; assumed."""
COSTS = ("multiply_adds_per_word", "parameters_touched_per_word")


@dataclass(frozen=True)
class Tested:
    """A claim's test: `ours` is claimed to be the better side."""

    number: int
    ours: Side
    theirs: Side
    label: str
    comparison: Comparison
    seeds: SeedInterval | None
    effect: dict[str, Any]
    model: str = ""
    """What `ours` is called, if not what tables call its row."""


@dataclass(frozen=True)
class Untested:
    """A claim that this experiment cannot test, and why."""

    number: int
    row: pd.DataFrame
    reason: str


def outcomes(results: Results) -> Iterator[Tested | Untested]:
    """All claims, corpus by corpus, vector row by vector row.

    The fewer multiply-adds rest on the test against more parameters, and have none of their own.
    """
    rows = results.rows()
    for vector in rows:
        if vector.iloc[0]["document_size"] > 0:
            yield from _row_outcomes(results, vector, _static_rows(rows, vector))


def _static_rows(rows: list[pd.DataFrame], vector: pd.DataFrame) -> list[pd.DataFrame]:
    """The static rows on the same corpus, the one with the fewest parameters first."""
    corpus = vector.iloc[0]["corpus"]
    found = [
        runs
        for runs in rows
        if runs.iloc[0]["document_size"] == 0 and runs.iloc[0]["corpus"] == corpus
    ]
    return sorted(found, key=lambda runs: int(runs.iloc[0]["parameters"]))


def _row_outcomes(
    results: Results, vector: pd.DataFrame, static: list[pd.DataFrame]
) -> Iterator[Tested | Untested]:
    """The claims of one row; one whose vector feeds the hidden layer is not the paper's model."""
    hidden = vector.iloc[0]["hidden_size"]
    same = next((runs for runs in static if runs.iloc[0]["hidden_size"] == hidden), None)
    yield _same_hidden(results, vector, same)
    if vector.iloc[0]["document_layer"] == "output":
        yield from _more_parameters(results, vector, static)
        yield from _vector_alone(results, vector)
    yield _learning(results, vector, same)


def _same_hidden(
    results: Results, vector: pd.DataFrame, static: pd.DataFrame | None
) -> Tested | Untested:
    if static is None:
        reason = f"no static row of {vector.iloc[0]['hidden_size']} hidden units"
        return Untested(SAME_HIDDEN, vector, reason)
    return _against_static(results, SAME_HIDDEN, vector, static)


def _more_parameters(
    results: Results, vector: pd.DataFrame, static: list[pd.DataFrame]
) -> Iterator[Tested | Untested]:
    needed = vector.iloc[0]["parameters"]
    larger = next((runs for runs in static if runs.iloc[0]["parameters"] >= needed), None)
    if larger is not None:
        yield _against_static(results, MORE_PARAMETERS, vector, larger)
        return
    for number in (MORE_PARAMETERS, MULTIPLY_ADDS):
        yield Untested(number, vector, f"no static row of at least {needed:,} parameters")


def _against_static(
    results: Results, number: int, vector: pd.DataFrame, static: pd.DataFrame
) -> Tested:
    ours, theirs = Side(vector, DOCUMENT_VECTOR), Side(static, NONE)
    effect = against("parameters", *(figure(side, "parameters") for side in (ours, theirs)))
    return _tested(results, number, ours, theirs, theirs.model, effect=effect)


def _vector_alone(results: Results, vector: pd.DataFrame) -> Iterator[Tested | Untested]:
    """The vector as it was trained and, where that is better on `valid`, kept for longer, too."""
    everything = _by_unit(results, vector, ALL)
    if not everything:
        reason = "no evaluation in which everything learns after every word"
        yield Untested(VECTOR_ALONE, vector, reason)
        return
    yield _alone(results, Side(vector, DOCUMENT_VECTOR), everything)
    alone = _by_unit(results, vector, DOCUMENT_VECTOR)
    unit = min(alone, key=alone.__getitem__, default=None)
    if unit not in (None, "sentence"):
        ours = Side(vector, OnlineEvaluation(DOCUMENT_VECTOR, "word", unit).name)
        tested = _alone(results, ours, everything)
        effect = tested.effect | {"valid_perplexity_by_unit": alone}
        model = f"{ours.model}, its vector kept for the {unit}"
        yield replace(tested, model=model, effect=effect)


def _by_unit(results: Results, vector: pd.DataFrame, updates: str) -> dict[UnitOfText, float]:
    """Validation perplexity of learning this after every word, by the unit of text."""
    return {
        found.unit_of_text: mean_perplexity(results, Side(vector, name), "valid")
        for name in results.evaluations_of(vector.iloc[0]["name"])
        if (found := online_evaluation(name)) and found[:2] == (updates, "word")
    }


def _alone(results: Results, ours: Side, everything: dict[UnitOfText, float]) -> Tested:
    """The vector alone against everything, kept for the unit that is best on `valid`."""
    unit = min(everything, key=everything.__getitem__)
    theirs = Side(ours.runs, OnlineEvaluation(ALL, "word", unit).name)
    label = f"{ours.model}, everything learning, kept for the {unit}"
    effect = {"margin_percent": MARGIN_PERCENT, "valid_perplexity_against_by_unit": everything}
    for key in COSTS:
        effect |= against(key, *(_cost(results, side, key) for side in (ours, theirs)))
    null = -math.log1p(MARGIN_PERCENT / 100)
    return _tested(results, VECTOR_ALONE, ours, theirs, label, null=null, effect=effect)


def _learning(results: Results, vector: pd.DataFrame, static: pd.DataFrame | None) -> Tested:
    ours, still = Side(vector, DOCUMENT_VECTOR), Side(vector, NONE)
    found = None if static is None else _still_against_static(results, still, Side(static, NONE))
    effect = {"still_against_static": found}
    return _tested(results, LEARNING, ours, still, f"{ours.model}, vector still", effect=effect)


def _still_against_static(results: Results, still: Side, static: Side) -> dict[str, Any]:
    """Whether the model with its vector still is any better than one that never had a vector."""
    comparison = compare_sides(results, still, static)
    words = {1: "better", -1: "worse", 0: "not shown to differ"}
    effect = perplexity_effect(results, still, static, comparison)
    return {"against": static.model, **effect, "still_is": words[comparison.side]}


def _cost(results: Results, side: Side, key: str) -> float:
    return float(results.details[side.runs.iloc[0]["name"], side.evaluation][key])


def _tested(
    results: Results,
    number: int,
    ours: Side,
    theirs: Side,
    label: str,
    *,
    null: float = 0.0,
    effect: dict[str, Any],
) -> Tested:
    comparison = compare_sides(results, ours, theirs, null)
    seeds = seed_interval(seed_differences(results, ours, theirs), null)
    effect = {**perplexity_effect(results, ours, theirs, comparison), **effect}
    return Tested(number, ours, theirs, label, comparison, seeds, effect)
