"""Digests of the package's code, which are a part of the names of what the code makes."""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_OF_TESTING = ("config/engines.py", "config/evaluations.py")
"""The code of settings that says in which ways a network is tested, and by which engine."""
CODE: Mapping[str, tuple[str, ...]] = {
    "core": ("core",),
    "corpora": (
        "corpora/corpus.py",
        "corpora/dump.py",
        "corpora/encoding.py",
        "corpora/nltk_parts.py",
        "corpora/sentences.py",
        "corpora/sources",
        "corpora/splitting.py",
        "corpora/stages.py",
        "corpora/textfiles.py",
        "corpora/tokenisation.py",
        "corpora/vocabulary.py",
    ),
    "evaluations": (
        *_OF_TESTING,
        "jobs/cost.py",
        "jobs/evaluation_files.py",
        "jobs/network.py",
        "jobs/timing.py",
        "jobs/ways.py",
        "rivals",
    ),
    "audits": (
        *_OF_TESTING,
        "auditing",
        "use/model_file.py",
        "use/network.py",
        "use/options.py",
        "use/places.py",
        "use/scoring.py",
        "use/text.py",
    ),
    "report": ("analysis", "config", "corpora", "jobs", "storage", "use"),
}
"""The folders and files of this package that decide something, by what they decide: a weight or a
log-probability (`core`), the arrays of a corpus, and the evaluations, audits and tables beside
these. Tables decide all that is made after them."""


def code_digest(what: str) -> str:
    """Return the digest of the code, as it is on disk now, that decides something: see `CODE`."""
    return digest_of_package(Path(__file__).parents[1], *CODE[what])


def digest_of_package(package: Path, *parts: str) -> str:
    """Return the sha256, as hexadecimal digits, of some folders and files of a package.

    Comments, docstrings and blank lines of a Python file do not count. The digest is the same for
    every version of Python.
    """
    digest = hashlib.sha256()
    for part in sorted(parts):
        path = package / part
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                content = file.read_bytes()
                if file.suffix == ".py":
                    content = _code_in(content.decode()).encode()
                digest.update(f"{file.relative_to(package)} {len(content)} ".encode() + content)
    return digest.hexdigest()


@cache
def _code_in(source: str) -> str:
    """Return the lines of a Python file without comments, docstrings and blank lines of code."""
    lines = source.split("\n")
    strings: list[tokenize.TokenInfo] | None = []  # of a statement that has nothing else so far
    whole: set[int] = set()  # numbers of lines that end within a string
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if tokenize.tok_name[token.type] in ("STRING", "FSTRING_MIDDLE"):
            whole.update(range(token.start[0], token.end[0]))
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
        elif token.type == tokenize.NEWLINE:  # a statement ends
            for string in strings or ():
                for number in range(string.start[0], string.end[0] + 1):
                    lines[number - 1] = ""
                    whole.discard(number)
            strings = []
        elif token.type == tokenize.STRING and strings is not None:
            strings.append(token)
        elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            strings = None
    return "\n".join(
        line if number in whole else line.rstrip()
        for number, line in enumerate(lines, 1)
        if number in whole or line.strip()
    )
