"""The base of all settings, and the kinds of numbers, names, paths and lists that they have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from online_rnnlm.config.mistakes import LONGEST_NAME, NAME, refuse_unknown_keys, shown

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
"""Marks a number; it stands last, so that the bounds before it are a part of the schema.

pydantic's strict numbers would do the same, but refuse `"2"`, too: all values behind Snakemake's
`--config` are text."""
PositiveInt = Annotated[int, Field(ge=1, le=MOST), NOT_BOOLEAN]
PositiveSize = Annotated[int, Field(ge=1, le=LARGEST_SIZE), NOT_BOOLEAN]
Size = Annotated[int, Field(ge=0, le=LARGEST_SIZE), NOT_BOOLEAN]
Seed = Annotated[int, Field(ge=0), NOT_BOOLEAN]
PositiveFloat = Annotated[float, Field(gt=0), NOT_BOOLEAN]
Share = Annotated[float, Field(gt=0, lt=1), NOT_BOOLEAN]
PositiveShare = Annotated[float, Field(gt=0, le=1), NOT_BOOLEAN]
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
"""The path of a file or folder, which need not be there; `~` is the user's home folder."""


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
Seeds = Annotated[list[Seed], Field(min_length=1), Distinct]
"""The seeds of a network's runs."""


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
    """A part of the configuration.

    pydantic refuses an unknown key without naming those that are known; this names the nearest.
    """

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            refuse_unknown_keys(values, cls.model_fields)
        return values
