"""A table in four formats: CSV for programs; Markdown, LaTeX and HTML for people."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from tabulate import tabulate

from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import TABLE_KINDS, ExperimentDirectory

_HEADING_WIDTH = 12  # Letters in a line of a heading in LaTeX.
_SMALL, _SIDEWAYS = 60, 85  # Wider LaTeX tables, in letters, are set small, or sideways.
_WIDE_SHARE = 0.75  # The share of a line for the columns of sentences.
_LATEX = {
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "±": r"$\pm$", "−": "$-$"},
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
    notes: Sequence[str] = field(default=())
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


def notice(name: str, text: str) -> Table:
    """A table in place of one that has nothing to show; its only cell says why."""
    columns = [Column("Missing", label("missing"), text=True, wide=True)]
    return Table(name, "Nothing to show", pd.DataFrame({"missing": [text]}), columns)


def write_table(table: Table, directory: ExperimentDirectory) -> None:
    """Write a table as `tables/<name>.{csv,md,tex,html}`."""
    data = table.data if table.tidy is None else table.tidy
    renderings = {
        "csv": data.to_csv(index=False, lineterminator="\n"),
        "md": to_markdown(table),
        "tex": to_latex(table),
        "html": environment().get_template("page.html.j2").render(table=table),
    }
    for kind in TABLE_KINDS:
        with replacing(directory.table(table.name, kind)) as temporary:
            temporary.write_text(renderings[kind], encoding="utf-8")


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
    return f"{_markdown(table.caption)}\n\n{markdown_grid(table)}\n{notes}"


def markdown_grid(table: Table) -> str:
    """The table's headings and rows in GitHub-flavoured Markdown, without caption and notes."""
    rows = [
        [f"**{text}**" if best and text else text for text, best in zip(row, marks, strict=True)]
        for row, marks in zip(_markdown_cells(table), table.best(), strict=True)
    ]
    align = ["left" if column.text else "right" for column in table.columns]
    headings = [_markdown(heading) for heading in table.headings]
    grid: str = tabulate(rows, headings, tablefmt="pipe", colalign=align, disable_numparse=True)
    return grid


def markdown_of(data: pd.DataFrame, *columns: Column) -> str:
    """A table in Markdown that needs no name, caption and notes; it ends with its last line."""
    return f"{markdown_grid(Table('', '', data, columns))}\n"


def _markdown_cells(table: Table) -> list[list[str]]:
    return [[_markdown(text) for text in row] for row in table.cells()]


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


def to_latex(table: Table) -> str:
    """The table in LaTeX, in small type if it is wide; it needs `\\usepackage{booktabs}`.

    A very wide table is a `sidewaystable`, which also needs `\\usepackage{rotating}`.
    """
    # Columns are numbered within pandas, since two columns may have the same heading.
    frame = pd.DataFrame(table.cells(), columns=range(len(table.columns)), dtype="object")
    marks = np.where(np.array(table.best(), dtype=bool), "textbf:--rwrap;", "")
    style = frame.style.hide(axis="index").format(lambda cell: _latex(str(cell)))
    style = style.format_index(lambda i: _latex_heading(table.columns[int(str(i))]), axis=1)
    style = style.apply(lambda _: marks.reshape(frame.shape), axis=None)
    width = _width(table)
    latex = style.to_latex(
        hrules=True,
        column_format=_latex_format(table.columns),
        caption=_latex(" ".join([f"{table.caption}.", *table.notes])),
        label=f"tab:{table.name}",
        environment="sidewaystable" if width > _SIDEWAYS else "table",
        position_float="centering",
    )
    small = "\\centering\n\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n"
    return latex.replace("\\centering\n", small, 1) if width > _SMALL else latex


def _width(table: Table) -> int:
    """The number of letters in a line; a column of sentences counts as a fixed number."""
    columns = zip(table.columns, *table.cells(), strict=True)
    return sum(
        _SMALL // 3 if column.wide else max(map(len, [*_lines(column.heading), *cells]))
        for column, *cells in columns
    )


def _lines(heading: str) -> list[str]:
    """A heading in lines about as narrow as a number, so that it does not widen its column."""
    return textwrap.wrap(heading, _HEADING_WIDTH, break_long_words=False)


def _latex_heading(column: Column) -> str:
    lines = _lines(column.heading)
    if column.wide or len(lines) < 2:
        return _latex(column.heading)
    stacked = r"\\".join(map(_latex, lines))
    return rf"\shortstack[{'l' if column.text else 'r'}]{{{stacked}}}"


def _latex_format(columns: Sequence[Column]) -> str:
    """`l` for texts, `r` for numbers, and `p` for sentences, which share most of the line."""
    share = _WIDE_SHARE / max(1, sum(column.wide for column in columns))
    wide = rf"p{{{share:.2f}\linewidth}}"
    return "".join(wide if column.wide else "l" if column.text else "r" for column in columns)


def _latex(text: str) -> str:
    return re.sub(r"[\\~^<>&%$#_{}±−]", lambda match: _LATEX.get(match[0], "\\" + match[0]), text)


def integer(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a whole number with separated thousands; empty if missing."""
    return lambda row: "" if _missing(row[key]) else f"{round(row[key]):,}"


def label(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a text unchanged; empty if missing."""
    return lambda row: "" if _missing(row[key]) else str(row[key])


def percent(key: str) -> Callable[[pd.Series], str]:
    """Return a function that shows a share in per cent with one decimal; empty if missing."""
    return lambda row: "" if _missing(row[key]) else f"{100 * row[key]:.1f}"


def mean(key: str, decimals: int = 1) -> Callable[[pd.Series], str]:
    """Return a function that shows a mean, with `± sd` if there are several seeds."""

    def show(row: pd.Series) -> str:
        if _missing(row[key]):
            return ""
        spread = row.get(f"{key}_sd")
        text = f"{row[key]:,.{decimals}f}"
        return text if spread is None or _missing(spread) else f"{text} ± {spread:,.{decimals}f}"

    return show


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def lowest(key: str, by: str = "corpus") -> Callable[[pd.DataFrame], pd.Series]:
    """Return a function that marks the lowest value of each corpus, to be set in bold."""
    return lambda data: data[key] == data.groupby(by)[key].transform("min")
