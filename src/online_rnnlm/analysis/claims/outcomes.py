"""The tests of the paper's claims: the two sides of each test and their comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from online_rnnlm.analysis.claims.paper import (
    CLAIMS,
    LEARNING,
    MARGIN_PERCENT,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    SAME_HIDDEN,
    VECTOR_ALONE,
)
from online_rnnlm.analysis.comparison import (
    Side,
    compare_sides,
    percent_of_gain,
    seed_differences,
)
from online_rnnlm.analysis.missing import FEWEST_SENTENCES
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.significance import Comparison, SeedInterval, seed_interval
from online_rnnlm.config.evaluations import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    OnlineEvaluation,
    online_evaluation,
)
from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.storage.records import Effect, StillAgainstStatic
from online_rnnlm.storage.records.claims import PerplexityChange

AnyChange = TypeVar("AnyChange", bound=PerplexityChange)


@dataclass(frozen=True)
class Tested:
    """The test of a claim, which says that `ours` is the better side."""

    number: int
    ours: Side
    theirs: Side
    label: str
    """The name of the other side."""
    comparison: Comparison
    seeds: SeedInterval | None
    effect: Effect
    model: str
    """The name of our side."""


@dataclass(frozen=True)
class Untested:
    """A claim that this experiment cannot test, and the reason."""

    number: int
    row: Row
    reason: str


def outcomes(results: Results) -> Iterator[Tested | Untested]:
    """Test all claims, corpus by corpus, vector row by vector row.

    The claim of fewer multiply-adds has no test of its own: it rests on the test against a static
    network with more parameters.
    """
    for row in results.rows:
        if row.has_vector:
            yield from _of_row(results, row)


def _of_row(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test the claims of one row: all five if it is the paper's model, else only two."""
    if results.corpora[vector.corpus].splits["test"].sentences < FEWEST_SENTENCES:
        numbers = sorted(CLAIMS) if vector.is_the_papers else (SAME_HIDDEN, LEARNING)
        reason = "no interval: there is a single test sentence"
        yield from (Untested(number, vector, reason) for number in numbers)
        return
    same, more, _ = results.opponents(vector)
    yield _same_hidden(results, vector, same)
    if vector.is_the_papers:
        yield from _more_parameters(results, vector, more)
        yield from _vector_alone(results, vector)
    yield _learning(results, vector, same)


def _same_hidden(results: Results, vector: Row, static: Row | None) -> Tested | Untested:
    if static is None:
        reason = f"no finished static row of {vector.units}"
        return Untested(SAME_HIDDEN, vector, reason)
    return _against_static(results, SAME_HIDDEN, vector, static)


def _more_parameters(
    results: Results, vector: Row, static: Row | None
) -> Iterator[Tested | Untested]:
    if static is not None:
        yield _against_static(results, MORE_PARAMETERS, vector, static)
        return
    for number in (MORE_PARAMETERS, MULTIPLY_ADDS):
        reason = f"no finished static row of at least {vector.parameters:,} parameters"
        yield Untested(number, vector, reason)


def _against_static(results: Results, number: int, vector: Row, static: Row) -> Tested:
    ours, theirs = Side(vector, DOCUMENT_VECTOR), Side(static, NONE)
    sizes = {"parameters": vector.parameters, "parameters_against": static.parameters}
    return _tested(results, number, ours, theirs, static.label, **sizes)


def _vector_alone(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test the vector alone, as trained and, if that is better on `valid`, kept for longer."""
    everything = _valid_by_unit(vector, ALL)
    if not everything:
        reason = "no finished evaluation in which everything learns after every word"
        yield Untested(VECTOR_ALONE, vector, reason)
        return
    yield _alone(results, Side(vector, DOCUMENT_VECTOR), everything)
    alone = _valid_by_unit(vector, DOCUMENT_VECTOR)
    unit = min(alone, key=alone.__getitem__, default=None)
    if unit not in (None, "sentence"):
        ours = Side(vector, OnlineEvaluation(DOCUMENT_VECTOR, "word", unit).name)
        tested = _alone(results, ours, everything)
        effect = tested.effect.model_copy(update={"valid_perplexity_by_unit": alone})
        model = f"{vector.label}, its vector kept for the {unit}"
        yield replace(tested, model=model, effect=effect)


def _valid_by_unit(vector: Row, updates: str) -> dict[UnitOfText, float]:
    """Validation perplexity with `updates` learning after every word, by unit of text."""
    return {
        found.unit_of_text: vector.perplexity("valid", name).mean
        for name in vector.evaluations
        if (found := online_evaluation(name)) and found[:2] == (updates, "word")
    }


def _alone(results: Results, ours: Side, everything: dict[UnitOfText, float]) -> Tested:
    """Compare the vector alone with everything learning, kept for the unit best on `valid`."""
    unit = min(everything, key=everything.__getitem__)
    theirs = Side(ours.row, OnlineEvaluation(ALL, "word", unit).name)
    costs, against = (side.row.by_seed(side.evaluation)[0].costs for side in (ours, theirs))
    return _tested(
        results,
        VECTOR_ALONE,
        ours,
        theirs,
        f"{ours.row.label}, everything learning, kept for the {unit}",
        null=-math.log1p(MARGIN_PERCENT / 100),
        margin_percent=MARGIN_PERCENT,
        valid_perplexity_against_by_unit=everything,
        multiply_adds_per_word=costs.multiply_adds_per_word,
        multiply_adds_per_word_against=against.multiply_adds_per_word,
        parameters_touched_per_word=costs.parameters_touched_per_word,
        parameters_touched_per_word_against=against.parameters_touched_per_word,
    )


def _learning(results: Results, vector: Row, static: Row | None) -> Tested:
    """Compare the same weights with their vector learning and with it held still.

    The model with its vector held still is also compared with the static row.
    """
    ours, still = Side(vector, DOCUMENT_VECTOR), Side(vector, NONE)
    label = f"{vector.label}, vector held still"
    other = None if static is None else _still_against_static(results, still, Side(static, NONE))
    return _tested(results, LEARNING, ours, still, label, still_against_static=other)


def _still_against_static(results: Results, still: Side, static: Side) -> StillAgainstStatic:
    """Compare the model with its vector held still with one that never had a vector."""
    comparison = compare_sides(results, still, static)
    words = {1: "better", -1: "worse", 0: "not shown to differ"}
    return _change(
        StillAgainstStatic,
        still,
        static,
        comparison,
        against=static.row.label,
        still_is=words[comparison.side],
    )


def _tested(
    results: Results,
    number: int,
    ours: Side,
    theirs: Side,
    label: str,
    *,
    null: float = 0.0,
    **effect: Any,
) -> Tested:
    """Compare two sides; `effect` holds further values for the record's `effect`."""
    comparison = compare_sides(results, ours, theirs, null)
    seeds = seed_interval(seed_differences(ours, theirs), null)
    change = _change(Effect, ours, theirs, comparison, **effect)
    return Tested(number, ours, theirs, label, comparison, seeds, change, ours.row.label)


def _change(
    kind: type[AnyChange], ours: Side, theirs: Side, comparison: Comparison, **more: Any
) -> AnyChange:
    """The change of perplexity: both perplexities, and the change in per cent and nats.

    The change and its interval are those of the geometric means over the seeds.
    """
    return kind(
        test_perplexity=ours.perplexity().mean,
        test_perplexity_against=theirs.perplexity().mean,
        change_percent=percent_of_gain(comparison.difference),
        interval_percent=(percent_of_gain(comparison.high), percent_of_gain(comparison.low)),
        nats_per_token=comparison.difference,
        interval_nats_per_token=(comparison.low, comparison.high),
        sentences=comparison.sentences,
        tokens=comparison.tokens,
        **more,
    )
