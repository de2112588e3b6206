"""The table `comparisons`: every change of perplexity between two systems, with its interval."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from online_rnnlm.analysis.claims import ClaimSides, sides_of_claims
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Side
from online_rnnlm.analysis.sides import compare_sides
from online_rnnlm.analysis.tables.table import (
    CHANGE,
    Column,
    Table,
    changes_of_costs,
    comparison_table,
    label,
    shown_interval,
)


def make(results: Results) -> Table:
    """Make the table: each network with a vector against those without, and the sides of claims.

    Raises NothingToShowError if there is nothing to compare.
    """
    pairs = dict.fromkeys(_pairs(results))
    if not pairs:
        raise NothingToShowError("No network with a vector has another one to compare it with.")
    rows = []
    for ours, theirs in pairs:
        found = compare_sides(results, ours, theirs)
        low, high = found.interval_percent
        of_time = found.seconds_change_percent or (None, None)
        rows.append(
            {
                "corpus": ours.corpus,
                **{_KEYS.get(key, key): value for key, value in found.ours},
                **{f"{_KEYS.get(key, key)}_against": value for key, value in found.theirs},
                "change_percent": found.change_percent,
                "interval_low_percent": low,
                "interval_high_percent": high,
                "p_value": found.p_value,
                "seeds": found.seeds,
                "drawn": found.drawn,
                "pieces": found.pieces,
                "seconds_change_low_percent": of_time[0],
                "seconds_change_high_percent": of_time[1],
            }
        )
    data = pd.DataFrame(rows)
    seeds = " and in the seeds" if results.several_seeds else "; there is one seed"
    return comparison_table(
        results, "comparisons", "Comparisons", data, _COLUMNS, [f"{_NOTE}{seeds}."]
    )


def _pairs(results: Results) -> Iterator[tuple[Side, Side]]:
    """Yield each network with a vector beside those without that are read by the same unit of text,
    then the two sides of each claim."""
    for vector in results.rows:
        for other in results.rows_on(vector.corpus):
            alike = other.settings.unit_of_text == vector.settings.unit_of_text
            if vector.has_vector and alike and not other.has_vector:
                yield vector.main, other.main
    for one in sides_of_claims(results):
        if isinstance(one, ClaimSides):
            yield one.ours, one.theirs


_KEYS = {"network": "model", "name": "system"}
"""The columns that have another name than in the record of a side."""
_COLUMNS = (
    Column("System", label("system"), text=True),
    Column("Against", label("system_against"), text=True),
    Column("Test perplexity", lambda row: f"{row['test_perplexity']:.1f}"),
    Column("Of the other", lambda row: f"{row['test_perplexity_against']:.1f}"),
    CHANGE,
    Column("95 % interval", shown_interval),
    *changes_of_costs("_against"),
)
_NOTE = (
    "All changes are from the other system to the first one: − is less. Time is processor time, "
    "the networks timed in turn, or, with something added, that of the tests. The intervals allow "
    "for chance in the text"
)
