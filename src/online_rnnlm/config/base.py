"""The base of all settings, and the kinds of numbers and names that they are made of."""

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
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from online_rnnlm.config.messages import (
    LONGEST_NAME,
    NAME,
    WrongValue,
    distinct,
    first_wrong_value,
    refuse_unknown_keys,
)

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


def _refuse_no_path(value: Any) -> Any:
    if value == "":
        raise ValueError("a path is needed")
    if isinstance(value, str) and "://" in value:
        raise ValueError("this is an address: a file at an address belongs to `url`")
    return value


def _as_path(path: Path) -> Path:
    """Return a path with the user's home folder for `~`, as in a shell."""
    if not {"\0", "\n", "\r"}.isdisjoint(str(path)):
        raise ValueError("a path has no NUL byte and no line end")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{path.parts[0]}: no such user") from None


FilePath = Annotated[Path, BeforeValidator(_refuse_no_path), AfterValidator(_as_path)]
"""The path of a file or folder; `~` is the user's home folder."""


def as_list(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a list; a single value is a list, too."""
    if isinstance(value, list):
        return validate(value)
    try:
        return validate([value])
    except ValidationError as error:
        raise WrongValue((), str(first_wrong_value(error))) from None


FilePaths = Annotated[
    list[FilePath],
    Field(min_length=1),
    WrapValidator(as_list, json_schema_input_type=Path | list[Path]),
]
"""The path of a file, or several."""


Distinct = AfterValidator(distinct)
"""Marks a list in which no value may stand twice."""


class Settings(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(
        defer_build=True,
        use_attribute_docstrings=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _has_known_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            refuse_unknown_keys(values, cls.model_fields)
        return values
