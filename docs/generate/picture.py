"""The picture of README: what `show` prints into a terminal."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from rich.text import Text

import online_rnnlm

PICTURE = Path("docs/show.svg")
TEXT = Path("resources/test-paragraph.txt")
"""The first paragraph of the test set, a text that nobody has chosen."""
_COLUMNS = 92
"""Width of the terminal, in characters."""


def write() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")


def picture() -> str:
    """Return what `show` prints about the text, by the project's own models, as SVG."""
    shown = online_rnnlm.load().show(TEXT.read_text(encoding="utf-8"))
    terminal = Console(record=True, width=_COLUMNS, file=StringIO())
    terminal.print(Text.from_ansi(shown.coloured()))
    svg = terminal.export_svg(
        title=f"online-rnnlm show {TEXT}", theme=DEFAULT_TERMINAL_THEME, unique_id="show"
    )
    # A picture in a page may not fetch the font that rich names; a reader's own does.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
