"""What a user writes of training: the settings that rows share, the rows, and a search."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from typing_extensions import TypedDict  # Python 3.11's own has no settings for pydantic

from online_rnnlm.config.base import (
    IN_WORDS,
    LARGEST_SIZE,
    NETWORK,
    Distinct,
    Name,
    PositiveSize,
    WrongValue,
    as_list,
    first_wrong_value,
    refuse_unknown_keys,
)
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.sizes import Sizes, count

ROW_KEYS = (
    "hidden_size",
    "cell",
    "context_size",
    "document_size",
    "document_gradient",
    "unit_of_text",
    "carry",
    "engine",
)
"""Settings that a network's name in tables tells, and that tell rows apart."""
_HARDWARE_KEYS = ("device", "engine", "precision")
"""Settings that decide the hardware that a run requires, which is known before the search ends."""
RUN_KEYS = tuple(key for key in RunSettings.model_fields if key not in ("corpus", "seed"))
"""Settings that a row can have; an experiment gives the others."""
_MANY_WORDS = 10**15
"""Words of a vocabulary so large that their parameters outnumber all others by far."""


def _number_or_network(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a number of hidden units, or a network that decides it."""
    if isinstance(value, str) and re.match(NETWORK, value):
        return value
    try:
        return validate(value)
    except ValidationError:
        allowed = f"a whole number from 1 to {LARGEST_SIZE}, or {IN_WORDS[NETWORK]}"
        raise ValueError(f"allowed: {allowed}") from None


_Network = Annotated[str, Field(pattern=NETWORK)]
_HiddenSize = Annotated[
    PositiveSize,
    WrapValidator(_number_or_network, json_schema_input_type=PositiveSize | _Network),
]


def _one_or_several(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a list of values, or a single value, which stays one."""
    if not isinstance(value, list):
        [single] = as_list(value, validate)
        return single
    if not value:
        raise WrongValue((), "the list is empty: give at least one value, or leave the key out")
    return validate(value)


def _refuse_lists(values: Any) -> Any:
    if isinstance(values, Mapping):
        for key, value in values.items():
            if isinstance(value, list):
                advice = "give a list to a row, or to `search`"
                raise WrongValue((key,), f"one value is needed: {advice}")
    return values


def _refuse_search_of_nothing(written: dict[str, Any]) -> dict[str, Any]:
    if written and not searched_in(written):
        raise WrongValue((), "searches nothing: give a list of values to one setting at least")
    for key in written:
        if key in _HARDWARE_KEYS:
            message = "decides what hardware a run requires: give it to `training`, or to a row"
            raise WrongValue((key,), message)
        if key in ROW_KEYS:
            raise WrongValue((key,), "tells rows apart: give it to `rows`, as a list")
    return written


def searched_in(search: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the settings of a search that have a list of values to try."""
    return {key: value for key, value in search.items() if isinstance(value, list)}


def _one_search_or_several(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a list of searches; a mapping is a list of one, and an empty one of none."""
    return as_list([] if value == {} else value, validate)


def _types(*, lists: bool) -> dict[str, Any]:
    """Return the settings of `RUN_KEYS`, each with the type of its value and its description.

    With `lists`, the value may be a list of values, and the schema says no default: where a row
    says nothing, `training` decides.
    """
    types = {}
    for key in RUN_KEYS:
        field = RunSettings.model_fields[key]
        one: Any = _HiddenSize if key == "hidden_size" else field.rebuild_annotation()
        if lists:
            several = WrapValidator(_one_or_several, json_schema_input_type=one | list[one])
            described = Field(description=field.description)
            types[key] = Annotated[list[one], Distinct, several, described]
        else:
            more = {"default": field.default}
            types[key] = Annotated[
                one, Field(description=field.description, json_schema_extra=more)
            ]
    return types


def _written(name: str, docstring: str, types: dict[str, Any]) -> Any:
    """Return the type of a mapping that has some of these keys, in the order of the file.

    The order of the keys of a row is that of the rows that its lists make.
    """
    make: Any = TypedDict  # its keys are no literals, which is beyond mypy
    kind = make(name, types, total=False)
    kind.__doc__ = docstring
    kind.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    def in_order(values: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        if isinstance(values, Mapping):
            refuse_unknown_keys(values, types)
        made = validate(values)
        return {key: made[key] for key in values}

    # A value may be a list, or a network's name: what it is decides how it is written again.
    return Annotated[kind, WrapValidator(in_order), PlainSerializer(dict, dict[str, Any])]


if TYPE_CHECKING:
    TrainingSettings = dict[str, Any]
    Searches = list[dict[str, Any]]
    RowSettings = dict[str, Any]
else:
    TrainingSettings = Annotated[
        _written(
            "TrainingSettings", "Settings of training, each with one value.", _types(lists=False)
        ),
        BeforeValidator(_refuse_lists),
    ]
    _Search = Annotated[
        _written(
            "Search",
            """Settings of training: those with a list of values are searched, with one value at
            least; the others are those of the search's runs alone.""",
            _types(lists=True),
        ),
        AfterValidator(_refuse_search_of_nothing),
    ]
    Searches = Annotated[
        list[_Search],
        WrapValidator(_one_search_or_several, json_schema_input_type=_Search | list[_Search]),
    ]
    RowSettings = _written(
        "RowSettings",
        """Settings of training, each with a value or with a list of values: every combination of
        the lists is a row.""",
        {
            "search": Annotated[
                Searches | None,
                Field(
                    description="The row's own search; `null` is that of the experiment.",
                    json_schema_extra={"default": None},
                ),
            ],
            "corpora": Annotated[
                Annotated[list[Name], Field(min_length=1), Distinct] | None,
                Field(
                    description="The corpora that the row is trained on; `null` is all of them.",
                    json_schema_extra={"default": None},
                ),
            ],
            **_types(lists=True),
        },
    )


def combinations(lists: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of lists; a single value is in all of them."""
    values = [value if isinstance(value, list) else [value] for value in lists.values()]
    for chosen in itertools.product(*values):
        yield dict(zip(lists, chosen, strict=True))


def units_of(network: str, cell: str, classes: int) -> int:
    """Return the number of hidden units of the smallest static network as large as `network`.

    It has at least as many parameters as that network, such as `100/20`, of the same hidden layer.
    Only a very small vocabulary would give another number of units.
    """
    hidden, document = map(int, network.split("/"))
    parameters = count(Sizes(_MANY_WORDS, hidden, classes, document, cell))
    units = itertools.count(hidden)
    return next(m for m in units if count(Sizes(_MANY_WORDS, m, classes, 0, cell)) >= parameters)


def settings_of(values: Mapping[str, Any], classes: int, *place: int | str) -> RunSettings:
    """Return settings that go together, for a corpus with that number of word classes.

    Raises WrongValue, with this place, if they do not go together.
    """
    size = values.get("hidden_size")
    if isinstance(size, str):
        cell = values.get("cell", RunSettings.model_fields["cell"].default)
        values = {**values, "hidden_size": units_of(size, cell, classes)}
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise WrongValue(place, str(first_wrong_value(error))) from None
