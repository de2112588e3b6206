"""Messages of one line for values that pydantic refuses."""

from __future__ import annotations

from pydantic import ValidationError


def first_message(error: ValidationError, where: str = "") -> str:
    """Return the first of pydantic's errors as "`key`: what is wrong"; `where` prefixes the key."""
    first = error.errors()[0]
    key = ".".join([part for part in [where] if part] + [str(part) for part in first["loc"]])
    text = first["msg"].removeprefix("Value error, ")
    got = "" if isinstance(first["input"], dict) else f", not {first['input']!r}"
    return f"`{key}`: {text}{got}" if key else text
