"""The claims of a user: the vector against what one would put on a static network instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from online_rnnlm.analysis.claims.paper import BEST_RIVAL, BEST_SYSTEM
from online_rnnlm.analysis.claims.tested import Tested, Untested, compare_for_claim
from online_rnnlm.analysis.comparison import Side
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row, multiply_adds_of
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, online_evaluation
from online_rnnlm.config.testing import MIXTURE

_NO_RIVAL = "no finished static row was tested with a rival"


def against_rivals(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test a row, its vector alone learning, against static rows with one rival each.

    A rival is a cache, weights that learn or an n-gram model that is mixed in. All static rows with
    the vector row's cell count, and each side is what is best on `valid`: the best rival at the
    vector's cost or less, and the best at any cost; one test, if these are the same.
    """
    rivals = _rivals(results, vector)
    if not rivals:
        yield Untested(BEST_RIVAL, vector, _NO_RIVAL)
        return
    ours = _best([side for side in _sides(vector) if _is_of_vector(side.evaluation)])
    best = _best(rivals)
    cheap = [rival for rival in rivals if _cost(rival) <= _cost(ours)]
    chosen = [(best, "at any cost")]
    if not cheap:
        yield Untested(BEST_RIVAL, vector, "no rival that needs as few multiply-adds a word")
    elif _best(cheap) != best:
        chosen.insert(0, (_best(cheap), "at its cost or less"))
    for rival, which in chosen:
        label = f"{_name(results, rival)} (the best rival {which})"
        yield _compared(results, BEST_RIVAL, ours, rival, label)


def best_systems(results: Results, vector: Row) -> Tested | Untested:
    """Test the best of all rows with a vector against the best of all without one.

    Both have whatever hidden layer, and whatever rivals or mixtures, are best on `valid`. The claim
    belongs to `vector`, the row that the report is about.
    """
    rows = results.rows_on(vector.corpus)
    static = [side for row in rows if not row.has_vector for side in _sides(row)]
    if all(side.evaluation == NONE for side in static):
        return Untested(BEST_SYSTEM, vector, _NO_RIVAL)
    ours = _best([side for row in rows if row.has_vector for side in _sides(row)])
    theirs = _best(static)
    alone = ours.row == vector and _is_of_vector(ours.evaluation)
    if alone and theirs in _rivals(results, vector):
        reason = "the same test as claim 6, since nothing that is added to the vector helps"
        return Untested(BEST_SYSTEM, vector, reason)
    label = f"{_name(results, theirs)} (the best without a vector)"
    return replace(_compared(results, BEST_SYSTEM, ours, theirs, label), row=vector)


def _compared(results: Results, number: int, ours: Side, theirs: Side, label: str) -> Tested:
    costs = {
        "multiply_adds_per_word": _cost(ours),
        "multiply_adds_per_word_against": _cost(theirs),
    }
    tested = compare_for_claim(results, number, ours, theirs, label, **costs)
    return replace(tested, model=_name(results, ours))


def _rivals(results: Results, vector: Row) -> list[Side]:
    """The static rows with the vector row's cell, each with each single rival."""
    rows = results.rows_on(vector.corpus)
    cell = vector.settings.cell
    static = [row for row in rows if not row.has_vector and row.settings.cell == cell]
    sides = [side for row in static for side in _sides(row)]
    return [side for side in sides if side.evaluation not in (NONE, MIXTURE)]


def _sides(row: Row) -> list[Side]:
    return [Side(row, name) for name in row.evaluations]


def _is_of_vector(evaluation: str) -> bool:
    """True if nothing but the document vector learns in an evaluation, and nothing is added."""
    online = online_evaluation(evaluation)
    return evaluation == DOCUMENT_VECTOR or (
        online is not None and online.updates == DOCUMENT_VECTOR
    )


def _best(sides: Sequence[Side]) -> Side:
    return min(sides, key=lambda side: side.perplexity("valid").mean)


def _cost(side: Side) -> float:
    """Multiply-adds per word, the mean over the seeds."""
    return multiply_adds_of(side.row.by_seed(side.evaluation)).mean


def _name(results: Results, side: Side) -> str:
    """A side in words, such as `100/0 with a neural cache`; the row's name as it was trained."""
    rival, online = results.rival_in(side.evaluation), online_evaluation(side.evaluation)
    if rival is not None:
        return f"{side.row.label} with {rival.phrase}"
    if online is None:
        return side.row.label
    if (online.updates, online.learn_after) == (DOCUMENT_VECTOR, "word"):
        return f"{side.row.label}, its vector kept for the {online.unit_of_text}"
    learns = "everything" if online.updates == "all" else online.updates
    after = f"after every {online.learn_after}, kept for the {online.unit_of_text}"
    return f"{side.row.label}, {learns} learning {after}"
