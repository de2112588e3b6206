"""The parts of pages that are made from the code and from the evidence.

What is between `<!-- KIND NAME -->` and `<!-- end -->` is made from the class, or the group of
verbs, of that name; between `<!-- evidence NAME KIND -->` and `<!-- end -->`, from the folder
`docs/evidence/NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import evidence, interfaces, models

DOCS = Path("docs")
PAGES = (
    Path("README.md"),
    Path("config/README.md"),
    DOCS / "command-line.md",
    DOCS / "data-formats.md",
    DOCS / "evidence.md",
    DOCS / "python.md",
    DOCS / "tutorial.md",
)
"""The pages with such parts; all else in them is written by hand."""
MAKERS: Mapping[str, Callable[..., str]] = {
    "settings": models.settings,
    "record": models.record,
    "files": interfaces.files,
    "verbs": interfaces.verbs_of,
    "python": interfaces.public,
    "options": interfaces.options,
    "evidence": evidence.part,
}
"""The functions that make each kind of part; each raises UserError for an unknown name."""
_MARKED = re.compile(
    rf"(<!-- ({'|'.join(MAKERS)}) (\w+(?: \w+)?) -->\n).*?(<!-- end -->\n)", re.DOTALL
)


def write() -> None:
    """Write the configuration's schema and all made parts of the pages anew."""
    models.SCHEMA.write_text(models.schema_text(), encoding="utf-8")
    for path in PAGES:
        path.write_text(with_parts(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_parts(page: str) -> str:
    """Return the page with its parts made anew."""

    def made(found: re.Match[str]) -> str:
        begin, kind, names, end = found.groups()
        return f"{begin}\n{MAKERS[kind](*names.split()).rstrip()}\n\n{end}"

    return _MARKED.sub(made, page)


def parts_of(page: str) -> list[tuple[str, str]]:
    """Return the kinds and names of a page's parts, in its order."""
    return [(found[2], found[3]) for found in _MARKED.finditer(page)]
