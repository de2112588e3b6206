"""What came out, in a sentence made from the numbers, whichever way they went."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import FAILS, HOLDS
from online_rnnlm.analysis.collect import Results
from online_rnnlm.runs import final_updates
from online_rnnlm.updates import changes_weights


def findings(results: Results, perplexity: pd.DataFrame, claims: list[dict[str, Any]]) -> list[str]:
    """One sentence a corpus; `perplexity` is the perplexity table's data.

    It speaks of the vector row that is best on `valid`: the test set has no say in that either.
    """
    several = len(results.experiment.corpora) > 1
    return [
        (f"On {corpus}: " if several else "") + _finding(rows, claims)
        for corpus, rows in perplexity.groupby("corpus", sort=False)
    ]


def updates_finding(results: Results, updates: pd.DataFrame) -> str:
    """What weights that learn during testing make of test perplexity; `updates`: its table's data.

    Each row is set against its main result: its vector learning alone or, without one, nothing.
    """
    names = [name for name in results.updates() if changes_weights(name)]
    changes = [
        100 * (row[f"test_perplexity_{name}"] / row[f"test_perplexity_{final}"] - 1)
        for _, row in updates.iterrows()
        for final in [final_updates(row["document_size"])]
        for name in names
    ]
    made = [change for change in changes if not math.isnan(change)]
    if not made:
        return "No weights learn in any of these evaluations."
    lower = sum(change < 0 for change in made)
    return (
        f"Letting weights learn during testing, too, lowers test perplexity in {lower} of "
        f"{len(made)} cases; against the row's main result it changes by {_signed(min(made))} to "
        f"{_signed(max(made))} %."
    )


def _finding(rows: pd.DataFrame, claims: list[dict[str, Any]]) -> str:
    vectors = rows[rows["document_size"] > 0]
    if vectors.empty:
        best = _best(rows)
        return (
            "Only static networks were trained, so the paper's claim is not tested here: the best "
            f"of them on the validation set, of {best['hidden_size']} hidden units, has a test "
            f"perplexity of {best['test_perplexity']:.1f}."
        )
    row = _best(vectors)
    mine = {
        claim["kind"]: claim
        for claim in claims
        if claim["corpus"] == row["corpus"]
        and claim["model"] == f"{row['hidden_size']}/{row['document_size']}"
    }
    if "lower_test_perplexity" in mine:
        return _against_static(row, mine)
    return _against_still(row, mine["learning_helps"])


def _best(rows: pd.DataFrame) -> pd.Series:
    return rows.sort_values("valid_perplexity", kind="stable").iloc[0]


def _against_static(row: pd.Series, mine: dict[str, dict[str, Any]]) -> str:
    claim = mine["lower_test_perplexity"]
    numbers = claim["numbers"]
    static = f"a static network of {row['hidden_size'] + row['document_size']} hidden units"
    before, after = numbers["test_perplexity_against"], numbers["test_perplexity"]
    change, size = _signed(numbers["change_percent"]), _size(mine)
    vector = f"A {row['document_size']}-number document vector that keeps learning during testing"
    if claim["verdict"] == HOLDS:
        return (
            f"{vector} takes test perplexity from {before:.1f} ({static}) to {after:.1f} "
            f"({change} %), with {size}."
        )
    if claim["verdict"] == FAILS:
        return (
            f"{vector} does not help here: test perplexity is {after:.1f}, against {before:.1f} of "
            f"{static} ({change} %); it has {size}."
        )
    return (
        f"{vector} makes no significant difference: test perplexity is {after:.1f}, against "
        f"{before:.1f} of {static} ({change} %, p {p_value(numbers['p_value'])}); it has {size}."
    )


def _against_still(row: pd.Series, claim: dict[str, Any]) -> str:
    numbers = claim["numbers"]
    verdict = {HOLDS: "helps", FAILS: "harms"}.get(claim["verdict"], "makes no difference")
    return (
        f"Learning during testing {verdict}: with a {row['document_size']}-number document vector "
        f"test perplexity is {numbers['test_perplexity']:.1f}, with the same weights and the "
        f"vector held still {numbers['test_perplexity_against']:.1f} "
        f"({_signed(numbers['change_percent'])} %); no static network of as many units "
        "was trained to compare with."
    )


def _size(mine: dict[str, dict[str, Any]]) -> str:
    parts = [
        _fewer_or_more(mine["fewer_parameters"]["numbers"]["change_percent"], "parameters"),
        _fewer_or_more(
            mine["fewer_multiply_adds_per_word"]["numbers"]["change_percent"],
            "multiply-adds a word",
        ),
    ]
    return " and ".join(parts)


def _fewer_or_more(change: float, what: str) -> str:
    if abs(change) < 0.05:
        return f"as many {what}"
    return f"{abs(change):.1f} % {'fewer' if change < 0 else 'more'} {what}"


def _signed(change: float) -> str:
    """With a true minus sign."""
    return f"{change:+.1f}".replace("-", "−")


def p_value(value: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
