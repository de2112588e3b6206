"""The parts of pages that are made from the code and from the evidence.

What is between `<!-- KIND NAME -->` and `<!-- end -->` is made anew, in lines of its own or as a
value within a sentence. `docs/generate/evidence.py` says how the parts of the evidence are named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from docs.generate import evidence, interfaces, models
from online_rnnlm.errors import UserError

DOCS = Path("docs")
PAGES = (
    Path("README.md"),
    Path("config/README.md"),
    DOCS / "command-line.md",
    DOCS / "data-formats.md",
    DOCS / "evidence.md",
    DOCS / "penn-treebank.md",
    DOCS / "python.md",
    DOCS / "tutorial.md",
    DOCS / "whole-articles.md",
)
"""The pages with such parts; all else in them is written by hand."""
Made = TypeVar("Made")
_MARKED = re.compile(
    r"<!-- (?P<kind>\w+) (?P<name>[^\n]+?) -->(?P<made>.*?)<!-- end -->", re.DOTALL
)


@cache
def makers() -> Mapping[str, Mapping[str, Callable[[], str]]]:
    """The functions that make the parts, by kind and name."""
    return {
        "settings": models.settings(),
        "record": models.records(),
        "files": interfaces.files(),
        "verbs": interfaces.verbs(),
        "python": interfaces.public(),
        "options": interfaces.options(),
        "evidence": evidence.parts(),
    }


def write() -> None:
    """Write the configuration's schema and all made parts of the pages anew."""
    models.SCHEMA.write_text(models.schema_text(), encoding="utf-8")
    for path in PAGES:
        path.write_text(with_parts(path), encoding="utf-8")


def with_parts(path: Path) -> str:
    """Return a page with its parts made anew; raises UserError for a part that does not exist."""
    page = path.read_text(encoding="utf-8")

    def part(found: re.Match[str]) -> str:
        line = page.count("\n", 0, found.start()) + 1
        where = f"{path}:{line}"
        of_kind = _named(found["kind"], makers(), where)
        made = _named(found["name"], of_kind, where)().rstrip()
        lines = f"\n\n{made}\n\n" if found["made"].startswith("\n") else made
        return f"<!-- {found['kind']} {found['name']} -->{lines}<!-- end -->"

    return _MARKED.sub(part, page)


def _named(name: str, there: Mapping[str, Made], where: str) -> Made:
    """Return what a mark names; raises UserError, with what is allowed, if it is not there."""
    if name not in there:
        raise UserError(f"{where}: no `{name}`; allowed: {', '.join(sorted(there))}")
    return there[name]


def parts_of(path: Path) -> list[tuple[str, str]]:
    """Return the kinds and names of a page's parts, in its order."""
    page = path.read_text(encoding="utf-8")
    return [(found["kind"], found["name"]) for found in _MARKED.finditer(page)]
