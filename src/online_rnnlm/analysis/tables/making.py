"""Makes the tables of `config/catalogue.py`, each by the function `make` of its own module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pkgutil import resolve_name

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables.table import Column, Table
from online_rnnlm.config.catalogue import Entry, Section


def make_table(entry: Entry, results: Results) -> Table:
    """Make a table of the catalogue; its first note names what is missing from the comparison.

    It has no column of empty cells. A table that has nothing to show says only that. Raises
    UserError for files that are missing or do not fit each other.
    """
    make: Callable[[Results], Table] = resolve_name(f"{__package__}.{entry.name}:make")
    try:
        table = make(results)
    except NothingToShowError as error:
        rows = [{"missing": str(error)}]
        column = Column("Missing", "missing", text=True, wide=True)
        table = Table("Nothing to show", rows, [column], data=pd.DataFrame(rows))
    missing = [] if entry.section is Section.TEXT else results.missing_note
    return without_empty_columns(replace(table, notes=[*missing, *table.notes], name=entry.name))


def without_empty_columns(table: Table) -> Table:
    """The table without the columns that have no text in any row."""
    has_text = [any(cells) for cells in zip(*table.cells(), strict=True)]
    columns = [column for column, has in zip(table.columns, has_text, strict=True) if has]
    return replace(table, columns=columns)
