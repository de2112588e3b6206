"""A table: data for programs and columns for people, its formats, and how it is written.

The functions that show values are also those of the report and the documents.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from tabulate import tabulate

from online_rnnlm.analysis.results import NothingToShowError, Results, collect
from online_rnnlm.config.catalogue import TABLES, Entry, Section, those_of
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import TABLE_KINDS, ExperimentDirectory

_HEADING_WIDTH = 12  # Letters in a line of a heading in LaTeX.
_WIDE_SHARE = 0.75  # The share of a line for the columns of sentences.
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "−": "$-$",
}


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

    @property
    def csv_data(self) -> pd.DataFrame:
        """The data of the CSV."""
        return self.data if self.tidy is None else self.tidy


def signed(change: float, decimals: int = 1) -> str:
    """A number with its sign, which is a true minus for a negative number: `−0.5`."""
    return f"{change:+.{decimals}f}".replace("-", "−")


def interval(ends: tuple[float, float] | None) -> str:
    """An interval of changes in per cent, such as `−5.1 to −3.8 %`; nothing for None."""
    return "" if ends is None else f"{signed(ends[0])} to {signed(ends[1])} %"


def label(key: str, show: Callable[[Any], str] = str) -> Callable[[pd.Series], str]:
    """Return a function that shows a row's value, as it is or by `show`; empty if missing."""
    return lambda row: "" if pd.isna(row[key]) else show(row[key])


def number(key: str, form: str = ",.1f") -> Callable[[pd.Series], str]:
    """Return a function that shows a number in one of Python's formats; empty if missing.

    A mean over several seeds, which has its deviation as `<key>_sd` beside it, is shown as
    `mean ± sd`.
    """

    def show(row: pd.Series) -> str:
        if pd.isna(row[key]):
            return ""
        spread = row.get(f"{key}_sd")
        return f"{row[key]:{form}}" + ("" if pd.isna(spread) else f" ± {spread:{form}}")

    return show


def integer(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a whole number with separated thousands; empty if missing."""
    return number(key, ",.0f")


def shown_interval(row: pd.Series) -> str:
    """The interval of a row's change."""
    return interval((row["interval_low_percent"], row["interval_high_percent"]))


CHANGE = Column("Change (%)", lambda row: signed(row["change_percent"]))
"""The column of a row's change of perplexity."""


def changes_of_costs(other: str) -> list[Column]:
    """Columns of the changes from another system's costs (%); `other` ends the names of these."""

    def change(row: pd.Series, cost: str) -> str:
        against = row[f"{cost}{other}"]
        missing = pd.isna(row[cost]) or pd.isna(against)
        return "" if missing else signed(100 * (row[cost] / against - 1))

    return [
        Column("Parameters (%)", partial(change, cost="parameters")),
        Column("Multiply-adds (%)", partial(change, cost="multiply_adds_per_word")),
        Column("Time per word (%)", partial(change, cost="seconds_per_word")),
    ]


def p_value(value: float) -> str:
    """A p-value with `=` or `<` before it: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def lowest(key: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a function that marks the lowest value of each corpus, to be set in bold."""
    return lambda data: data[key] == data.groupby("corpus")[key].transform("min")


_KEYS = (
    "corpus",
    "hidden_size",
    "cell",
    "document_size",
    "document_gradient",
    "unit_of_text",
    "carry",
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


def mean_over_seeds(results: Results, key: str, values: pd.Series[float]) -> dict[str, float]:
    """The mean of values by seed and, if there are several seeds, their deviation as `<key>_sd`.

    It is the sample standard deviation. The mean is NaN if there is no value, the deviation if
    there are fewer than two.
    """
    spread = {f"{key}_sd": values.std()} if results.several_seeds else {}
    return {key: values.mean(), **spread}


def write_tables(experiment: Plan, directory: ExperimentDirectory) -> None:
    """Write all tables of an experiment as `tables/<name>.{csv,md,tex,html}`."""
    results = collect(experiment, directory)
    for entry in those_of(TABLES, experiment):
        write_table(make_table(entry, results), directory)


def write_table(
    table: Table, directory: ExperimentDirectory, kinds: Iterable[str] = TABLE_KINDS
) -> None:
    """Write a table in each of some formats."""
    renderings = {
        "csv": table.csv_data.to_csv(index=False, lineterminator="\n"),
        "md": to_markdown(table),
        "tex": to_latex(table),
        "html": environment().get_template("page.html.j2").render(table=table),
    }
    for kind in kinds:
        with replacing(directory.table(table.name, kind)) as temporary:
            temporary.write_text(renderings[kind], encoding="utf-8")


def make_table(entry: Entry, results: Results) -> Table:
    """Make a table of the catalogue; its first note names what is missing from the comparison.

    It has no column of empty cells. A table that has nothing to show says only that. Raises
    UserError for files that are missing or do not fit each other.
    """
    module = import_module(f"online_rnnlm.analysis.tables.{entry.name}")
    try:
        table: Table = module.make(results)
    except NothingToShowError as error:
        columns = [Column("Missing", label("missing"), text=True, wide=True)]
        data = pd.DataFrame({"missing": [str(error)]})
        table = Table(entry.name, "Nothing to show", data, columns)
    has_text = [any(cells) for cells in zip(*table.cells(), strict=True)]
    columns = [column for column, has in zip(table.columns, has_text, strict=True) if has]
    missing = [] if entry.section is Section.TEXT else results.missing_note
    return replace(table, columns=columns, notes=[*missing, *table.notes])


def environment() -> Environment:
    """The environment of the templates; it escapes HTML and refuses undefined names."""
    return Environment(
        loader=PackageLoader("online_rnnlm.analysis"),
        autoescape=select_autoescape(["html", "html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def to_markdown(table: Table) -> str:
    """The table in GitHub-flavoured Markdown, with its caption above it."""
    notes = "".join(f"\n{_markdown(note)}\n" for note in table.notes)
    return f"{_markdown(table.caption)}\n\n{markdown_of(table.data, *table.columns)}{notes}"


def markdown_of(data: pd.DataFrame, *columns: Column) -> str:
    """A table in Markdown that needs no name, caption and notes; it ends with its last line."""
    table = Table("", "", data, columns)
    rows = []
    for texts, marks in zip(table.cells(), table.best(), strict=True):
        cells = zip(map(_markdown, texts), marks, strict=True)
        rows.append([f"**{text}**" if best and text else text for text, best in cells])
    align = ["left" if column.text else "right" for column in columns]
    headings = [_markdown(heading) for heading in table.headings]
    grid = tabulate(rows, headings, tablefmt="pipe", colalign=align, disable_numparse=True)
    return f"{grid}\n"


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


def to_latex(table: Table) -> str:
    r"""The table in LaTeX, as wide as the text at most.

    It needs `\usepackage{booktabs}` and `\usepackage{adjustbox}`.
    """
    headings = []
    for column in table.columns:
        # Lines are about as narrow as a number, so that a heading does not widen its column.
        lines = textwrap.wrap(column.heading, _HEADING_WIDTH, break_long_words=False)
        if column.wide or len(lines) < 2:
            headings.append(_latex(column.heading))
        else:
            stacked = r"\\".join(map(_latex, lines))
            headings.append(rf"\shortstack[{'l' if column.text else 'r'}]{{{stacked}}}")
    # Columns are numbered within pandas, since two columns may have the same heading.
    frame = pd.DataFrame(table.cells(), columns=range(len(table.columns)), dtype="object")
    marks = np.where(np.array(table.best(), dtype=bool), "textbf:--rwrap;", "")
    style = frame.style.hide(axis="index").format(lambda cell: _latex(str(cell)))
    style = style.format_index(lambda place: headings[int(str(place))], axis=1)
    style = style.apply(lambda _: marks.reshape(frame.shape), axis=None)
    # `l` for texts, `r` for numbers, and `p` for sentences, which share most of the line.
    share = _WIDE_SHARE / max(1, sum(column.wide for column in table.columns))
    wide = rf"p{{{share:.2f}\linewidth}}"
    kinds = [wide if column.wide else "l" if column.text else "r" for column in table.columns]
    latex = style.to_latex(
        hrules=True,
        column_format="".join(kinds),
        caption=_latex(" ".join([f"{table.caption}.", *table.notes])),
        label=f"tab:{table.name}",
        position_float="centering",
    )
    begin = r"\begin{adjustbox}{max width=\linewidth}"
    end = r"\end{adjustbox}"
    latex = latex.replace(r"\begin{tabular}", f"{begin}\n\\begin{{tabular}}", 1)
    return latex.replace(r"\end{tabular}", f"\\end{{tabular}}\n{end}", 1)


def _latex(text: str) -> str:
    return re.sub(r"[\\~^<>&%$#_{}±−]", lambda match: _LATEX.get(match[0], "\\" + match[0]), text)
