"""Makes the tables of `config/catalogue.py`, each by its own function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables import (
    choices,
    comparisons,
    corpora,
    equal_perplexity,
    learning,
    lengths,
    mixtures,
    neighbours,
    other_texts,
    perplexity,
    updates,
)
from online_rnnlm.analysis.tables.table import Column, Table
from online_rnnlm.config.catalogue import Entry, Section

MADE_BY: Mapping[str, Callable[[Results], Table[Any]]] = {
    "corpora": corpora.make,
    "perplexity": perplexity.make,
    "comparisons": comparisons.make,
    "equal_perplexity": equal_perplexity.make,
    "mixtures": mixtures.make,
    "lengths": lengths.make,
    "other_texts": other_texts.make,
    "updates": updates.make,
    "learning": learning.make,
    "choices": choices.make,
    "neighbours": neighbours.make,
}
"""The function that makes each table of the catalogue, by the table's name."""


def make_table(entry: Entry, results: Results) -> Table[Any]:
    """Make a table of the catalogue; its first note names what is missing from the comparison.

    It has no column of empty cells. A table that has nothing to show says only that. Raises
    UserError for files that are missing or do not fit each other.
    """
    try:
        table = MADE_BY[entry.name](results)
    except NothingToShowError as error:
        said = str(error)
        column: Column[str] = Column("Missing", str, text=True, wide=True)
        table = Table("Nothing to show", [said], [column], data=pd.DataFrame({"missing": [said]}))
    has_text = [any(cells) for cells in zip(*table.cells(), strict=True)]
    columns = [column for column, has in zip(table.columns, has_text, strict=True) if has]
    missing = [] if entry.section is Section.TEXT else results.missing_note
    return replace(table, columns=columns, notes=[*missing, *table.notes])
