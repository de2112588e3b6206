"""The parts of pages that are made from the code and from the evidence.

What is between `<!-- KIND NAME -->` and `<!-- end -->` is made anew, in lines of its own or as a
value within a sentence. `docs/generate/evidence.py` says how the parts of the evidence are named.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from docs.generate import evidence, models
from online_rnnlm.commands._main import VERBS, overview, parser_of
from online_rnnlm.commands._stages import STAGES

PAGES = (
    Path("README.md"),
    Path("config/README.md"),
    Path("docs/command-line.md"),
    Path("docs/evidence.md"),
    Path("docs/index.md"),
    Path("docs/penn-treebank.md"),
    Path("docs/tutorial.md"),
    Path("docs/vector-alone.md"),
    Path("docs/whole-articles.md"),
)
"""The pages with such parts; all else in them is written by hand."""
_MARKED = re.compile(r"<!-- (?P<name>\w+ [^\n]+?) -->(?P<made>.*?)<!-- end -->", re.DOTALL)


@cache
def makers() -> Mapping[str, Callable[[], str]]:
    """The functions that make the parts, by kind and name, such as `settings Experiment`."""
    of_code = {
        **{f"settings {name}": make for name, make in models.settings().items()},
        "help overview": lambda: _code(overview()),
        "help verbs": _help_of_verbs,
    }
    return of_code | {f"evidence {name}": make for name, make in evidence.parts().items()}


def _help_of_verbs() -> str:
    """Return what `--help` prints of each verb that people give."""
    sections = []
    for name in sorted({*VERBS} - {*STAGES}):
        parser = parser_of(name)
        parser.formatter_class = partial(argparse.RawDescriptionHelpFormatter, width=100)
        sections.append(f"### {name}\n\n{_code(parser.format_help())}")
    return "\n".join(sections)


def _code(text: str) -> str:
    """Return a text as a block of code."""
    return f"```text\n{text.rstrip()}\n```\n"


def write() -> None:
    """Write the configuration's schema and all made parts of the pages anew."""
    models.SCHEMA.write_text(models.schema_text(), encoding="utf-8")
    for path in PAGES:
        path.write_text(with_parts(path), encoding="utf-8")


def with_parts(path: Path) -> str:
    """Return a page with its parts made anew."""

    def part(found: re.Match[str]) -> str:
        made = makers()[found["name"]]().rstrip()
        lines = f"\n\n{made}\n\n" if found["made"].startswith("\n") else made
        return f"<!-- {found['name']} -->{lines}<!-- end -->"

    return _MARKED.sub(part, path.read_text(encoding="utf-8"))
