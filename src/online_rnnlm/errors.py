"""Errors that a user can correct: they are shown as one line, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """An error that the user can correct: a wrong setting, file or environment.

    Its message says what is wrong, where it is wrong, and what is allowed.
    """

    status = 1
    """The exit status of a verb that ends with this error."""


class WrongInputError(UserError):
    """A file or an argument that a verb was given and cannot use."""

    status = 2


@contextmanager
def as_wrong_input(where: str = "") -> Iterator[None]:
    """Turn a UserError of the block into a WrongInputError; `where`, if given, stands before it."""
    try:
        yield
    except UserError as error:
        raise WrongInputError(f"{where}: {error}" if where else str(error)) from None


ERROR_MARK = "online-rnnlm: error: "
"""Beginning of the line of every such error, on the terminal and in a job's log."""
