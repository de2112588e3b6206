"""The table `comparisons`: every change of perplexity between two systems, with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import ClaimSides, sides_of_claims
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import TestedNetwork
from online_rnnlm.analysis.tables.table import Column, Table, corpus_column, on_corpus
from online_rnnlm.analysis.tables.values import change_percent, interval, signed
from online_rnnlm.storage.experiments import ComparedSide, Comparison


@dataclass(frozen=True)
class ComparisonRow:
    """A comparison of two systems on a corpus."""

    corpus: str
    found: Comparison


def make(results: Results) -> Table[ComparisonRow]:
    """Make the table: each network with a vector against those without, and the sides of claims.

    Raises NothingToShowError if there is nothing to compare.
    """
    pairs = dict.fromkeys(_pairs(results))
    if not pairs:
        raise NothingToShowError("No network with a vector has another one to compare it with.")
    rows = [
        ComparisonRow(ours.corpus, results.scores.compare(ours, theirs)) for ours, theirs in pairs
    ]
    columns: list[Column[ComparisonRow]] = [
        Column("System", lambda row: row.found.ours.name, text=True),
        Column("Against", lambda row: row.found.theirs.name, text=True),
        *corpus_column(results),
        Column("Test perplexity", lambda row: f"{row.found.ours.test_perplexity:.1f}"),
        Column("Of the other", lambda row: f"{row.found.theirs.test_perplexity:.1f}"),
        Column("Change (%)", lambda row: signed(row.found.change_percent)),
        Column("95 % interval", lambda row: interval(row.found.interval_percent)),
        Column(
            "Parameters (%)",
            lambda row: change_percent(row.found.ours.parameters, row.found.theirs.parameters),
        ),
        Column(
            "Multiply-adds (%)",
            lambda row: change_percent(
                row.found.ours.multiply_adds_per_word, row.found.theirs.multiply_adds_per_word
            ),
        ),
        Column(
            "Time per word (%)",
            lambda row: change_percent(
                row.found.ours.seconds_per_word, row.found.theirs.seconds_per_word
            ),
        ),
    ]
    seeds = " and in the seeds" if results.several_seeds else "; there is one seed"
    note = (
        "All changes are from the other system to the first one: − is less. Time is that of the "
        "networks timed in turn or, with something added, that of the tests. The intervals allow "
        f"for chance in the text{seeds}."
    )
    data = pd.DataFrame([_line(row) for row in rows])
    return Table(on_corpus("Comparisons", results), rows, columns, [note], data)


def _pairs(results: Results) -> Iterator[tuple[TestedNetwork, TestedNetwork]]:
    """Yield each network with a vector beside those without that are read by the same unit of text,
    then the two sides of each claim."""
    for vector in results.networks:
        for other in results.networks_on(vector.corpus):
            alike = other.settings.unit_of_text == vector.settings.unit_of_text
            if vector.has_vector and alike and not other.has_vector:
                yield vector.main, other.main
    for one in sides_of_claims(results):
        if isinstance(one, ClaimSides):
            yield one.ours, one.theirs


def _line(row: ComparisonRow) -> dict[str, Any]:
    """A row of the CSV."""
    found = row.found
    low, high = found.interval_percent
    seconds_low, seconds_high = found.seconds_change_percent or (None, None)
    return {
        "corpus": row.corpus,
        **_side(found.ours, ""),
        **_side(found.theirs, "_against"),
        "change_percent": found.change_percent,
        "interval_low_percent": low,
        "interval_high_percent": high,
        "p_value": found.p_value,
        "seeds": found.seeds,
        "drawn": found.drawn,
        "pieces": found.pieces,
        "seconds_change_low_percent": seconds_low,
        "seconds_change_high_percent": seconds_high,
    }


def _side(side: ComparedSide, ending: str) -> dict[str, Any]:
    """The columns of one side, whose names have an ending."""
    return {
        f"model{ending}": side.network,
        f"evaluation{ending}": side.evaluation,
        f"system{ending}": side.name,
        f"test_perplexity{ending}": side.test_perplexity,
        f"parameters{ending}": side.parameters,
        f"multiply_adds_per_word{ending}": side.multiply_adds_per_word,
        f"seconds_per_word{ending}": side.seconds_per_word,
    }
