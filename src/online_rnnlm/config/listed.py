"""The settings of training as a configuration gives them: shared, of a row, or of the search."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from online_rnnlm.config.messages import (
    WrongValue,
    first_wrong_value,
    refuse_equal,
    refuse_unknown_keys,
)
from online_rnnlm.config.training import RunSettings

ROW_NAME_KEYS = frozenset(
    {
        "hidden_size",
        "context_size",
        "cell",
        "document_size",
        "document_layer",
        "document_gradient",
        "unit_of_text",
        "carry",
        "engine",
    }
)
"""Settings that are a part of a run's name: they tell rows apart."""
HARDWARE_KEYS = frozenset({"engine", "device", "precision"})
"""Settings that decide the hardware that a run requires, which is known before the search ends."""
RUN_KEYS = frozenset(RunSettings.model_fields) - {"corpus", "seed"}
"""Settings that a row can have; an experiment gives the others."""


def _checked_values(values: dict[str, Any]) -> dict[str, Any]:
    refuse_unknown_keys(values, RUN_KEYS)
    for key, value in values.items():
        if isinstance(value, list):
            raise WrongValue((key,), "one value is needed: give a list to a row, or to `search`")
    return {key: _checked(key, value, key) for key, value in values.items()}


def _checked_row(row: dict[str, Any]) -> dict[str, Any]:
    refuse_unknown_keys(row, RUN_KEYS)
    return {
        key: _checked_list(key, value) if isinstance(value, list) else _checked(key, value, key)
        for key, value in row.items()
    }


def _checked_search(search: dict[str, list[Any]]) -> dict[str, list[Any]]:
    refuse_unknown_keys(search, RUN_KEYS)
    for key in search:
        if key in HARDWARE_KEYS:
            message = "decides what hardware a run requires: give it to `training`, or to a row"
            raise WrongValue((key,), message)
        if key in ROW_NAME_KEYS:
            raise WrongValue((key,), "tells rows apart: give it to `rows`, as a list")
    return {key: _checked_list(key, values) for key, values in search.items()}


def _checked_list(key: str, values: list[Any]) -> list[Any]:
    if not values:
        raise WrongValue((key,), "the list is empty: give at least one value, or leave the key out")
    checked = [_checked(key, value, key, index) for index, value in enumerate(values)]
    refuse_equal(checked, key)
    return checked


def _checked(key: str, value: Any, *place: int | str) -> Any:
    """Return a setting's value, such as a number that was written as text, or raise WrongValue."""
    try:
        return _adapter(key).validate_python(value)
    except ValidationError as error:
        wrong = first_wrong_value(error)
        raise WrongValue((*place, *wrong.place), str(wrong)) from None


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    field = RunSettings.model_fields[key]
    kind: Any = Annotated[field.annotation, field]
    return TypeAdapter(kind)


Values = Annotated[dict[str, Any], AfterValidator(_checked_values)]
"""Settings of training, each with one value."""
Row = Annotated[dict[str, Any], AfterValidator(_checked_row)]
"""Settings of training, each with a value or with a list of values."""
Search = Annotated[dict[str, list[Any]], AfterValidator(_checked_search)]
"""Settings of training, each with a list of values."""
