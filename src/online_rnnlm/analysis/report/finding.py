"""The report's headline: the result, whether it is for the document vector or against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from online_rnnlm.analysis.claims.paper import (
    BEST_RIVAL,
    BEST_SYSTEM,
    CLAIMS,
    LEARNING,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    SAME_HIDDEN,
)
from online_rnnlm.analysis.claims.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED, WORST_FIRST
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.wording import millions, p_value, signed
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, online_evaluation
from online_rnnlm.storage.records import Claim

ByNumber = Mapping[int, Claim]
"""One row's claims, by number."""


def findings(results: Results, claims: Sequence[Claim]) -> list[str]:
    """One sentence for each corpus on its scale, its best row and that row's claims.

    A corpus of which no row has finished has none; if none has, a sentence says so.
    """
    try:
        corpora = results.compared_corpora
    except NothingToShowError as error:
        return [str(error)]
    return [
        f"On {corpus} ({_scale(results, corpus)}): "
        + _finding(results, results.best(corpus), claims)
        for corpus in corpora
    ]


def _scale(results: Results, corpus: str) -> str:
    """The size of the training text in words, and how it is divided: what a verdict holds for."""
    tokens = results.corpora[corpus].splits["train"].tokens
    order = "in order" if results.experiment.corpora[corpus].keeps_order else "shuffled"
    return f"{millions(tokens)} training words, sentences {order}"


def updates_finding(results: Results) -> str:
    """A sentence on the change of test perplexity if weights learn during testing.

    Each row is compared with its main result, in which only its vector learns, or nothing if it
    has no vector.
    """
    changes = [change for row in results.rows for change in _changes(row)]
    if not changes:
        return "No weights learn in any of these evaluations."
    lower = sum(change < 0 for change in changes)
    return (
        f"Letting weights learn during testing, too, lowers test perplexity in {lower} of "
        f"{len(changes)} cases; against the row's main result it changes by "
        f"{signed(min(changes))} to {signed(max(changes))} %."
    )


def _changes(row: Row) -> list[float]:
    """The per cent change of a row's test perplexity in each evaluation with learning weights."""
    main = row.perplexity("test").mean
    return [
        100 * (row.perplexity("test", name).mean / main - 1)
        for name in row.evaluations
        if (found := online_evaluation(name)) and found.updates != DOCUMENT_VECTOR
    ]


def _finding(results: Results, row: Row, claims: Sequence[Claim]) -> str:
    if not row.has_vector:
        return _static_only(row)
    mine = _worst([c for c in claims if c.corpus == row.corpus and _is_of_row(c, row)])
    same, more, _ = results.opponents(row)
    for number, static in ((MORE_PARAMETERS, more), (SAME_HIDDEN, same)):
        if static is not None and number in mine:
            return f"{_against_static(row, static, mine, number)}{_others(mine, number)}."
    if LEARNING not in mine:
        return _uncompared(row)
    return f"{_against_still(row, mine[LEARNING])}{_others(mine, LEARNING)}."


def _worst(claims: Sequence[Claim]) -> ByNumber:
    """Return one claim for each number: of several, the one with the worst verdict."""
    ranked = sorted(claims, key=lambda claim: WORST_FIRST.index(claim.verdict))
    numbers = sorted({claim.number for claim in claims})
    return {n: next(claim for claim in ranked if claim.number == n) for n in numbers}


def _is_of_row(claim: Claim, row: Row) -> bool:
    """True if a claim is about the row as it was trained, or about the best that it can do."""
    of_best = claim.number in (BEST_RIVAL, BEST_SYSTEM)
    return claim.row == row.label and (of_best or claim.model == row.label)


def _static_only(best: Row) -> str:
    return (
        "Only static networks have finished, so the paper's claims are not tested here: the best "
        f"of them on the validation set, of {best.units}, has a test "
        f"perplexity of {best.perplexity('test').mean:.1f}."
    )


def _uncompared(best: Row) -> str:
    return (
        f"The best row on the validation set, {best.label}, has a test perplexity of "
        f"{best.perplexity('test').mean:.1f}; it could not be compared with others."
    )


def _against_static(row: Row, static: Row, mine: ByNumber, number: int) -> str:
    claim = mine[number]
    other = f"a static network of {static.units}"
    before, after = static.perplexity("test").mean, row.perplexity("test").mean
    change, size = signed(claim.effect.change_percent), _size(row, static, mine, number)
    vector = f"A {row.document_size}-number document vector that keeps learning in testing"
    if claim.verdict == SUPPORTED:
        return (
            f"{vector} takes test perplexity from {before:.1f} ({other}) to {after:.1f} "
            f"({change} %), with {size}"
        )
    if claim.verdict == NOT_SUPPORTED:
        return (
            f"{vector} does not help here: test perplexity is {after:.1f}, against {before:.1f} of "
            f"{other} ({change} %); it has {size}"
        )
    assert claim.p_value_holm is not None  # Only the claim of multiply-adds has none.
    return (
        f"{vector} makes no clear difference: test perplexity is {after:.1f}, "
        f"against {before:.1f} of {other} ({change} %, corrected p "
        f"{p_value(claim.p_value_holm)}); it has {size}"
    )


def _against_still(row: Row, claim: Claim) -> str:
    verdict = {SUPPORTED: "helps", NOT_SUPPORTED: "harms"}.get(
        claim.verdict, "makes no clear difference"
    )
    return (
        f"Learning during testing {verdict}: with a {row.document_size}-number document "
        f"vector test perplexity is {row.perplexity('test').mean:.1f}, with the same weights and "
        f"the vector held still {row.perplexity('test', NONE).mean:.1f} "
        f"({signed(claim.effect.change_percent)} %); no static network to compare with has finished"
    )


def _others(mine: ByNumber, said: int) -> str:
    """The row's other claims that do not hold, which must be as visible as those that do."""
    parts = []
    for verdict in (NOT_SUPPORTED, UNDECIDED):
        found = [n for n, claim in mine.items() if claim.verdict == verdict and n != said]
        if found:
            parts.append(f"; {verdict}: {', '.join(CLAIMS[n].name for n in found)}")
    return "".join(parts)


def _size(row: Row, static: Row, mine: ByNumber, number: int) -> str:
    """The size of the model relative to the static one, in words."""
    change = 100 * (row.parameters / static.parameters - 1)
    parts = [_fewer_or_more(change, "parameters")]
    if number == MORE_PARAMETERS:
        change = mine[MULTIPLY_ADDS].effect.change_percent
        parts.append(_fewer_or_more(change, "multiply-adds a word"))
    return " and ".join(parts)


def _fewer_or_more(change: float, what: str) -> str:
    if abs(change) < 0.05:
        return f"as many {what}"
    return f"{abs(change):.1f} % {'fewer' if change < 0 else 'more'} {what}"
