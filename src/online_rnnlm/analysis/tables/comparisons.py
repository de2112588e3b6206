"""The table `comparisons`: every change of perplexity between two systems, with its interval."""

from __future__ import annotations

from collections.abc import Iterator

from online_rnnlm.analysis.claims import ClaimSides, sides_of_claims
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import TestedNetwork
from online_rnnlm.analysis.tables.table import (
    Column,
    Row,
    Table,
    cost_columns,
    interval_of,
    table_of,
)
from online_rnnlm.analysis.tables.values import decimal, signed
from online_rnnlm.storage.experiments import ComparedSide


def make(results: Results) -> Table:
    """Make the table: each network whose vector learns against the others, and the sides of claims.

    Raises NothingToShowError if there is nothing to compare.
    """
    pairs = dict.fromkeys(_pairs(results))
    if not pairs:
        raise NothingToShowError("No network with a vector has another one to compare it with.")
    rows = [_row(results, ours, theirs) for ours, theirs in pairs]
    columns = [
        Column("System", "system", text=True),
        Column("Against", "system_against", text=True),
        Column("Test perplexity", "test_perplexity", decimal),
        Column("Of the other", "test_perplexity_against", decimal),
        Column("Change (%)", "change_percent", signed),
        Column("95 % interval", interval_of),
        *cost_columns("_against"),
    ]
    seeds = " and in the seeds" if results.several_seeds else "; there is one seed"
    note = (
        "All changes are from the other system to the first one: − is less. Time is that of the "
        "networks timed in turn or, with something added, that of the tests. The intervals allow "
        f"for chance in the text{seeds}."
    )
    return table_of(results, "Comparisons", rows, columns, [note])


def _pairs(results: Results) -> Iterator[tuple[TestedNetwork, TestedNetwork]]:
    """Yield each network whose vector learns beside the others that are read by the same unit of
    text, then the two sides of each claim."""
    for vector in results.networks:
        for other in results.networks_on(vector.corpus):
            alike = other.settings.unit_of_text == vector.settings.unit_of_text
            if vector.learns and alike and not other.learns:
                yield vector.main, other.main
    for one in sides_of_claims(results):
        if isinstance(one, ClaimSides):
            yield one.ours, one.theirs


def _row(results: Results, ours: TestedNetwork, theirs: TestedNetwork) -> Row:
    """The comparison of two systems on their corpus."""
    found = results.compare(ours, theirs)
    low, high = found.interval_percent
    seconds_low, seconds_high = found.seconds_change_percent or (None, None)
    return {
        "corpus": ours.corpus,
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


def _side(side: ComparedSide, ending: str) -> Row:
    """The columns of one side, whose names have an ending."""
    columns = {"network": "model", "name": "system"}
    return {f"{columns.get(key, key)}{ending}": value for key, value in side}
