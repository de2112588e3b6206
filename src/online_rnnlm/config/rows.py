"""The settings of training as a user writes them in `training`, `search` and `rows`.

Each is a mapping of settings of training, by name:

    training: {max_epochs: 8}
    rows:
      - {hidden_size: [100/20, 135], search: {learning_rate: [0.2, 0.3]}}

In a row or a search, a list of values is allowed, too. A mapping stays a dict of the keys that are
written, in their order, here
`{"hidden_size": ["100/20", 135], "search": [{"learning_rate": [0.2, 0.3]}]}`. `networks` makes the
networks of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    with_config,
)

# Pydantic cannot use that of `typing` before Python 3.12.
from typing_extensions import TypedDict

from online_rnnlm.config.base import Distinct, Name, Seeds, Settings, as_list
from online_rnnlm.config.mistakes import refuse_unknown_keys
from online_rnnlm.config.rivals import RunRivalName
from online_rnnlm.config.runs import TOLD
from online_rnnlm.config.testing import Updates
from online_rnnlm.config.training import TrainingSettings

ROW_KEYS = ("hidden_size", "context_size", "document_size", *TOLD)
"""Settings that a network's name tells, and that so tell rows apart."""
_HARDWARE_KEYS = ("device", "engine", "precision")
"""Settings that decide the hardware that a run requires, which is known before the search ends."""

_Value = TypeVar("_Value")
OneOrMore = Annotated[
    Annotated[_Value, Tag("one")]
    | Annotated[list[_Value], Field(min_length=1), Distinct, Tag("more")],
    Discriminator(lambda written: "more" if isinstance(written, list) else "one"),
]
"""A value, such as `0.2`, or a list of some: `[0.2, 0.3]`."""


if TYPE_CHECKING:

    class Search(TypedDict, total=False):
        """Any settings of training, each with a value or with a list of values."""

else:
    _KINDS = get_type_hints(TrainingSettings, include_extras=True)
    Search = TypedDict(
        "Search",
        {key: OneOrMore[_KINDS[key]] for key in TrainingSettings.model_fields},
        total=False,
    )
    Search.__doc__ = """Settings of training: those with a list of values are searched, with one
    value at least; the others are those of the search's runs alone."""
    # `TrainingSettings` describes each.
    with_config({**Settings.model_config, "use_attribute_docstrings": False})(Search)


def searched_in(search: Search) -> dict[str, list[Any]]:
    """Return the settings of a search that have a list of values to try."""
    return {key: value for key, value in search.items() if isinstance(value, list)}


def _check_search(search: Search) -> Search:
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


def _in_order(keys: Mapping[str, Any]) -> WrapValidator:
    """Mark a mapping with some of these keys, which keeps the order in which they are written.

    It is that of the rows that lists make, and of what a search tries.
    """

    def check_in_order(written: Any, check: ValidatorFunctionWrapHandler) -> dict[str, Any]:
        if isinstance(written, Mapping):
            refuse_unknown_keys(written, keys)
        checked = check(written)
        return {key: checked[key] for key in written}

    return WrapValidator(check_in_order)


Searches = Annotated[
    list[Annotated[Search, _in_order(Search.__annotations__), AfterValidator(_check_search)]],
    BeforeValidator(
        lambda written: [] if written == {} else as_list(written),
        json_schema_input_type=Search | list[Search],
    ),
]
"""A list of searches; one that is written without a list is a list of one, and `{}` is none."""


@with_config(Settings.model_config)
class RowSettings(Search, total=False):
    """Settings of training, each with a value or with a list of values: every combination of the
    lists is a row."""

    search: Searches | None
    """The row's own search; `null` is that of the experiment."""
    corpora: Annotated[list[Name], Field(min_length=1), Distinct] | None
    """The corpora that the row is trained on; `null` is all of them."""
    seeds: Seeds | None
    """The row's own; `null` is those of the experiment."""
    updates: Updates | None
    """The row's own, in place of those of `testing`; `null` is those of `testing`, `[]` none."""
    rivals: Annotated[list[RunRivalName], Distinct] | None
    """The row's own, in place of those of `testing`; `null` is those of `testing`, `[]` none. Those
    of corpora are the experiment's in any case."""


OF_ROW_ALONE = frozenset(RowSettings.__annotations__) - frozenset(Search.__annotations__)
"""The keys of a row that are no settings of training."""

Row = Annotated[RowSettings, _in_order(RowSettings.__annotations__)]
"""Such as `{"hidden_size": ["100/20", 135], "corpora": ["wikipedia"]}`."""


def _check_training(written: Any) -> dict[str, Any]:
    """Return the checked values of the keys that are written, without others' defaults.

    `{"max_epochs": "8"}` becomes `{"max_epochs": 8}`.
    """
    checked = TrainingSettings.model_validate(written)
    return {key: getattr(checked, key) for key in written}


WrittenTraining = Annotated[
    dict[str, Any], BeforeValidator(_check_training, json_schema_input_type=TrainingSettings)
]
"""Such as `{"max_epochs": 8}`."""
