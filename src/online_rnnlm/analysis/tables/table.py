"""A table with data for programs and columns for people, and what several tables have alike.

The functions that show values are also those of the report and the documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric
from online_rnnlm.config.runs import Run


@dataclass(frozen=True)
class Column:
    """A column for people: its heading, and a function that shows a row's value."""

    heading: str
    show: Callable[[pd.Series], str]
    text: bool = False  # True if left-aligned.
    best: Callable[[pd.DataFrame], pd.Series] | None = None  # Bool for each row: bold.
    wide: bool = False  # True for whole sentences, to be broken into lines.


@dataclass(frozen=True)
class Table:
    """A table, with data for programs and columns for people.

    `tidy` is the data of the CSV if its rows differ from those that people see.
    """

    name: str
    caption: str
    data: pd.DataFrame
    columns: Sequence[Column]
    notes: Sequence[str] = ()
    tidy: pd.DataFrame | None = None

    @property
    def headings(self) -> list[str]:
        """The columns' headings."""
        return [column.heading for column in self.columns]

    def cells(self) -> list[list[str]]:
        """The texts of the cells, row by row."""
        return [[column.show(row) for column in self.columns] for _, row in self.data.iterrows()]

    def best(self) -> list[list[bool]]:
        """True for each of `cells` that is set in bold, row by row."""
        none = pd.Series(False, index=self.data.index)
        marks = [column.best(self.data) if column.best else none for column in self.columns]
        return [list(row) for row in zip(*marks, strict=True)]


def signed(change: float, decimals: int = 1) -> str:
    """A number with its sign, which is a true minus for a negative number: `−0.5`."""
    return f"{change:+.{decimals}f}".replace("-", "−")


def interval(ends: tuple[float, float] | None) -> str:
    """An interval of changes in per cent, such as `−5.1 to −3.8 %`; nothing for None."""
    return "" if ends is None else f"{signed(ends[0])} to {signed(ends[1])} %"


def formatted(key: str, show: Callable[[float], str]) -> Callable[[pd.Series], str]:
    """Return a function that shows a row's value; empty if it is missing."""
    return lambda row: "" if pd.isna(row[key]) else show(row[key])


def integer(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a whole number with separated thousands; empty if missing."""
    return formatted(key, lambda value: f"{round(value):,}")


def label(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a text unchanged; empty if missing."""
    return formatted(key, str)


def percent(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a share in per cent with one decimal; empty if missing."""
    return formatted(key, lambda value: f"{100 * value:.1f}")


def shown_interval(row: pd.Series) -> str:
    """The interval of a row's change."""
    return interval((row["interval_low_percent"], row["interval_high_percent"]))


CHANGE = Column("Change (%)", lambda row: signed(row["change_percent"]))
"""The column of a row's change of perplexity."""


def changes_of_costs(other: str) -> list[Column]:
    """Columns of the changes from another system's costs (%); `other` ends the names of these."""

    def column(heading: str, cost: str) -> Column:
        def show(row: pd.Series) -> str:
            against = row[f"{cost}{other}"]
            missing = pd.isna(row[cost]) or pd.isna(against)
            return "" if missing else signed(100 * (row[cost] / against - 1))

        return Column(heading, show)

    return [
        column("Parameters (%)", "parameters"),
        column("Multiply-adds (%)", "multiply_adds_per_word"),
        column("Time per word (%)", "seconds_per_word"),
    ]


def p_value(value: float) -> str:
    """A p-value with `=` or `<` before it: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def mean(key: str, decimals: int = 1) -> Callable[[pd.Series], str]:
    """Return a function that shows a mean, with `± sd` if there are several seeds."""

    def show(row: pd.Series) -> str:
        shown = formatted(key, lambda value: f"{value:,.{decimals}f}")(row)
        spread = row.get(f"{key}_sd")
        return shown if not shown or pd.isna(spread) else f"{shown} ± {spread:,.{decimals}f}"

    return show


def lowest(key: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a function that marks the lowest value of each corpus, to be set in bold."""
    return lambda data: data[key] == data.groupby("corpus")[key].transform("min")


_KEYS = (
    *("corpus", "hidden_size", "cell", "document_size"),
    *("document_gradient", "unit_of_text", "carry"),
)


def model_keys(run: Run) -> dict[str, Any]:
    """The values that tell a run's model from others, and its label."""
    return {**{key: getattr(run.settings, key) for key in _KEYS}, "model": run.model}


def comparison_table(
    results: Results,
    name: str,
    caption: str,
    data: pd.DataFrame,
    columns: Iterable[Column],
    notes: Sequence[str],
    tidy: pd.DataFrame | None = None,
) -> Table:
    """A table with corpora in its third column; if there is one, the caption names it instead."""
    first, second, *others = columns
    if results.several_corpora:
        others.insert(0, Column("Corpus", label("corpus"), text=True))
    else:
        caption += f" on {next(iter(results.corpora))}"
    return Table(name, caption, data, [first, second, *others], notes, tidy)


def spread_note(results: Results) -> str:
    """A note that values are means over seeds with their spread, or are those of one seed."""
    several = "Mean ± sample standard deviation over the seeds."
    return several if results.several_seeds else "One seed."


def mean_over_seeds(results: Results, key: str, metric: Metric) -> dict[str, float]:
    """The mean of a metric and, if there are several seeds, its standard deviation as `<key>_sd`.

    The mean is NaN if there is no value, the deviation if there are fewer than two.
    """
    spread = {f"{key}_sd": metric.deviation} if results.several_seeds else {}
    return {key: metric.mean, **spread}
