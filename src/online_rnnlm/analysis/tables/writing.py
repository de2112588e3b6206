"""Writes tables as CSV, Markdown, LaTeX and HTML."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from tabulate import tabulate

from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.tables.table import Table, make_table
from online_rnnlm.config.catalogue import TABLES, those_of
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory

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


def write_tables(directory: ExperimentDirectory) -> None:
    """Write all tables of an experiment as `tables/<name>.{csv,md,tex,html}`."""
    results = collect(directory)
    page = environment().get_template("page.html.j2")
    for entry in those_of(TABLES, results.experiment):
        table = make_table(entry, results)
        renderings = {
            "csv": table.data.to_csv(index=False, lineterminator="\n"),
            "md": to_markdown(table),
            "tex": to_latex(table, entry.name),
            "html": page.render(table=table),
        }
        for kind, text in renderings.items():
            with replacing(directory.table(entry.name, kind)) as temporary:
                temporary.write_text(text, encoding="utf-8")


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
    return f"{_markdown(table.caption)}\n\n{to_markdown_grid(table)}{notes}"


def to_markdown_grid(table: Table) -> str:
    """The table in Markdown without caption and notes; it ends with its last line."""
    lines = []
    for texts, marks in zip(table.cells(), table.best(), strict=True):
        cells = zip(map(_markdown, texts), marks, strict=True)
        lines.append([f"**{text}**" if best and text else text for text, best in cells])
    headings = [_markdown(heading) for heading in table.headings]
    return f"{_grid(lines, headings, table, 'pipe')}\n"


def to_text(table: Table) -> str:
    """The table in plain text, for a terminal, without caption and notes."""
    return _grid(table.cells(), table.headings, table, "simple")


def _grid(cells: Sequence[Sequence[str]], headings: Sequence[str], table: Table, form: str) -> str:
    """Cells and headings in one of tabulate's formats, aligned as the columns of a table."""
    sides = ["left" if column.text else "right" for column in table.columns]
    return str(tabulate(cells, headings, form, disable_numparse=True, colalign=sides))


def _markdown(text: str) -> str:
    escaped = re.sub(r"([\\`*_|\[\]])", r"\\\1", text)
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def to_latex(table: Table, name: str) -> str:
    r"""The table in LaTeX, as wide as the text at most, with the label `tab:<name>`.

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
        label=f"tab:{name}",
        position_float="centering",
    )
    begin = r"\begin{adjustbox}{max width=\linewidth}"
    end = r"\end{adjustbox}"
    latex = latex.replace(r"\begin{tabular}", f"{begin}\n\\begin{{tabular}}", 1)
    return latex.replace(r"\end{tabular}", f"\\end{{tabular}}\n{end}", 1)


def _latex(text: str) -> str:
    return re.sub(r"[\\~^<>&%$#_{}±−]", lambda match: _LATEX.get(match[0], "\\" + match[0]), text)
