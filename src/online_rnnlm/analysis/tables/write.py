"""Write an experiment's tables: as CSV for programs, as Markdown, LaTeX and HTML for people."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from tabulate import tabulate

from online_rnnlm.analysis.results import NothingToShowError, Results, collect
from online_rnnlm.analysis.tables.table import Column, Table, label
from online_rnnlm.config.catalogue import Entry, Section, tables_of
from online_rnnlm.config.experiment import Plan
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import TABLE_KINDS, ExperimentDirectory

_HEADING_WIDTH = 12  # Letters in a line of a heading in LaTeX.
_WIDE_SHARE = 0.75  # The share of a line for the columns of sentences.
_LATEX = {
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "±": r"$\pm$", "−": "$-$"},
}


def write_tables(experiment: Plan, directory: ExperimentDirectory) -> None:
    """Write all tables of an experiment as `tables/<name>.{csv,md,tex,html}`."""
    results = collect(experiment, directory)
    for entry in tables_of(experiment):
        write_table(make_table(entry, results), directory)


def write_table(
    table: Table, directory: ExperimentDirectory, kinds: Iterable[str] = TABLE_KINDS
) -> None:
    """Write a table in each of some formats."""
    data = table.data if table.tidy is None else table.tidy
    renderings = {
        "csv": data.to_csv(index=False, lineterminator="\n"),
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
    # Columns are numbered within pandas, since two columns may have the same heading.
    frame = pd.DataFrame(table.cells(), columns=range(len(table.columns)), dtype="object")
    marks = np.where(np.array(table.best(), dtype=bool), "textbf:--rwrap;", "")
    style = frame.style.hide(axis="index").format(lambda cell: _latex(str(cell)))
    style = style.format_index(lambda i: _latex_heading(table.columns[int(str(i))]), axis=1)
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


def _latex_heading(column: Column) -> str:
    # Lines are about as narrow as a number, so that a heading does not widen its column.
    lines = textwrap.wrap(column.heading, _HEADING_WIDTH, break_long_words=False)
    if column.wide or len(lines) < 2:
        return _latex(column.heading)
    stacked = r"\\".join(map(_latex, lines))
    return rf"\shortstack[{'l' if column.text else 'r'}]{{{stacked}}}"


def _latex(text: str) -> str:
    return re.sub(r"[\\~^<>&%$#_{}±−]", lambda match: _LATEX.get(match[0], "\\" + match[0]), text)
