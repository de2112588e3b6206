"""Notes in tables about missing results, and the notice that replaces an empty table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Table, notice


def make_or_notice(
    make: Callable[[Results], Table], name: str, results: Results, *, compares: bool = True
) -> Table:
    """Make a table, or one that says why there is nothing to show.

    The first note of a table that `compares` models names what is missing from the comparison.
    Raises UserError for files that are missing or do not fit each other.
    """
    try:
        table = make(results)
    except NothingToShowError as error:
        table = notice(name, str(error))
    return replace(table, notes=[*results.missing_note, *table.notes]) if compares else table
