"""The base of all settings: the kinds of numbers and names that they are made of, and the messages
for values that are refused: one line with the key as the user wrote it, and why."""

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
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

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
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "allowed: whole numbers"),
    **dict.fromkeys(("float_type", "float_parsing"), "allowed: numbers"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "allowed: `true` and `false`"),
}
"""Our words for errors of pydantic, by type; for other types its own are used."""
_BOUNDS = {
    "greater_than_equal": ("ge", "from"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "up to"),
    "less_than": ("lt", "below"),
}
"""The errors of pydantic for a number out of bounds: the bound's key, and the words before it."""


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
    said = first["msg"].removeprefix("Value error, ").replace("Input should be", "allowed:", 1)
    text = _TEXTS.get(kind, said)
    if kind.startswith("union_tag"):
        place = (*place, context["discriminator"].strip("'"))
        tag = context.get("tag")
        unknown = f"'{tag}' is unknown; allowed: {context.get('expected_tags')}"
        text = "is required" if tag is None else unknown
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        text = f"allowed: numbers {words} {context[key]:g}"
    if kind == "string_pattern_mismatch" and context["pattern"] in IN_WORDS:
        text = f"allowed: {IN_WORDS[context['pattern']]}"
    given = "" if kind == "missing" else _written(first["input"])
    is_shown = given and "@" not in given and "://" not in given  # it may hold a password
    return WrongValue(place, f"{text}, not {given}" if is_shown else text)


def key_of(place: Place) -> str:
    """Return the name of a place, such as `search.learning_rate[1]`; indices begin at 0."""
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


MOST = 10**9
"""The largest number of sentences, words or epochs."""
LARGEST_SIZE = 100_000
"""The recurrent weights of a network of that size need 40 GB, and their training ten times more."""
_SMALLEST_RATE = 1e-30
"""A smaller learning rate is 0 in single precision."""
_LARGEST_FLOAT = 1e30
"""Calculations with larger numbers soon overflow in single precision."""


def _refuse_boolean(value: Any) -> Any:
    """Refuse `true` and `false`, numpy's too, which Python would take for 1 and 0."""
    if type(value).__name__ in ("bool", "bool_"):  # numpy may not be there
        raise ValueError("a number is needed")
    return value


Name = Annotated[str, Field(pattern=NAME, max_length=LONGEST_NAME)]


NOT_BOOLEAN = BeforeValidator(_refuse_boolean)
"""Marks a number; it stands last, so that the bounds before it are a part of the schema."""


PositiveInt = Annotated[int, Field(ge=1, le=MOST), NOT_BOOLEAN]
PositiveSize = Annotated[int, Field(ge=1, le=LARGEST_SIZE), NOT_BOOLEAN]
Size = Annotated[int, Field(ge=0, le=LARGEST_SIZE), NOT_BOOLEAN]
Seed = Annotated[int, Field(ge=0), NOT_BOOLEAN]
PositiveFloat = Annotated[float, Field(gt=0, le=_LARGEST_FLOAT), NOT_BOOLEAN]
Rate = Annotated[float, Field(ge=_SMALLEST_RATE, le=_LARGEST_FLOAT), NOT_BOOLEAN]
Share = Annotated[float, Field(gt=0, lt=1), NOT_BOOLEAN]
Fraction = Annotated[float, Field(ge=0, lt=1), NOT_BOOLEAN]
NonNegativeFloat = Annotated[float, Field(ge=0, le=_LARGEST_FLOAT), NOT_BOOLEAN]
AtLeastOne = Annotated[float, Field(ge=1, le=_LARGEST_FLOAT), NOT_BOOLEAN]
AboveOne = Annotated[float, Field(gt=1, le=_LARGEST_FLOAT), NOT_BOOLEAN]


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


def as_list(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a list; a single value is a list, too."""
    if isinstance(value, list):
        return validate(value)
    try:
        return validate([value])
    except ValidationError as error:
        wrong = first_wrong_value(error)
        raise WrongValue(wrong.place[1:], str(wrong)) from None  # the user wrote no list


FilePaths = Annotated[
    list[FilePath],
    Field(min_length=1),
    WrapValidator(as_list, json_schema_input_type=Path | list[Path]),
]
"""The path of a file, or several."""


Distinct = AfterValidator(distinct)
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
