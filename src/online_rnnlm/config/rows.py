"""The settings of training as a user writes them in `training`, `search` and `rows`.

Each is a mapping of settings of `RunSettings`, by name:

    training: {max_epochs: 8}
    rows:
      - {hidden_size: [100/20, 135], search: {learning_rate: [0.2, 0.3]}}

Each value is checked as that field of `RunSettings`; in a row or a search, a list of such values is
allowed, too. A mapping stays a dict of the keys that are written, in their order, here
`{"hidden_size": ["100/20", 135], "search": [{"learning_rate": [0.2, 0.3]}]}`. `planned_rows` makes
the runs of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)

from online_rnnlm.config.base import (
    Distinct,
    Name,
    PositiveSize,
    Settings,
    as_list,
)
from online_rnnlm.config.mistakes import IN_WORDS, NETWORK_NAME, shown
from online_rnnlm.config.runs import TOLD
from online_rnnlm.config.training import RunSettings

ROW_KEYS = ("hidden_size", "context_size", "document_size", *TOLD)
"""Settings that a network's name tells, and that so tell rows apart."""
_HARDWARE_KEYS = ("device", "engine", "precision")
"""Settings that decide the hardware that a run requires, which is known before the search ends."""
RUN_KEYS = tuple(key for key in RunSettings.model_fields if key not in ("corpus", "seed"))
"""Settings that a row can have; an experiment gives the others."""


def _check_size(value: Any, check: ValidatorFunctionWrapHandler) -> int | str:
    """Return a network such as `100/20` as it is, and any other value as a number of units."""
    if not isinstance(value, str) or value.isdecimal():
        number: int = check(value)
        return number
    if not re.fullmatch(NETWORK_NAME, value):
        raise ValueError(f"allowed: a number, or {IN_WORDS[NETWORK_NAME]}, not {shown(value)}")
    return value


_HiddenSize = Annotated[
    PositiveSize,
    WrapValidator(
        _check_size,
        json_schema_input_type=PositiveSize | Annotated[str, Field(pattern=NETWORK_NAME)],
    ),
]
_HIDDEN_SIZE = """Number of hidden units, M; or a network with a vector, such as `100/20`: the
smallest number with which a static network of the same hidden layer has at least as many
parameters."""


def _or_list_of(kind: Any) -> Any:
    """Return the type of a value of a kind, or of a list of such values.

    The value says which of the two it is checked as: else pydantic would report an error for both.
    """
    which = Discriminator(lambda value: "list" if isinstance(value, list) else "single")
    several = Annotated[list[kind], Field(min_length=1), Distinct, Tag("list")]
    return Annotated[Annotated[kind, Tag("single")] | several, which]


def _fields(*, lists: bool) -> dict[str, Any]:
    """Return the type of each setting of training, with its default and its description.

    With `lists`, a list of values is allowed, too. The schema then shows no default: where a row or
    a search says nothing, `training` decides.
    """
    hide_default: Any = (lambda schema: schema.pop("default")) if lists else None
    fields = {}
    for key in RUN_KEYS:
        field = RunSettings.model_fields[key]
        is_size = key == "hidden_size"
        kind: Any = _HiddenSize if is_size else field.rebuild_annotation()
        found = Field(
            field.default,
            description=_HIDDEN_SIZE if is_size else field.description,
            json_schema_extra=hide_default,
        )
        fields[key] = (_or_list_of(kind) if lists else kind, found)
    return fields


def _some_of(name: str, docstring: str, fields: dict[str, Any]) -> BeforeValidator:
    """Mark a mapping of keys to values that has some of these fields.

    It becomes a dict of the keys that are written, without the defaults of the others. Their order
    is kept: it is that of the rows that lists make, and of what a search tries.
    """
    kind = create_model(name, __base__=Settings, __doc__=docstring, **fields)

    def check(written: Any) -> dict[str, Any]:
        checked = kind.model_validate(written)
        return {key: getattr(checked, key) for key in written}

    return BeforeValidator(check, json_schema_input_type=kind)


def searched_in(search: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the settings of a search that have a list of values to try."""
    return {key: value for key, value in search.items() if isinstance(value, list)}


def _check_search(search: dict[str, Any]) -> dict[str, Any]:
    """Return a search; raises ValueError if it tries nothing, or what a search cannot choose."""
    if search and not searched_in(search):
        raise ValueError("searches nothing: give a list of values to one setting at least")
    for key in search:
        if key in _HARDWARE_KEYS:
            raise ValueError(
                f"`{key}` decides what hardware a run requires: give it to `training`, or to a row"
            )
        if key in ROW_KEYS:
            raise ValueError(f"`{key}` tells rows apart: give it to `rows`, as a list")
    return search


TrainingSettings = Annotated[
    dict[str, Any],
    _some_of(
        "TrainingSettings", "Settings of training, each with one value.", _fields(lists=False)
    ),
]
_Search = Annotated[
    dict[str, Any],
    AfterValidator(_check_search),
    _some_of(
        "Search",
        "Settings of training: those with a list of values are searched, with one value at least; "
        "the others are those of the search's runs alone.",
        _fields(lists=True),
    ),
]
Searches = Annotated[
    list[_Search],
    BeforeValidator(
        lambda value: [] if value == {} else as_list(value),
        json_schema_input_type=_Search | list[_Search],
    ),
]
RowSettings = Annotated[
    dict[str, Any],
    _some_of(
        "RowSettings",
        "Settings of training, each with a value or with a list of values: every combination of "
        "the lists is a row.",
        {
            "search": (
                Searches | None,
                Field(None, description="The row's own search; `null` is that of the experiment."),
            ),
            "corpora": (
                Annotated[list[Name], Field(min_length=1), Distinct] | None,
                Field(
                    None,
                    description="The corpora that the row is trained on; `null` is all of them.",
                ),
            ),
            **_fields(lists=True),
        },
    ),
]


@dataclass(frozen=True)
class Row:
    """An entry of `rows`, as it is read."""

    settings: Mapping[str, Any]
    """The settings of training that it gives, each with a value or with a list of values."""
    corpora: Sequence[str] | None
    """The corpora that it is trained on; None for all of them."""
    search: Searches | None
    """Its own search; None for that of the experiment."""

    @classmethod
    def of(cls, written: RowSettings) -> Row:
        """Return the entry that a configuration has."""
        settings = {key: value for key, value in written.items() if key in RUN_KEYS}
        return cls(settings, written.get("corpora"), written.get("search"))
