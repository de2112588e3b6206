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
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
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


def _check_one_or_several(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Return a list with its values checked; check a single value as a list of one."""
    return check(value) if isinstance(value, list) else check([value])[0]


def _or_list_of(kind: Any) -> Any:
    """Return the type of a value of a kind, such as `0.2`, or of a list of some: `[0.2, 0.3]`."""
    several = Annotated[list[kind], Field(min_length=1), Distinct]
    check = WrapValidator(_check_one_or_several, json_schema_input_type=kind | several)
    return Annotated[several, check]


def _settings_of_training(
    name: str, docstring: str, *, lists: bool, others: Mapping[str, Any] | None = None
) -> BeforeValidator:
    """Mark a mapping that has some settings of training and, perhaps, some `others`.

    With `lists`, a list of values is allowed, too. The schema then shows no default: where a row or
    a search says nothing, `training` decides.
    """
    hide_default: Any = (lambda schema: schema.pop("default")) if lists else None
    fields = dict(others or {})
    for key in RUN_KEYS:
        field = RunSettings.model_fields[key]
        is_size = key == "hidden_size"
        # The type with its bounds, such as `PositiveFloat` of `learning_rate`.
        kind: Any = _HiddenSize if is_size else field.rebuild_annotation()
        found = Field(
            field.default,
            description=_HIDDEN_SIZE if is_size else field.description,
            json_schema_extra=hide_default,
        )
        fields[key] = (_or_list_of(kind) if lists else kind, found)
    # The model is the same as that of a class statement with these fields, such as
    # `class Search(Settings): learning_rate: PositiveFloat | … = 0.2`. It takes the module of
    # `Settings`: with Python 3.11, pydantic otherwise reads the lines of this call, in search of
    # docstrings of the fields, and fails.
    module = Settings.__module__
    model = create_model(name, __base__=Settings, __doc__=docstring, __module__=module, **fields)

    def check(written: Any) -> dict[str, Any]:
        """Return the checked values of the keys that are written, without others' defaults.

        `{"max_epochs": "8"}` becomes `{"max_epochs": 8}`. The order is kept: it is that of the rows
        that lists make, and of what a search tries.
        """
        checked = model.model_validate(written)
        return {key: getattr(checked, key) for key in written}

    return BeforeValidator(check, json_schema_input_type=model)


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
    _settings_of_training(
        "TrainingSettings", "Settings of training, each with one value.", lists=False
    ),
]
"""Such as `{"max_epochs": 8}`."""
_Search = Annotated[
    dict[str, Any],
    AfterValidator(_check_search),
    _settings_of_training(
        "Search",
        "Settings of training: those with a list of values are searched, with one value at least; "
        "the others are those of the search's runs alone.",
        lists=True,
    ),
]
"""Such as `{"learning_rate": [0.2, 0.3], "max_epochs": 2}`."""
Searches = Annotated[
    list[_Search],
    BeforeValidator(
        lambda value: [] if value == {} else as_list(value),
        json_schema_input_type=_Search | list[_Search],
    ),
]
"""A list of searches; one that is written without a list is a list of one, and `{}` is none."""
RowSettings = Annotated[
    dict[str, Any],
    _settings_of_training(
        "RowSettings",
        "Settings of training, each with a value or with a list of values: every combination of "
        "the lists is a row.",
        lists=True,
        others={
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
        },
    ),
]
"""Such as `{"hidden_size": ["100/20", 135], "corpora": ["wikipedia"]}`."""
