"""A table: rows, of which people see columns, and data for programs; and how values are shown.

A row is an object with a type of its own, so that the name of a value is that of a field: in the
module of the table, in the function that shows it, and in the head of the CSV.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import BySeed, FinishedNetwork, System
from online_rnnlm.config.catalogue import Entry, Section
from online_rnnlm.storage.experiments import Interval


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


@dataclass(frozen=True)
class Table(Generic[AnyRow]):
    """A table: the rows and columns for people, and the data for programs."""

    caption: str
    rows: Sequence[AnyRow]
    columns: Sequence[Column[AnyRow]]
    notes: Sequence[str] = ()
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The content of the CSV, whose rows may be others; empty for a part of the report alone."""

    @property
    def headings(self) -> list[str]:
        """The columns' headings."""
        return [column.heading for column in self.columns]

    def cells(self) -> list[list[str]]:
        """The texts of the cells, row by row."""
        return [[column.show(row) for column in self.columns] for row in self.rows]

    def best(self) -> list[list[bool]]:
        """True for each of `cells` that is set in bold, row by row."""
        return [
            [column.best is not None and column.best(row) for column in self.columns]
            for row in self.rows
        ]

    def classes(self) -> list[list[str]]:
        """The classes of each of `cells` in HTML, row by row."""
        classes = []
        for row in self.rows:
            found = []
            for column in self.columns:
                names = ["text"] if column.text else []
                names += ["wide"] if column.text and column.wide else []
                names += [column.look(row)] if column.look else []
                found.append(" ".join(names))
            classes.append(found)
        return classes


def make_table(entry: Entry, results: Results) -> Table[Any]:
    """Make a table of the catalogue; its first note names what is missing from the comparison.

    It has no column of empty cells. A table that has nothing to show says only that. Raises
    UserError for files that are missing or do not fit each other.
    """
    module = import_module(f"online_rnnlm.analysis.tables.{entry.name}")
    try:
        table: Table[Any] = module.make(results)
    except NothingToShowError as error:
        said = str(error)
        column: Column[str] = Column("Missing", str, text=True, wide=True)
        table = Table("Nothing to show", [said], [column], data=pd.DataFrame({"missing": [said]}))
    has_text = [any(cells) for cells in zip(*table.cells(), strict=True)]
    columns = [column for column, has in zip(table.columns, has_text, strict=True) if has]
    missing = [] if entry.section is Section.TEXT else results.missing_note
    return replace(table, columns=columns, notes=[*missing, *table.notes])


def data_of(rows: Sequence[Any], results: Results) -> pd.DataFrame:
    """Return the data of a CSV: a row for each of the rows, which are dataclasses.

    It has a column for each field. In place of a network or a rival there are the columns of
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
        if shown.alone is None:
            return {"corpus": shown.corpus, "model": shown.title}
        shown = shown.alone
    settings = shown.settings
    return {
        "corpus": settings.corpus,
        "hidden_size": settings.hidden_size,
        "cell": settings.cell,
        "document_size": settings.document_size,
        "document_gradient": settings.document_gradient,
        "unit_of_text": settings.unit_of_text,
        "carry": settings.carry,
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


def number(value: float | None, form: str = ",.1f") -> str:
    """A number in one of Python's formats; empty if there is none."""
    return "" if value is None or math.isnan(value) else f"{value:{form}}"


def integer(value: float | None) -> str:
    """A whole number with separated thousands; empty if there is none."""
    return number(value, ",.0f")


def mean(values: BySeed) -> str:
    """The mean over the seeds and, if there are several, ± their sample standard deviation."""
    spread = number(values.std())
    return f"{number(values.mean())}{' ± ' if spread else ''}{spread}"


def signed(change: float, decimals: int = 1) -> str:
    """A number with its sign, which is a true minus: `−0.5`; one that rounds to 0 has none."""
    text = f"{change:+z.{decimals}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def change_percent(ours: float, theirs: float) -> str:
    """The change from their value to ours (%), such as of costs; empty if theirs is NaN."""
    return "" if math.isnan(theirs) else signed(100 * (ours / theirs - 1))


def interval(ends: Interval, decimals: int = 1) -> str:
    """An interval of changes in per cent, such as `−5.1 to −3.8 %`."""
    low, high = ends
    return f"{signed(low, decimals)} to {signed(high, decimals)} %"


def p_value(value: float) -> str:
    """A p-value with `=` or `<` before it: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; if seeds differ, with each seed's value in order."""
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in keys_of(by_seed))


def keys_of(by_seed: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the settings that any of the seeds has."""
    return [*dict.fromkeys(key for settings in by_seed for key in settings)]


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """A setting's value, or that of each seed in order: `0.1`, `0.1 / 0.3 / 0.1`.

    A seed without it has `as in training`: of the vector's rates that were tried, none was better
    than that of its training.
    """
    values = [settings.get(key, "as in training") for settings in by_seed]
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return " / ".join(texts if len(set(texts)) > 1 else texts[:1])
