"""A table: rows, of which people see columns, and data for programs.

A row has a value for each column of the CSV, by that column's name: `identity` gives those that
tell a network from others, and `table_of` makes a table of such rows. `make_table` makes each table
of `config/catalogue.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pkgutil import resolve_name
from typing import Any, TypeAlias

import pandas as pd

from online_rnnlm.analysis.results import NO_NETWORK, NothingToShowError, Results
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.analysis.tables.values import change_percent, interval, mean
from online_rnnlm.config.catalogue import Entry, Section

Row: TypeAlias = dict[str, Any]
"""A row of a CSV: values by column; one that differs between seeds is a `BySeed`."""


@dataclass(frozen=True)
class Column:
    """A column for people."""

    heading: str
    value: str | Callable[[Any], Any]
    """The key of a row's value, or a function that gives the value of a row."""
    form: Callable[[Any], str] = str
    """The function that turns a value into the text of its cell."""
    text: bool = False
    """True if left-aligned."""
    best: Callable[[Any], bool] | None = None
    """True for a row whose cell is set in bold."""
    wide: bool = False
    """True for whole sentences, to be broken into lines."""
    look: Callable[[Any], str] | None = None
    """The class that a page's style has for a value's cell, beside those of the column."""

    def value_of(self, row: Any) -> Any:
        """The value of a row."""
        return row[self.value] if isinstance(self.value, str) else self.value(row)

    def show(self, row: Any) -> str:
        """The text of a row's cell."""
        return self.form(self.value_of(row))

    def is_best(self, row: Any) -> bool:
        """True if a row's cell is set in bold."""
        return self.best is not None and self.best(row)

    def classes(self, row: Any) -> str:
        """The classes of a row's cell in HTML."""
        names = ["text"] if self.text else []
        names += ["wide"] if self.text and self.wide else []
        names += [self.look(self.value_of(row))] if self.look else []
        return " ".join(names)


@dataclass(frozen=True)
class Table:
    """A table: the rows and columns for people, and the data for programs."""

    caption: str
    rows: Sequence[Any]
    columns: Sequence[Column]
    notes: Sequence[str] = ()
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The content of the CSV, whose rows may be others than people see; it is empty for a table
    that only the report shows."""
    name: str = ""
    """The name of its files; empty for a table that only the report shows."""

    @property
    def headings(self) -> list[str]:
        """The columns' headings."""
        return [column.heading for column in self.columns]

    def cells(self) -> list[list[str]]:
        """The texts of the cells, row by row."""
        return [[column.show(row) for column in self.columns] for row in self.rows]

    def best(self) -> list[list[bool]]:
        """True for each of `cells` that is set in bold, row by row."""
        return [[column.is_best(row) for column in self.columns] for row in self.rows]

    def without_empty_columns(self) -> Table:
        """The table without the columns that have no text in any row."""
        has_text = [any(cells) for cells in zip(*self.cells(), strict=True)]
        columns = [column for column, has in zip(self.columns, has_text, strict=True) if has]
        return replace(self, columns=columns)


def make_table(entry: Entry, results: Results) -> Table:
    """Make a table of the catalogue by `make` of its module; its first note names what is missing.

    It has no column of empty cells. A table that has nothing to show says only that, as all but
    those of the text do if no network has finished. Raises UserError for files that are missing or
    do not fit each other.
    """
    make: Callable[[Results], Table] = resolve_name(f"{__package__}.{entry.name}:make")
    of_networks = entry.section is not Section.TEXT
    try:
        if of_networks and not results.networks:
            raise NothingToShowError(NO_NETWORK)
        table = make(results)
    except NothingToShowError as error:
        rows = [{"missing": str(error)}]
        column = Column("Missing", "missing", text=True, wide=True)
        table = Table("Nothing to show", rows, [column], data=pd.DataFrame(rows))
    missing = results.missing_note if of_networks else []
    return replace(table, notes=[*missing, *table.notes], name=entry.name).without_empty_columns()


def table_of(
    results: Results,
    caption: str,
    rows: Sequence[Row],
    columns: Sequence[Column],
    notes: Sequence[str],
    lines: Sequence[Row] | None = None,
) -> Table:
    """Make a table of rows, each about a corpus; `lines` are those of the CSV, if they are others.

    If there are several corpora, the third column names them; else the caption names the only one.
    """
    where = [Column("Corpus", "corpus", text=True)] if results.several_corpora else []
    on_corpus = "" if results.several_corpora else f" on {next(iter(results.corpora))}"
    return Table(
        f"{caption}{on_corpus}",
        rows,
        [*columns[:2], *where, *columns[2:]],
        notes,
        data_of(rows if lines is None else lines, results),
    )


def data_of(rows: Sequence[Row], results: Results) -> pd.DataFrame:
    """Return the data of a CSV.

    In place of values by seed there are their mean and, of several seeds, their sample standard
    deviation as `<column>_sd`. A mean of no values and a deviation of one are NaN.
    """
    lines = []
    for row in rows:
        line: Row = {}
        for name, value in row.items():
            if isinstance(value, pd.Series):
                line[name] = value.mean()
                if results.several_seeds:
                    line[f"{name}_sd"] = value.std()
            else:
                line[name] = value
        lines.append(line)
    return pd.DataFrame(lines)


def identity(network: FinishedNetwork) -> Row:
    """Return the columns that tell a network from others; `model` is the name that people read."""
    settings = network.settings
    return {
        "corpus": settings.corpus,
        "hidden_size": settings.hidden_size,
        "cell": settings.cell,
        "document_size": settings.document_size,
        "document_gradient": settings.document_gradient,
        "unit_of_text": settings.unit_of_text,
        "model": network.network_name,
    }


def spread_note(results: Results) -> str:
    """A note that values are means over seeds with their spread, or are those of one seed."""
    several = "Mean ± sample standard deviation over the seeds."
    return several if results.several_seeds else "One seed."


def mean_column(heading: str, key: str, rows: Sequence[Row]) -> Column:
    """A column of means over the seeds, in which the lowest of each corpus is bold."""
    lowest: dict[str, float] = {}
    for row in rows:
        value = row[key].mean()
        if not math.isnan(value):
            lowest[row["corpus"]] = min(value, lowest.get(row["corpus"], math.inf))
    return Column(heading, key, mean, best=lambda row: row[key].mean() == lowest.get(row["corpus"]))


def interval_of(row: Row) -> str:
    """The 95 % interval of the change in a row."""
    return interval((row["interval_low_percent"], row["interval_high_percent"]))


def cost_columns(other: str) -> list[Column]:
    """Columns of the changes of three costs, from the other side's, whose keys end in `other`."""

    def change(heading: str, key: str) -> Column:
        return Column(heading, lambda row: change_percent(row[key], row[f"{key}{other}"]))

    return [
        change("Parameters (%)", "parameters"),
        change("Multiply-adds (%)", "multiply_adds_per_word"),
        change("Time per word (%)", "seconds_per_word"),
    ]
