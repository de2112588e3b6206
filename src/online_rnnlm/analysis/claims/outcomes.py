"""The tests of the paper's claims: the two sides of each test and their comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from online_rnnlm.analysis.claims.paper import (
    CLAIMS,
    LEARNING,
    MARGIN_PERCENT,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    SAME_HIDDEN,
    VECTOR_ALONE,
)
from online_rnnlm.analysis.claims.rivals import against_rivals, best_systems
from online_rnnlm.analysis.claims.tested import (
    Tested,
    Untested,
    change_between,
    compare_for_claim,
)
from online_rnnlm.analysis.comparison import Side, compare_sides
from online_rnnlm.analysis.missing import FEWEST_SENTENCES
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    OnlineEvaluation,
    online_evaluation,
)
from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.storage.records import StillAgainstStatic


def outcomes(results: Results) -> Iterator[Tested | Untested]:
    """Test all claims, corpus by corpus, vector row by vector row.

    The claim of fewer multiply-adds has no test of its own: it rests on the test against a static
    network with more parameters.
    """
    for row in results.rows:
        if row.has_vector:
            yield from _of_row(results, row)


def _of_row(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test the claims of one row: all if its vector feeds the output layer alone, else some."""
    feeds_output = vector.settings.document_layer == "output"
    if results.corpora[vector.corpus].splits["test"].sentences < FEWEST_SENTENCES:
        numbers = sorted(CLAIMS) if feeds_output else (SAME_HIDDEN, LEARNING)
        reason = "no interval: there is a single test sentence"
        yield from (Untested(number, vector, reason) for number in numbers)
        return
    same, more, _ = results.opponents(vector)
    yield _same_hidden(results, vector, same)
    if feeds_output:
        yield from _more_parameters(results, vector, more)
        yield from _vector_alone(results, vector)
    yield _learning(results, vector, same)
    if feeds_output:
        yield from against_rivals(results, vector)
    if vector == results.best(vector.corpus):
        yield best_systems(results, vector)


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
    return compare_for_claim(results, number, ours, theirs, static.label, **sizes)


def _vector_alone(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test the vector alone, as trained and, if that is better on `valid`, at a rate of its own.

    There it is kept for the unit of text that is best on `valid`, if that is not the sentence.
    """
    everything = _valid_by_unit(vector, ALL)
    if not everything:
        reason = "no finished evaluation in which everything learns after every word"
        yield Untested(VECTOR_ALONE, vector, reason)
        return
    yield _alone(results, Side(vector, DOCUMENT_VECTOR), everything)
    alone = _valid_by_unit(vector, DOCUMENT_VECTOR)
    unit = min(alone, key=alone.__getitem__, default=None)
    as_trained = vector.perplexity("valid").mean
    if unit not in (None, "sentence") and alone[unit] < as_trained:
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
    return compare_for_claim(
        results,
        VECTOR_ALONE,
        ours,
        theirs,
        f"{ours.row.label}, everything learning, kept for the {unit}",
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
    return compare_for_claim(results, LEARNING, ours, still, label, still_against_static=other)


def _still_against_static(results: Results, still: Side, static: Side) -> StillAgainstStatic:
    """Compare the model with its vector held still with one that never had a vector."""
    compared = compare_sides(results, still, static)
    words = {1: "better", -1: "worse", 0: "not shown to differ"}
    return change_between(
        StillAgainstStatic,
        still,
        static,
        compared,
        against=static.row.label,
        still_is=words[compared.found.side],
    )
