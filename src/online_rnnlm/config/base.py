"""The base of all settings, the kinds of numbers, names and paths that they are made of, and the
line that says what is wrong with a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from online_rnnlm.errors import suggestion

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
_LONGEST_SHOWN = 60
"""Number of letters of a value, or of a key, that a message shows."""


def first_message(error: ValidationError, written: Any = None) -> str:
    """Return the first of pydantic's errors as "`key`: what is wrong", in one line.

    `written` are the values that a user wrote: with them, the key is as in the file. The wrong
    value is added to messages of pydantic; our own messages name it themselves where that helps.
    """
    first = error.errors()[0]
    place = list(first["loc"])
    if written is not None:
        place = _keys_of(place, written, is_missing=first["type"] == "missing")
    said = first["msg"].removeprefix("Value error, ")
    match first["type"]:
        case "model_type" | "model_attributes_type" | "dict_type":
            said = "a mapping of keys to values is needed"
        case "string_type":
            said = "text is needed, in quotes"
        case "path_type":
            said = "a path is needed"
        case "union_tag_not_found":
            said = f"{first['ctx']['discriminator']} is required"
        case "string_pattern_mismatch" if first["ctx"]["pattern"] in IN_WORDS:
            said = f"allowed: {IN_WORDS[first['ctx']['pattern']]}"
    if first["type"] not in ("missing", "value_error"):
        given = shown(first["input"])
        if given and "@" not in given and "://" not in given:  # it may hold a password
            said = f"{said}, not {given}"
    names = (f"[{key}]" if isinstance(key, int) else f".{_in_short(key)}" for key in place)
    key = "".join(names).removeprefix(".")
    return f"`{key}`: {said}" if key else said


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


MOST = 10**9
"""The largest number of sentences, words or epochs."""
LARGEST_SIZE = 100_000
"""The largest number of units: so many need 40 GB for the recurrent weights alone, and ten times
that in training."""


def _refuse_boolean(value: Any) -> Any:
    """Refuse `true` and `false`, which Python would take for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(f"a number is needed, not {str(value).lower()}")
    return value


Name = Annotated[str, Field(pattern=NAME, max_length=LONGEST_NAME)]
NOT_BOOLEAN = BeforeValidator(_refuse_boolean)
"""Marks a number; it stands last, so that the bounds before it are a part of the schema."""
PositiveInt = Annotated[int, Field(ge=1, le=MOST), NOT_BOOLEAN]
PositiveSize = Annotated[int, Field(ge=1, le=LARGEST_SIZE), NOT_BOOLEAN]
Size = Annotated[int, Field(ge=0, le=LARGEST_SIZE), NOT_BOOLEAN]
Seed = Annotated[int, Field(ge=0), NOT_BOOLEAN]
PositiveFloat = Annotated[float, Field(gt=0), NOT_BOOLEAN]
Share = Annotated[float, Field(gt=0, lt=1), NOT_BOOLEAN]
Fraction = Annotated[float, Field(ge=0, lt=1), NOT_BOOLEAN]
NonNegativeFloat = Annotated[float, Field(ge=0), NOT_BOOLEAN]
AtLeastOne = Annotated[float, Field(ge=1), NOT_BOOLEAN]
AboveOne = Annotated[float, Field(gt=1), NOT_BOOLEAN]


def _as_path(value: Any) -> Any:
    """Return a path with the user's home folder for `~`, as in a shell; refuse what is no path."""
    if not isinstance(value, str):
        return value  # a `Path`, or what pydantic refuses
    if value == "":
        raise ValueError("a path is needed")
    if "://" in value:
        raise ValueError("this is an address: a file at an address belongs to `url`")
    if not {"\0", "\n", "\r"}.isdisjoint(value):
        raise ValueError("a path has no NUL byte and no line end")
    path = Path(value)
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{path.parts[0]}: no such user") from None


FilePath = Annotated[Path, BeforeValidator(_as_path)]
"""The path of a file or folder; `~` is the user's home folder."""


def as_list(value: Any) -> Any:
    """Return a list as it is, and a single value as a list of one."""
    return value if isinstance(value, list) else [value]


FilePaths = Annotated[
    list[FilePath],
    Field(min_length=1),
    BeforeValidator(as_list, json_schema_input_type=Path | list[Path]),
]
"""The path of a file, or several."""


def _refuse_repetition(values: list[Any]) -> list[Any]:
    """Return a list; raises ValueError for the first value that stands in it for a second time."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{shown(value)} is in the list already")
    return values


Distinct = AfterValidator(_refuse_repetition)
"""Marks a list in which no value may stand twice."""


class Checked(BaseModel):
    """Values of known types: unknown keys are refused, values never change."""

    model_config = ConfigDict(
        defer_build=True,
        use_attribute_docstrings=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
    )


class Settings(Checked):
    """A part of the configuration; a key that is unknown is told with the nearest known one."""

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            refuse_unknown_keys(values, cls.model_fields)
        return values
