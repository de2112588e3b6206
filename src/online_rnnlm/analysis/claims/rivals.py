"""The sixth claim: the vector against what a user would put on a static network instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from online_rnnlm.analysis.claims.paper import BEST_RIVAL
from online_rnnlm.analysis.claims.tested import Tested, Untested, compare_for_claim
from online_rnnlm.analysis.comparison import Side
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, online_evaluation


def against_rivals(results: Results, vector: Row) -> Iterator[Tested | Untested]:
    """Test a row against the best rival at its cost or less, and against the best at any cost.

    Both sides are chosen on `valid`: the vector's is what is best for the vector alone, and the
    rivals are static rows with the same kind of hidden layer, with a cache or with weights that
    learn. If the best of all costs no more than the vector, there is one test only.
    """
    rivals = _rivals(results, vector)
    if not rivals:
        reason = "no finished static row was tested with a cache or with weights that learn"
        yield Untested(BEST_RIVAL, vector, reason)
        return
    ours = _best([Side(vector, name) for name in vector.evaluations if _of_vector(name)])
    best = _best(rivals)
    cheap = [rival for rival in rivals if _cost(rival) <= _cost(ours)]
    chosen = [(best, "at any cost")]
    if not cheap:
        yield Untested(BEST_RIVAL, vector, "every rival needs more multiply-adds a word")
    elif _best(cheap) != best:
        chosen.insert(0, (_best(cheap), "at its cost or less"))
    for rival, which in chosen:
        yield compare_for_claim(
            results,
            BEST_RIVAL,
            ours,
            rival,
            f"{_name(results, rival)} (the best rival {which})",
            multiply_adds_per_word=_cost(ours),
            multiply_adds_per_word_against=_cost(rival),
        )


def _rivals(results: Results, vector: Row) -> list[Side]:
    """The static rows with the vector row's kind of hidden layer, in each rival evaluation."""
    return [
        Side(row, name)
        for row in results.rows_on(vector.corpus)
        if not row.has_vector and row.layer == vector.layer
        for name in row.evaluations
        if name != NONE
    ]


def _of_vector(evaluation: str) -> bool:
    """True if nothing but the document vector learns in an evaluation."""
    online = online_evaluation(evaluation)
    return evaluation == DOCUMENT_VECTOR or (
        online is not None and online.updates == DOCUMENT_VECTOR
    )


def _best(sides: Sequence[Side]) -> Side:
    return min(sides, key=lambda side: side.perplexity("valid").mean)


def _cost(side: Side) -> float:
    """Multiply-adds per word of the first seed's evaluation; another seed's cache may be larger."""
    return side.row.by_seed(side.evaluation)[0].costs.multiply_adds_per_word


def _name(results: Results, rival: Side) -> str:
    cache = results.rival_in(rival.evaluation)
    if cache is not None:
        return f"{rival.row.label} with a {cache.label}"
    online = online_evaluation(rival.evaluation)
    assert online is not None
    learns = "everything" if online.updates == "all" else online.updates
    after = f"after every {online.learn_after}, kept for the {online.unit_of_text}"
    return f"{rival.row.label}, {learns} learning {after}"
