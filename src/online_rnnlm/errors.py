"""Errors that a user can correct: they are shown as one line, without a traceback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class UserError(Exception):
    """An error that the user can correct: a wrong setting, file or environment.

    Its message says what is wrong, where it is wrong, and what is allowed.
    """

    status = 1
    """The exit status of the command that it ends."""


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Put a place before the message of a UserError of the block."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


@contextmanager
def needing_packages() -> Iterator[None]:
    """Turn the import of a package that is not installed into a UserError that names the extra.

    A module of this package that is not there stays a ModuleNotFoundError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("", "online_rnnlm"):
            raise
        raise UserError(
            f"this needs the Python package `{name}`, which is not installed; install "
            "online-rnnlm with its extra `pipeline`, as in `pip install 'online-rnnlm[pipeline]'`"
        ) from None


def counted(number: float, noun: str) -> str:
    """Return a number of things in words: `1 run`, `2 runs`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Return a question for the nearest allowed name, a space behind it; "" if none is near."""
    for near in get_close_matches(name, list(allowed), 1):
        return f"did you mean `{near}`? "
    return ""


ERROR_MARK = "online-rnnlm: error: "
"""Beginning of the line of every such error, on the terminal and in a job's log."""
