"""What came out, in a sentence made from the numbers, whichever way they went."""

from __future__ import annotations

from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims.judge import CLAIMS, NOT_SUPPORTED, SUPPORTED, UNDECIDED
from online_rnnlm.analysis.claims.opponents import (
    LEARNING,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    SAME_HIDDEN,
)
from online_rnnlm.analysis.comparison import Side, mean_perplexity
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, final_evaluation, online_evaluation

Claims = dict[int, dict[str, Any]]
"""One row's claims, by number."""


def findings(results: Results, perplexity: pd.DataFrame, claims: list[dict[str, Any]]) -> list[str]:
    """One sentence a corpus; `perplexity` is the perplexity table's data.

    It speaks of the vector row that is best on `valid`: the test set has no say in that either.
    """
    several = len(results.experiment.corpora) > 1
    return [
        (f"On {corpus}: " if several else "") + _finding(rows, claims)
        for corpus, rows in perplexity.groupby("corpus", sort=False)
    ]


def updates_finding(results: Results) -> str:
    """What weights that learn during testing make of test perplexity.

    Each row is set against its main result: its vector learning alone or, without one, nothing.
    """
    changes = [change for runs in results.rows() for change in _changes(results, runs)]
    if not changes:
        return "No weights learn in any of these evaluations."
    lower = sum(change < 0 for change in changes)
    return (
        f"Letting weights learn during testing, too, lowers test perplexity in {lower} of "
        f"{len(changes)} cases; against the row's main result it changes by "
        f"{signed(min(changes))} to {signed(max(changes))} %."
    )


def _changes(results: Results, runs: pd.DataFrame) -> list[float]:
    """Per cent by which each evaluation in which weights learn changes a row's test perplexity."""
    first = runs.iloc[0]
    main = mean_perplexity(results, Side(runs, final_evaluation(first["document_size"])))
    return [
        100 * (mean_perplexity(results, Side(runs, name)) / main - 1)
        for name in results.evaluations_of(first["name"])
        if (found := online_evaluation(name)) and found.updates != DOCUMENT_VECTOR
    ]


def _finding(rows: pd.DataFrame, claims: list[dict[str, Any]]) -> str:
    networks = rows[rows["hidden_size"].notna()]  # an n-gram model's row has none
    vectors = networks[networks["document_size"] > 0]
    if vectors.empty:
        return _static_only(_best(networks))
    papers = vectors[vectors["document_layer"] == "output"]
    row = _best(vectors if papers.empty else papers)
    mine = {
        claim["number"]: claim
        for claim in claims
        if claim["corpus"] == row["corpus"] and claim["model"] == _model(row)
    }
    number = next(n for n in (MORE_PARAMETERS, SAME_HIDDEN, LEARNING) if n in mine)
    said = _against_still(row, mine) if number == LEARNING else _against_static(row, mine, number)
    return f"{said}{_others(mine, number)}."


def _static_only(best: pd.Series) -> str:
    return (
        "Only static networks were trained, so the paper's claims are not tested here: the best "
        f"of them on the validation set, of {best['hidden_size']:.0f} hidden units, has a test "
        f"perplexity of {best['test_perplexity']:.1f}."
    )


def _best(rows: pd.DataFrame) -> pd.Series:
    return rows.sort_values("valid_perplexity", kind="stable").iloc[0]


def _model(row: pd.Series) -> str:
    sizes = f"{row['hidden_size']:.0f}/{row['document_size']:.0f}"
    layer = row["document_layer"]
    return sizes if layer == "output" else f"{sizes} {layer}"


def _against_static(row: pd.Series, mine: Claims, number: int) -> str:
    claim, effect = mine[number], mine[number]["effect"]
    static = f"a static network of {claim['against'].partition('/')[0]} hidden units"
    before, after = effect["test_perplexity_against"], effect["test_perplexity"]
    change, size = signed(effect["change_percent"]), _size(mine, number)
    vector = f"A {row['document_size']:.0f}-number document vector that keeps learning in testing"
    if claim["verdict"] == SUPPORTED:
        return (
            f"{vector} takes test perplexity from {before:.1f} ({static}) to {after:.1f} "
            f"({change} %), with {size}"
        )
    if claim["verdict"] == NOT_SUPPORTED:
        return (
            f"{vector} does not help here: test perplexity is {after:.1f}, against {before:.1f} of "
            f"{static} ({change} %); it has {size}"
        )
    return (
        f"{vector} makes no clear difference: test perplexity is {after:.1f}, "
        f"against {before:.1f} of {static} ({change} %, corrected p "
        f"{p_value(claim['p_value_holm'])}); it has {size}"
    )


def _against_still(row: pd.Series, mine: Claims) -> str:
    claim, effect = mine[LEARNING], mine[LEARNING]["effect"]
    verdict = {SUPPORTED: "helps", NOT_SUPPORTED: "harms"}.get(
        claim["verdict"], "makes no clear difference"
    )
    return (
        f"Learning during testing {verdict}: with a {row['document_size']:.0f}-number document "
        f"vector test perplexity is {effect['test_perplexity']:.1f}, with the same weights and the "
        f"vector held still {effect['test_perplexity_against']:.1f} "
        f"({signed(effect['change_percent'])} %); no static network to compare with was trained"
    )


def _others(mine: Claims, said: int) -> str:
    """The row's other claims that do not hold: they are to be as visible as those that do."""
    parts = []
    for verdict in (NOT_SUPPORTED, UNDECIDED):
        found = [n for n, claim in mine.items() if claim["verdict"] == verdict and n != said]
        if found:
            parts.append(f"; {verdict}: {', '.join(CLAIMS[n].name for n in found)}")
    return "".join(parts)


def _size(mine: Claims, number: int) -> str:
    """How much smaller or larger the model is than the static one of that claim."""
    effect = mine[number]["effect"]
    change = 100 * (effect["parameters"] / effect["parameters_against"] - 1)
    parts = [_fewer_or_more(change, "parameters")]
    if number == MORE_PARAMETERS:
        change = mine[MULTIPLY_ADDS]["effect"]["change_percent"]
        parts.append(_fewer_or_more(change, "multiply-adds a word"))
    return " and ".join(parts)


def _fewer_or_more(change: float, what: str) -> str:
    if abs(change) < 0.05:
        return f"as many {what}"
    return f"{abs(change):.1f} % {'fewer' if change < 0 else 'more'} {what}"


def signed(change: float, decimals: int = 1) -> str:
    """With its sign, and a true minus."""
    return f"{change:+.{decimals}f}".replace("-", "−")


def p_value(value: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
