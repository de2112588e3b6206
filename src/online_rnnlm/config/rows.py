"""What a user writes of training: the settings that rows share, the rows, and a search."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
    model_serializer,
    model_validator,
)

from online_rnnlm.config.base import (
    IN_WORDS,
    LARGEST_SIZE,
    NETWORK,
    Distinct,
    Name,
    PositiveSize,
    Settings,
    WrongValue,
    as_list,
    first_wrong_value,
)
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.sizes import Sizes, count

ROW_KEYS = (
    *("hidden_size", "cell", "context_size", "document_size"),
    *("document_gradient", "unit_of_text", "carry", "engine"),
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


class Written(Settings):
    """Settings of training that are written in one place; those that are left out say nothing."""

    _order: tuple[str, ...] = PrivateAttr(default=())
    """The keys that are written: their order is that of the rows that lists make."""

    @model_validator(mode="wrap")
    @classmethod
    def _keep_the_order(cls, values: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        made = validate(values)
        if isinstance(values, Mapping):
            made._order = tuple(values)
        return made

    @model_serializer
    def as_written(self) -> dict[str, Any]:
        """Return the values that are written, in their order."""
        return {key: getattr(self, key) for key in self._order}

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of training that are written, in their order."""
        return {key: value for key, value in self.as_written().items() if key in RUN_KEYS}


AnyWritten = TypeVar("AnyWritten", bound=Written)


def _type_of(key: str) -> Any:
    """Return the type of a setting's value, with all that it must meet."""
    if key == "hidden_size":
        return _HiddenSize
    return RunSettings.model_fields[key].rebuild_annotation()


def _with_values(kind: type[AnyWritten]) -> type[AnyWritten]:
    """Give a class the settings of `RUN_KEYS` as fields, each with one value."""
    fields: dict[str, Any] = {}
    for key in RUN_KEYS:
        setting = RunSettings.model_fields[key]
        fields[key] = (_type_of(key), Field(setting.default, description=setting.description))
    return _with_fields(kind, fields)


def _with_lists(kind: type[AnyWritten]) -> type[AnyWritten]:
    """Give a class the settings of `RUN_KEYS` as fields, each with a value or a list of values.

    The schema says no default: where a row says nothing, `training` decides.
    """
    fields: dict[str, Any] = {}
    for key in RUN_KEYS:
        setting = RunSettings.model_fields[key]
        one: Any = _type_of(key)
        several = WrapValidator(_one_or_several, json_schema_input_type=one | list[one])
        fields[key] = (
            Annotated[list[one], Distinct, several],
            Field(default_factory=setting.get_default, description=setting.description),
        )
    return _with_fields(kind, fields)


def _with_fields(kind: type[AnyWritten], fields: Mapping[str, Any]) -> type[AnyWritten]:
    return create_model(
        kind.__name__,
        __base__=kind,
        __doc__=kind.__doc__,
        __module__=kind.__module__,
        **fields,
    )


@_with_values
class TrainingSettings(Written):
    """Settings of training, each with one value."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_lists(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            for key, value in values.items():
                if isinstance(value, list):
                    advice = "give a list to a row, or to `search`"
                    raise WrongValue((key,), f"one value is needed: {advice}")
        return values


@_with_lists
class Search(Written):
    """Settings of training: those with a list of values are searched, with one value at least; the
    others are those of the search's runs alone."""

    @property
    def lists(self) -> dict[str, list[Any]]:
        """The settings that are searched, with the values to try."""
        return {key: value for key, value in self.settings.items() if isinstance(value, list)}

    @model_validator(mode="after")
    def _searches_something(self) -> Search:
        if self.settings and not self.lists:
            raise WrongValue((), "searches nothing: give a list of values to one setting at least")
        for key in self.settings:
            if key in _HARDWARE_KEYS:
                message = "decides what hardware a run requires: give it to `training`, or to a row"
                raise WrongValue((key,), message)
            if key in ROW_KEYS:
                raise WrongValue((key,), "tells rows apart: give it to `rows`, as a list")
        return self


@_with_lists
class RowSettings(Written):
    """Settings of training, each with a value or with a list of values: every combination of the
    lists is a row."""

    search: Search | None = None
    """The row's own search; `null` is that of the experiment."""
    corpora: Annotated[list[Name], Field(min_length=1), Distinct] | None = None
    """The corpora that the row is trained on; `null` is all of them."""


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
