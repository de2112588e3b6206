"""The entries of `rows` and of `search`: their keys and values, and the settings that they make."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from online_rnnlm.config.base import Distinct, Name
from online_rnnlm.config.messages import (
    NETWORK,
    WrongValue,
    first_wrong_value,
    refuse_equal,
    refuse_unknown_keys,
)
from online_rnnlm.config.training import CELLS, RunSettings

ROW_KEYS = (
    *("hidden_size", "cell", "document_size"),
    *("document_gradient", "unit_of_text", "carry", "engine"),
)
"""Settings that a network's name in tables tells, and that tell rows apart."""
_HARDWARE_KEYS = ("device", "engine", "precision")
"""Settings that decide the hardware that a run requires, which is known before the search ends."""
SEARCH, CORPORA = "search", "corpora"
"""The keys of a row's own search, and of the corpora that it is trained on."""
RUN_KEYS = frozenset(RunSettings.model_fields) - {"corpus", "seed"}
"""Settings that a row can have; an experiment gives the others."""


def _checked_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of training as typed values, such as a number that was written as text."""
    refuse_unknown_keys(settings, RUN_KEYS)
    return {
        key: _checked_list(key, value) if isinstance(value, list) else _checked(key, value, key)
        for key, value in settings.items()
    }


def _checked_list(key: str, values: list[Any]) -> list[Any]:
    if not values:
        raise WrongValue((key,), "the list is empty: give at least one value, or leave the key out")
    checked = [_checked(key, value, key, index) for index, value in enumerate(values)]
    refuse_equal(checked, key)
    return checked


def _checked(key: str, value: Any, *place: int | str) -> Any:
    if key == "hidden_size" and isinstance(value, str) and re.match(NETWORK, value):
        return value
    return _validated(_type_of(key), value, *place)


def _validated(kind: TypeAdapter[Any], value: Any, *place: int | str) -> Any:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        wrong = first_wrong_value(error)
        raise WrongValue((*place, *wrong.place), str(wrong)) from None


@cache
def _type_of(key: str) -> TypeAdapter[Any]:
    field = RunSettings.model_fields[key]
    kind: Any = Annotated[field.annotation, field]
    return TypeAdapter(kind)


def _refuse_lists(settings: dict[str, Any]) -> dict[str, Any]:
    for key, value in settings.items():
        if isinstance(value, list):
            raise WrongValue((key,), "one value is needed: give a list to a row, or to `search`")
    return settings


def lists_of(search: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the settings of a search that have a list of values."""
    return {key: values for key, values in search.items() if isinstance(values, list)}


def _refuse_what_is_not_searched(search: dict[str, Any]) -> dict[str, Any]:
    if search and not lists_of(search):
        raise WrongValue((), "searches nothing: give a list of values to one setting at least")
    for key in search:
        if key in _HARDWARE_KEYS:
            message = "decides what hardware a run requires: give it to `training`, or to a row"
            raise WrongValue((key,), message)
        if key in ROW_KEYS:
            raise WrongValue((key,), "tells rows apart: give it to `rows`, as a list")
    return search


_Settings = Annotated[dict[str, Any], AfterValidator(_checked_settings)]
Values = Annotated[_Settings, AfterValidator(_refuse_lists)]
"""Settings of training, each with one value."""
Search = Annotated[_Settings, AfterValidator(_refuse_what_is_not_searched)]
"""Settings of training: those with a list of values are searched, with one value at least; the
others are those of the search's runs alone."""


def own_settings(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's settings of training, without what else it says."""
    return {key: row[key] for key in row if key not in _OTHERS}


def _checked_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return all values of a row as typed values."""
    refuse_unknown_keys(row, {*RUN_KEYS, *_OTHERS})
    others = {key: _validated(_OTHERS[key], row[key], key) for key in _OTHERS if key in row}
    return _checked_settings(own_settings(row)) | others


CorpusNames = Annotated[list[Name], Field(min_length=1), Distinct]
_OTHERS: dict[str, TypeAdapter[Any]] = {
    SEARCH: TypeAdapter(Search),
    CORPORA: TypeAdapter(CorpusNames),
}
Row = Annotated[dict[str, Any], AfterValidator(_checked_row)]
"""Settings of training, each with a value or with a list of values; `search`, of its own; and the
`corpora` that it is trained on."""


def combinations(lists: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of lists; a single value is in all of them."""
    values = [value if isinstance(value, list) else [value] for value in lists.values()]
    for chosen in itertools.product(*values):
        yield dict(zip(lists, chosen, strict=True))


def size_of(network: str, cell: str, classes: int) -> int:
    """Return the number of hidden units of the smallest static network as large as `network`.

    It has at least as many parameters as that network, such as `100/20`, of the same hidden layer.
    A network has V (g M + M + D) + g M² + K (M + D) parameters, for V words, K classes and
    g = `CELLS[cell]`. Only a very small vocabulary would give another number of units.
    """
    hidden, document = map(int, network.split("/"))

    def parameters(hidden: int, document: int) -> tuple[int, int]:
        inputs, outputs = CELLS[cell] * hidden, hidden + document
        return inputs + outputs, inputs * hidden + outputs * classes

    units = itertools.count(hidden)
    return next(m for m in units if parameters(m, 0) >= parameters(hidden, document))


def with_size(values: Mapping[str, Any], classes: int) -> dict[str, Any]:
    """Return settings in which `hidden_size` is a number, if it is a network."""
    size = values.get("hidden_size")
    if not isinstance(size, str):
        return {**values}
    cell = values.get("cell", RunSettings.model_fields["cell"].default)
    return {**values, "hidden_size": size_of(size, cell, classes)}


def settings_of(values: Mapping[str, Any], *place: int | str) -> RunSettings:
    """Return settings that go together; raises WrongValue, with this place, if they do not."""
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise WrongValue(place, str(first_wrong_value(error))) from None
