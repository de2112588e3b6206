"""Messages of one line for values that are refused: the key as the user wrote it, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from pydantic import ValidationError

from online_rnnlm.errors import suggestion

Place = tuple[int | str, ...]
"""Keys and indices that lead to a value."""
LONGEST_NAME = 100
"""Number of letters that the name of an experiment or a corpus has at most."""
NAME = r"^[a-z0-9][a-z0-9_.]*(-[a-z0-9_.]+)*$"
SHA256 = r"^[0-9a-f]{64}$"
FILE_NAME = r"^[\w][\w.+-]*$"
NETWORK = r"^[1-9]\d{0,4}/[1-9]\d{0,4}$"
IN_WORDS = {
    NAME: f"up to {LONGEST_NAME} lower-case letters, digits, `_`, `.`, single `-`",
    SHA256: "64 hexadecimal digits",
    FILE_NAME: "name of a file, without a folder",
    NETWORK: "a network with a vector, such as `100/20`",
}
"""The patterns that some texts must have, in words for messages and documents."""
_LONGEST = 60
"""Number of letters of a value, or of a key, that a message shows."""
_MAPPING = "a mapping of keys to values is needed"
_TEXTS = {
    "missing": "is required",
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "list_type": "a list is needed",
    "path_type": "a path is needed",
    "string_type": "text is needed, in quotes",
}
"""Our words for errors of pydantic, by type; for other types its own are used."""


class WrongValue(ValueError):
    """A value that is wrong, at a place below the part of the configuration being checked."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def first_message(error: ValidationError) -> str:
    """Return the first of pydantic's errors as "`key`: what is wrong"."""
    wrong = first_wrong_value(error)
    key = key_of(wrong.place)
    return f"`{key}`: {wrong}" if key else str(wrong)


def first_wrong_value(error: ValidationError) -> WrongValue:
    """Return the first of pydantic's errors as a WrongValue."""
    first = error.errors()[0]
    place = first["loc"]
    kind = first["type"]
    context = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, WrongValue):
        return WrongValue((*place, *cause.place), str(cause))
    text = _TEXTS.get(kind, first["msg"].removeprefix("Value error, "))
    if kind.startswith("union_tag"):
        place = (*place, context["discriminator"].strip("'"))
        tag = context.get("tag")
        unknown = f"'{tag}' is unknown; allowed: {context.get('expected_tags')}"
        text = "is required" if tag is None else unknown
    if kind in ("less_than_equal", "greater_than_equal"):
        most_or_least = context.get("le", context.get("ge"))
        text = f"{text.rpartition(' ')[0]} {most_or_least:g}"
    if kind == "string_pattern_mismatch" and context["pattern"] in IN_WORDS:
        text = f"allowed: {IN_WORDS[context['pattern']]}"
    given = "" if kind == "missing" else _written(first["input"])
    is_shown = given and "@" not in given and "://" not in given  # it may hold a password
    return WrongValue(place, f"{text}, not {given}" if is_shown else text)


def key_of(place: Place) -> str:
    """Return the name of a place, such as `search.learning_rate[1]`; indices begin at 0.

    Pydantic puts the source's kind after `source`, where users write no key: it is dropped.
    """
    if place[:1] == ("corpora",) and place[2:3] == ("source",) and place[3:4] != ("kind",):
        place = (*place[:3], *place[4:])
    parts = [part for part in place if part != "[key]"]
    names = (f"[{part}]" if isinstance(part, int) else f".{_readable(part)}" for part in parts)
    return "".join(names).removeprefix(".")


def refuse_unknown_keys(keys: Iterable[object], allowed: Iterable[str]) -> None:
    """Raise WrongValue for the first key that is not allowed, and name the nearest allowed one."""
    known = sorted(allowed)
    for key in keys:
        if key not in known:
            meant = suggestion(str(key), known)
            message = f"unknown key; {meant}allowed: {', '.join(known)}"
            raise WrongValue((str(key),), message)


def distinct(values: list[Any]) -> list[Any]:
    """Return a list; raises WrongValue for the first value that stands in it for a second time."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise WrongValue((index,), f"{_written(value)} is in the list already")
    return values


def _written(value: object) -> str:
    """Return a single value as it is written in YAML; nothing for a list or a mapping."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _readable(repr(value))
    return _readable(str(value)) if isinstance(value, (int, float, date)) else ""


def _readable(text: str) -> str:
    """Return a text without line breaks and, if it is long, only its beginning."""
    line = text if text.isprintable() else repr(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
