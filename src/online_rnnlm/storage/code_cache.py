"""The digests of code that were found before, in a file for each state of the package's sources.

To find a digest takes some tenths of a second, and each process of an experiment needs some. The
file is in `~/.cache/online-rnnlm/code`, or under `XDG_CACHE_HOME`. Each of its lines is a question,
the digest that answers it, and a checksum of both; a line that is damaged is as good as none.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from online_rnnlm.storage.user_cache import user_cache


def remembered(question: str, package: Path, find: Callable[[], str]) -> str:
    """Return the answer that `find` gives, or gave in an earlier process with the same sources.

    `question` must say all that the answer depends on besides the sources in the folder `package`
    and the version of Python. If the file cannot be read or written, nothing is remembered.
    """
    key = _digest(question)
    file = _file(package)
    known = _known(file)
    if key not in known:
        known[key] = find()
        if _state(package) == file.name:  # nobody has edited the sources meanwhile
            _note(file, _line(key, known[key]))
    return known[key]


@cache
def _file(package: Path) -> Path:
    """The file for the state in which the sources were at the first call."""
    return user_cache() / "code" / _state(package)


def _state(package: Path) -> str:
    """Return a digest of the present sources and of the version of Python."""
    sources = sorted(package.rglob("*.py"))
    contents = [f"{file.relative_to(package)} {_digest(file.read_bytes())}" for file in sources]
    return _digest("\n".join([sys.version, *contents]))


def _note(file: Path, line: str) -> None:
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="ascii") as lines:
            lines.write(line)


@cache
def _known(file: Path) -> dict[str, str]:
    """The digests in a file, by question; none if it cannot be read."""
    found = {}
    with suppress(OSError, UnicodeDecodeError):
        for line in file.read_text(encoding="ascii").splitlines(keepends=True):
            key, _, answer = line.partition(" ")
            answer = answer.partition(" ")[0]
            if line == _line(key, answer):
                found[key] = answer
    return found


def _line(key: str, answer: str) -> str:
    return f"{key} {answer} {_digest(f'{key} {answer}')}\n"


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()
