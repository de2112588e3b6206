"""The parts of pages that are made from the code.

What is between `<!-- KIND NAME -->` and `<!-- end -->` is made from the class, or the group of
verbs, of that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import interfaces, models

COMMAND = models.COMMAND
DOCS = Path("docs")
PAGES = (
    Path("README.md"),
    Path("config/README.md"),
    DOCS / "command-line.md",
    DOCS / "data-formats.md",
    DOCS / "python.md",
)
"""The pages with such parts; all else in them is written by hand."""
MAKERS: Mapping[str, Callable[[str], str]] = {
    "settings": models.settings,
    "record": models.record,
    "files": interfaces.files,
    "verbs": interfaces.verbs_of,
    "python": interfaces.public,
    "options": interfaces.options,
}
"""The functions that make each kind of part; each raises UserError for an unknown name."""
_MARKED = re.compile(rf"(<!-- ({'|'.join(MAKERS)}) (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def write() -> None:
    """Write the configuration's schema and all made parts of the pages anew."""
    models.SCHEMA.write_text(models.schema_text(), encoding="utf-8")
    for path in PAGES:
        path.write_text(with_parts(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_parts(page: str) -> str:
    """Return the page with its parts made anew."""
    return _MARKED.sub(
        lambda found: f"{found[1]}\n{MAKERS[found[2]](found[3]).rstrip()}\n\n{found[4]}", page
    )


def parts_of(page: str) -> list[tuple[str, str]]:
    """Return the kinds and names of a page's parts, in its order."""
    return [(found[2], found[3]) for found in _MARKED.finditer(page)]
