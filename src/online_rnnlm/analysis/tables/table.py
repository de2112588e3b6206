"""A table: rows, of which people see columns, and data for programs.

`data_of` makes the data of rows. A row's class has a field for each column of the CSV, with three
exceptions: a network gives the columns that tell it from others, a rival its corpus and its name,
and values by seed their mean and their deviation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Protocol, TypeVar

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import BySeed, FinishedNetwork, System
from online_rnnlm.analysis.tables.values import mean


class OnCorpus(Protocol):
    """A row about something on a corpus."""

    @property
    def corpus(self) -> str:
        """The corpus."""


@dataclass(frozen=True)
class NetworkRow:
    """A row about a network."""

    network: FinishedNetwork

    @property
    def corpus(self) -> str:
        """The network's corpus."""
        return self.network.corpus


AnyRow = TypeVar("AnyRow")
RowOnCorpus = TypeVar("RowOnCorpus", bound=OnCorpus)


@dataclass(frozen=True)
class Column(Generic[AnyRow]):
    """A column for people."""

    heading: str
    show: Callable[[AnyRow], str]
    """The text of a row's cell."""
    text: bool = False
    """True if left-aligned."""
    best: Callable[[AnyRow], bool] | None = None
    """True for a row whose cell is set in bold."""
    wide: bool = False
    """True for whole sentences, to be broken into lines."""
    look: Callable[[AnyRow], str] | None = None
    """The class that a page's style has for a row's cell, beside those of the column."""

    def is_best(self, row: AnyRow) -> bool:
        """True if a row's cell is set in bold."""
        return self.best is not None and self.best(row)

    def classes(self, row: AnyRow) -> str:
        """The classes of a row's cell in HTML."""
        names = ["text"] if self.text else []
        names += ["wide"] if self.text and self.wide else []
        names += [self.look(row)] if self.look else []
        return " ".join(names)


@dataclass(frozen=True)
class Table(Generic[AnyRow]):
    """A table: the rows and columns for people, and the data for programs."""

    caption: str
    rows: Sequence[AnyRow]
    columns: Sequence[Column[AnyRow]]
    notes: Sequence[str] = ()
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The content of the CSV, whose rows may be others than people see. `data_of` makes it of most
    tables; it is empty for one that only the report shows."""

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


def data_of(rows: Sequence[Any], results: Results) -> pd.DataFrame:
    """Return the data of a CSV: a line for each of the rows, which are dataclasses.

    A field is a column of its name. In place of a network or a rival there are the columns of
    `_identity`, and in place of values by seed their mean and, of several seeds, their sample
    standard deviation as `<field>_sd`. A mean of no values and a deviation of one are NaN.
    """
    lines = []
    for row in rows:
        line: dict[str, Any] = {}
        for one in fields(row):
            value = getattr(row, one.name)
            if isinstance(value, FinishedNetwork | System):
                line |= _identity(value)
            elif isinstance(value, pd.Series):
                line[one.name] = value.mean()
                if results.several_seeds:
                    line[f"{one.name}_sd"] = value.std()
            else:
                line[one.name] = value
        lines.append(line)
    return pd.DataFrame(lines)


def _identity(shown: FinishedNetwork | System) -> dict[str, Any]:
    """Return the columns that tell a network from others, or a system with a rival.

    `model` is the name that people read.
    """
    if isinstance(shown, System):
        network = shown.network_alone
        if network is None:
            return {"corpus": shown.corpus, "model": shown.title}
        shown = network
    settings = shown.settings
    return {
        "corpus": settings.corpus,
        "hidden_size": settings.hidden_size,
        "cell": settings.cell,
        "document_size": settings.document_size,
        "document_gradient": settings.document_gradient,
        "unit_of_text": settings.unit_of_text,
        "model": shown.network_name,
    }


def corpus_column(results: Results) -> list[Column[Any]]:
    """The column of the corpora, if there are several; else the caption names the only one."""
    return [Column("Corpus", lambda row: row.corpus, text=True)] if results.several_corpora else []


def on_corpus(caption: str, results: Results) -> str:
    """A caption that names the corpus, if there is only one."""
    return caption if results.several_corpora else f"{caption} on {next(iter(results.corpora))}"


def spread_note(results: Results) -> str:
    """A note that values are means over seeds with their spread, or are those of one seed."""
    several = "Mean ± sample standard deviation over the seeds."
    return several if results.several_seeds else "One seed."


def mean_column(
    heading: str, rows: Sequence[RowOnCorpus], values: Callable[[RowOnCorpus], BySeed]
) -> Column[RowOnCorpus]:
    """A column of means over the seeds, in which the lowest of each corpus is bold."""
    lowest: dict[str, float] = {}
    for row in rows:
        value = values(row).mean()
        if not math.isnan(value):
            lowest[row.corpus] = min(value, lowest.get(row.corpus, math.inf))
    return Column(
        heading,
        lambda row: mean(values(row)),
        best=lambda row: values(row).mean() == lowest.get(row.corpus),
    )
