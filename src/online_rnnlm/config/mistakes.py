"""The line that says what is wrong with a value that a user wrote, and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from online_rnnlm.errors import suggestion

LONGEST_NAME = 100
"""Number of letters that the name of an experiment or a corpus has at most."""
NAME = r"^[a-z0-9][a-z0-9_.]*(-[a-z0-9_.]+)*$"
SHA256 = r"^[0-9a-f]{64}$"
FILE_NAME = r"^[\w][\w.+-]*$"
NETWORK_NAME = r"^[1-9]\d{0,4}/[1-9]\d{0,4}$"
IN_WORDS = {
    NAME: f"up to {LONGEST_NAME} lower-case letters, digits, `_`, `.`, single `-`",
    SHA256: "64 hexadecimal digits",
    FILE_NAME: "name of a file, without a folder",
    NETWORK_NAME: "a network with a vector, such as `100/20`",
}
"""The patterns that some texts must have, in words for messages and documents."""
_LONGEST_SHOWN = 60
"""Number of letters of a value, or of a key, that a message shows."""
_MOST_TOLD = 5
"""Number of mistakes that a line tells."""


def first_message(error: ValidationError) -> str:
    """Return the first of pydantic's errors as "`key`: what is wrong", in one line."""
    return _message(error.errors()[0])[1]


def all_messages(error: ValidationError, written: Any) -> str:
    """Return what is wrong with each key of the values that a user wrote, in one line."""
    by_key: dict[str, str] = {}
    for one in error.errors():  # a value that may be of several types has an error for each
        by_key.setdefault(*_message(one, written))
    told, more = [*by_key.values()][:_MOST_TOLD], len(by_key) - _MOST_TOLD
    return "; ".join([*told, f"and {more} more"] if more > 0 else told)


def _message(first: ErrorDetails, written: Any = None) -> tuple[str, str]:
    """Return the key of one of pydantic's errors, and "`key`: what is wrong".

    With the values that a user wrote, the key is as in the file. The wrong value is added to
    messages of pydantic; our own messages name it themselves where that helps.
    """
    place = list(first["loc"])
    if written is not None:
        place = _keys_of(place, written, is_missing=first["type"] == "missing")
    said = first["msg"].removeprefix("Value error, ")
    match first["type"]:
        case "model_type" | "model_attributes_type" | "dict_type":
            said = "a mapping of keys to values is needed"
        case "string_type":
            said = "text is needed, in quotes"
        case "union_tag_not_found":
            said = f"{first['ctx']['discriminator']} is required"
        case "union_tag_invalid":
            place.append(first["ctx"]["discriminator"].strip("'"))
            said = f"allowed: {first['ctx']['expected_tags']}, not {first['ctx']['tag']!r}"
        case "string_pattern_mismatch" if first["ctx"]["pattern"] in IN_WORDS:
            said = f"allowed: {IN_WORDS[first['ctx']['pattern']]}"
    if first["type"] not in ("missing", "value_error"):
        given = shown(first["input"])
        if given and "@" not in given and "://" not in given:  # it may hold a password
            said = f"{said}, not {given}"
    names = (f"[{key}]" if isinstance(key, int) else f".{_in_short(key)}" for key in place)
    key = "".join(names).removeprefix(".")
    return key, f"`{key}`: {said}" if key else said


def _keys_of(place: list[int | str], written: Any, *, is_missing: bool) -> list[int | str]:
    """Return those parts of pydantic's place of an error that are keys or indices in a file.

    The others are types that a value may have, and indices of single values that are read as lists
    of one. If a key is missing, it is the last part.
    """
    keys = []
    for part in place:
        is_key = isinstance(written, Mapping) and part in written
        if is_key or (isinstance(written, list) and isinstance(part, int)):
            keys.append(part)
            written = written[part]
    return [*keys, place[-1]] if is_missing else keys


def shown(value: object) -> str:
    """Return a single value as it is written in YAML, in short; nothing for a list or mapping."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (str, int, float, date)):
        return _in_short(repr(value) if isinstance(value, str) else str(value))
    return ""


def _in_short(text: str) -> str:
    """Return a text without line breaks and, if it is long, only its beginning."""
    line = text if text.isprintable() else repr(text)
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}…"


def refuse_unknown_keys(keys: Iterable[object], allowed: Iterable[str]) -> None:
    """Raise ValueError for the first key that is not allowed, and name the nearest allowed one."""
    known = sorted(allowed)
    for key in keys:
        if key not in known:
            unknown = _in_short(str(key))
            near = suggestion(str(key), known)
            raise ValueError(f"unknown key `{unknown}`; {near}allowed: {', '.join(known)}")
