"""The sections of the report, with their tables and figures from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from online_rnnlm.analysis.figures.colours import PAGE_COLOURS
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Table
from online_rnnlm.analysis.tables.write import make_table
from online_rnnlm.config.catalogue import (
    FigureEntry,
    Section,
    figures_of,
    tables_of,
    tables_on_request,
)
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory

OPENINGS: Mapping[Section, str] = {
    Section.CLAIMS: "claims.html.j2",
    Section.PERPLEXITY: "perplexity.html.j2",
    Section.TESTING: "testing.html.j2",
    Section.VECTORS: "vectors.html.j2",
    Section.TEXT: "text.html.j2",
    Section.SEARCH: "search.html.j2",
    Section.ENGINES: "engines.html.j2",
}
"""The templates of the text that opens a section; other sections have no such text."""


@dataclass(frozen=True)
class ShownFigure:
    """A figure in the report."""

    name: str
    title: str
    drawing: Markup
    caption: str


@dataclass(frozen=True)
class ShownSection:
    """A section of the report."""

    heading: str
    opening: str | None
    tables: list[Table]
    figures: list[ShownFigure]


def sections(results: Results, captions: Mapping[str, str]) -> Iterator[ShownSection]:
    """Yield the sections that have a table or a figure; `captions` are by the figures' names.

    Tables on request are shown if they have been made. Raises UserError if the figures have not
    been drawn.
    """
    figures, tables = figures_of(results.experiment), tables_of(results.experiment)
    for entry in tables_on_request():
        if results.directory.table(entry.name, "csv").is_file():
            tables.append(entry)
    for section in Section:
        shown = [
            _figure(entry, results.directory, captions)
            for entry in figures
            if entry.section is section
        ]
        made = [make_table(entry, results) for entry in tables if entry.section is section]
        if shown or made:
            yield ShownSection(section.value, OPENINGS.get(section), made, shown)


def _figure(
    entry: FigureEntry, directory: ExperimentDirectory, captions: Mapping[str, str]
) -> ShownFigure:
    path = directory.figure(entry.name, "svg")
    if entry.name not in captions or not path.is_file():
        raise UserError(f"{path}: missing; draw the figures first")
    return ShownFigure(entry.name, entry.title, _drawing(path, entry.title), captions[entry.name])


def _drawing(path: Path, title: str) -> Markup:
    """Read a figure's `<svg>` for use within a page, which sets its size and colours."""
    svg = path.read_text(encoding="utf-8")
    svg = svg[svg.index("<svg") :]
    head, rest = svg.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    named = Markup('{} role="img" aria-label="{}">').format(Markup(head), title)
    for colour, variable in PAGE_COLOURS.items():
        rest = rest.replace(colour, f"var({variable})")
    return named + Markup(rest)  # Safe to include: this package drew it.
