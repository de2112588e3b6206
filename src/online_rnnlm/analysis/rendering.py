"""A table in four formats: CSV for programs; Markdown, LaTeX and HTML for people."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from tabulate import tabulate

from online_rnnlm.runs import ExperimentDirectory, replacing

KINDS = ("csv", "md", "tex", "html")


@dataclass(frozen=True)
class Column:
    """How people see one column: its heading, and a number's or a text's look."""

    heading: str
    show: Callable[[pd.Series], str]
    text: bool = False  # left-aligned
    best: Callable[[pd.DataFrame], pd.Series] | None = None  # bool a row: to be set in bold


@dataclass(frozen=True)
class Table:
    """A table: its data for programs, its columns for people."""

    name: str
    caption: str
    data: pd.DataFrame
    columns: Sequence[Column]
    notes: Sequence[str] = field(default=())

    @property
    def headings(self) -> list[str]:
        """The readable headings."""
        return [column.heading for column in self.columns]

    def cells(self) -> list[list[str]]:
        """The readable cells, row by row."""
        return [[column.show(row) for column in self.columns] for _, row in self.data.iterrows()]

    def best(self) -> list[list[bool]]:
        """Which cells are to be set in bold: the shape of `cells`."""
        none = pd.Series(False, index=self.data.index)
        marks = [column.best(self.data) if column.best else none for column in self.columns]
        return [list(row) for row in zip(*marks, strict=True)]


def write_table(table: Table, directory: ExperimentDirectory) -> None:
    """Write a table as `tables/<name>.{csv,md,tex,html}`."""
    renderings = {
        "csv": table.data.to_csv(index=False, lineterminator="\n"),
        "md": to_markdown(table),
        "tex": to_latex(table),
        "html": environment().get_template("page.html.j2").render(table=table),
    }
    for kind in KINDS:
        with replacing(directory.table(table.name, kind)) as temporary:
            temporary.write_text(renderings[kind], encoding="utf-8")


def environment() -> Environment:
    """The templates, with HTML escaped."""
    return Environment(
        loader=PackageLoader("online_rnnlm.analysis"),
        autoescape=select_autoescape(["html", "html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def to_markdown(table: Table) -> str:
    """A GitHub-flavoured table, its caption above it."""
    rows = [
        [f"**{text}**" if best and text else text for text, best in zip(row, marks, strict=True)]
        for row, marks in zip(_markdown_cells(table), table.best(), strict=True)
    ]
    align = ["left" if column.text else "right" for column in table.columns]
    headings = [_markdown(heading) for heading in table.headings]
    body = tabulate(rows, headings, tablefmt="pipe", colalign=align, disable_numparse=True)
    notes = "".join(f"\n{_markdown(note)}\n" for note in table.notes)
    return f"{_markdown(table.caption)}\n\n{body}\n{notes}"


def _markdown_cells(table: Table) -> list[list[str]]:
    return [[_markdown(text) for text in row] for row in table.cells()]


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text)


def to_latex(table: Table) -> str:
    """A booktabs table in a `table` environment; needs `\\usepackage{booktabs}`."""
    # Columns are numbered while pandas works, as two may have one heading.
    frame = pd.DataFrame(table.cells(), columns=range(len(table.columns)), dtype="object")
    marks = np.where(np.array(table.best(), dtype=bool), "textbf:--rwrap;", "")
    style = frame.style.hide(axis="index").format(lambda cell: _latex(str(cell)))
    style = style.format_index(lambda heading: _latex(table.headings[int(str(heading))]), axis=1)
    style = style.apply(lambda _: marks.reshape(frame.shape), axis=None)
    return style.to_latex(
        hrules=True,
        column_format="".join("l" if column.text else "r" for column in table.columns),
        caption=_latex(" ".join([f"{table.caption}.", *table.notes])),
        label=f"tab:{table.name}",
        position_float="centering",
    )


def _latex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {"<": r"\textless{}", ">": r"\textgreater{}"}
    return re.sub(r"[\\~^<>&%$#_{}]", lambda match: special.get(match[0], "\\" + match[0]), text)


def integer(key: str) -> Callable[[pd.Series], str]:
    """Shows a whole number with thousands separated; empty where there is none."""
    return lambda row: "" if _missing(row[key]) else f"{round(row[key]):,}"


def label(key: str) -> Callable[[pd.Series], str]:
    """Shows a text as it is; empty where there is none."""
    return lambda row: "" if _missing(row[key]) else str(row[key])


def percent(key: str) -> Callable[[pd.Series], str]:
    """Shows a share as per cent with one decimal."""
    return lambda row: "" if _missing(row[key]) else f"{100 * row[key]:.1f}"


def mean(key: str, decimals: int = 1) -> Callable[[pd.Series], str]:
    """Shows a mean, with `± sd` where several seeds gave one."""

    def show(row: pd.Series) -> str:
        if _missing(row[key]):
            return ""
        spread = row.get(f"{key}_sd")
        text = f"{row[key]:,.{decimals}f}"
        return text if spread is None or _missing(spread) else f"{text} ± {spread:,.{decimals}f}"

    return show


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def lowest(key: str, by: str = "corpus") -> Callable[[pd.DataFrame], pd.Series]:
    """Marks the lowest value of each corpus, as bold."""
    return lambda data: data[key] == data.groupby(by)[key].transform("min")
