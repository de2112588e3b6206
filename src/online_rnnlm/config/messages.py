"""Messages of one line for values that pydantic refuses: the key as the user wrote it, and why."""

from __future__ import annotations

import datetime
import difflib
import json
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from online_rnnlm.config.forms import IN_WORDS

Place = tuple[int | str, ...]
"""Keys and indices that lead to a value."""
_LONGEST = 60
"""Number of letters of a value, or of a key, that a message shows."""
_MAPPING = "a mapping of keys to values is needed"
_TEXTS = {
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "list_type": "a list is needed",
    "path_type": "a path is needed",
}
"""Our words for errors of pydantic, by their types; those of others are understood."""


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
    context = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, WrongValue):
        return WrongValue((*first["loc"], *cause.place), str(cause))
    place, kind = first["loc"], first["type"]
    match kind:
        case "missing":
            return WrongValue(place, "is required")
        case "union_tag_not_found" | "union_tag_invalid":
            tag, allowed = context.get("tag"), context.get("expected_tags")
            message = "is required" if tag is None else f"'{tag}' is unknown; allowed: {allowed}"
            return WrongValue((*place, context["discriminator"].strip("'")), message)
        case "less_than_equal":
            text = f"Input should be less than or equal to {context['le']:g}"
        case "greater_than_equal":
            text = f"Input should be greater than or equal to {context['ge']:g}"
        case "string_pattern_mismatch" if context["pattern"] in IN_WORDS:
            text = f"allowed: {IN_WORDS[context['pattern']]}"
        case "too_short":
            text = f"at least {context['min_length']} value is needed"
        case _:
            text = _TEXTS.get(kind, first["msg"].removeprefix("Value error, "))
    return WrongValue(place, f"{text}{_given(first['input'], kind)}")


def key_of(place: Place) -> str:
    """Return the name of a place, such as `search.learning_rate[1]`; indices begin at 0."""
    parts = [part for part in place if part != "[key]"]
    names = (f"[{part}]" if isinstance(part, int) else f".{_readable(part)}" for part in parts)
    return "".join(names).removeprefix(".")


def refuse_unknown_keys(keys: Iterable[object], allowed: Iterable[str], *place: int | str) -> None:
    """Raise WrongValue for the first key that is not allowed, and name the nearest allowed one."""
    known = sorted(allowed)
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            meant = f"did you mean `{near[0]}`? " if near else ""
            message = f"unknown key; {meant}allowed: {', '.join(known)}"
            raise WrongValue((*place, str(key)), message)


def refuse_equal(values: Sequence[object], *place: int | str) -> None:
    """Raise WrongValue for the first value that stands in the list for the second time."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise WrongValue((*place, index), f"{_written(value)} is in the list already")


def _given(value: object, kind: str) -> str:
    """Return the end of a message: the value, which is left out if it may hold a password."""
    text = _written(value)
    if not text or "@" in text or "://" in text:
        return ""
    of_another_type = kind == "string_type" and not isinstance(value, list)
    return f", not {text}{': write it in quotes' if of_another_type else ''}"


def _written(value: object) -> str:
    """Return a single value, or a list of such, as it is written in YAML; nothing for others."""
    if isinstance(value, list) and all(_is_single(item) for item in value[:_LONGEST]):
        return _readable(f"[{', '.join(map(_written, value[:_LONGEST]))}]")
    if not _is_single(value):
        return ""
    plain = value is None or isinstance(value, bool)
    return _readable(json.dumps(value) if plain else _quoted(value))


def _is_single(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, datetime.date))


def _quoted(value: object) -> str:
    return repr(value) if isinstance(value, (str, float)) else str(value)


def _readable(text: str) -> str:
    """Return a text without line breaks and, if it is long, only its beginning."""
    line = text if text.isprintable() else repr(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
