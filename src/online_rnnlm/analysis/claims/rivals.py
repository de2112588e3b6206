"""The claims of a user: the vector against what one would put on a static network instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from online_rnnlm.analysis.claims.paper import BEST_RIVAL, BEST_SYSTEM
from online_rnnlm.analysis.claims.tested import Tested, Untested, compare_for_claim
from online_rnnlm.analysis.comparison import Side
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, online_evaluation


def against_rivals(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test a row against static rows with a cache or with weights that learn.

    All static rows with the vector row's kind of hidden layer count, and each side is what is best
    on `valid`. First the vector alone is tested against the best rival at its cost or less, and
    against the best at any cost: once, if these are the same. Then the best that the row can do
    with whatever is added is tested against the best of the static rows.
    """
    static = [side for row in _static(results, vector) for side in _sides(row)]
    rivals = [side for side in static if side.evaluation != NONE]
    if not rivals:
        reason = "no finished static row was tested with a cache or with weights that learn"
        yield from (Untested(number, vector, reason) for number in (BEST_RIVAL, BEST_SYSTEM))
        return
    yield from _vector_alone(results, vector, rivals)
    ours, theirs = _best(_sides(vector)), _best(static)
    if _is_of_vector(ours.evaluation) and theirs in rivals:
        reason = "the same test as claim 6, since nothing that is added to the vector helps"
        yield Untested(BEST_SYSTEM, vector, reason)
    else:
        label = f"{_name(results, theirs)} (the best without a vector)"
        yield _compared(results, BEST_SYSTEM, ours, theirs, label)


def _vector_alone(
    results: Results, vector: Row, rivals: Sequence[Side]
) -> Iterator[Tested | Untested]:
    ours = _best([side for side in _sides(vector) if _is_of_vector(side.evaluation)])
    best = _best(rivals)
    cheap = [rival for rival in rivals if _cost(rival) <= _cost(ours)]
    chosen = [(best, "at any cost")]
    if not cheap:
        yield Untested(BEST_RIVAL, vector, "every rival needs more multiply-adds a word")
    elif _best(cheap) != best:
        chosen.insert(0, (_best(cheap), "at its cost or less"))
    for rival, which in chosen:
        label = f"{_name(results, rival)} (the best rival {which})"
        yield _compared(results, BEST_RIVAL, ours, rival, label)


def _compared(results: Results, number: int, ours: Side, theirs: Side, label: str) -> Tested:
    costs = {
        "multiply_adds_per_word": _cost(ours),
        "multiply_adds_per_word_against": _cost(theirs),
    }
    tested = compare_for_claim(results, number, ours, theirs, label, **costs)
    return replace(tested, model=_name(results, ours))


def _static(results: Results, vector: Row) -> list[Row]:
    """The static rows with the vector row's kind of hidden layer."""
    rows = results.rows_on(vector.corpus)
    return [row for row in rows if not row.has_vector and row.layer == vector.layer]


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
    """Multiply-adds per word of the first seed's evaluation; another seed's cache may be larger."""
    return side.row.by_seed(side.evaluation)[0].costs.multiply_adds_per_word


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
