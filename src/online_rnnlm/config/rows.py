"""The settings of training in a configuration, and the runs that follow from them.

`training`, `search` and every entry of `rows` are mappings of settings of `RunSettings`, by name.
An entry on its way:

    training: {max_epochs: 8}
    seeds: [1, 2]
    rows:
      - {hidden_size: [100/20, 135], search: {learning_rate: [0.2, 0.3]}}

1. It is read as `RowSettings`. Each value is checked as that field of `RunSettings`, or as a list
   of such values. The entry stays a dict of the keys that are written, in their order:
   `{"hidden_size": ["100/20", 135], "search": [{"learning_rate": [0.2, 0.3]}]}`.
2. `_networks_of` makes `RunSettings` of each combination of its lists and of `training`: two
   networks, 110/0, which is the static one as large as 100/20, and 135/0.
3. `_plan_row` plans the runs of each network: two of its search, one with each learning rate, and
   one with each seed, which is to take the better rate. They are a `PlannedRow`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)

from online_rnnlm.config.base import (
    IN_WORDS,
    NETWORK,
    Distinct,
    Name,
    PositiveSize,
    Settings,
    as_list,
    first_message,
    shown,
)
from online_rnnlm.config.runs import TOLD, Digits, Run, identity_of
from online_rnnlm.config.training import OF_VECTOR, RunSettings
from online_rnnlm.core.sizes import Sizes, count

if TYPE_CHECKING:
    from online_rnnlm.config.experiment import Experiment

ROW_KEYS = ("hidden_size", "context_size", "document_size", *TOLD)
"""Settings that a network's name tells, and that so tell rows apart."""
_HARDWARE_KEYS = ("device", "engine", "precision")
"""Settings that decide the hardware that a run requires, which is known before the search ends."""
RUN_KEYS = tuple(key for key in RunSettings.model_fields if key not in ("corpus", "seed"))
"""Settings that a row can have; an experiment gives the others."""
_MANY_WORDS = 10**15
"""Words of a vocabulary so large that their parameters outnumber all others by far."""


def _check_size(value: Any, check: ValidatorFunctionWrapHandler) -> int | str:
    """Return a network such as `100/20` as it is, and any other value as a number of units."""
    if not isinstance(value, str) or value.isdecimal():
        number: int = check(value)
        return number
    if not re.fullmatch(NETWORK, value):
        raise ValueError(f"allowed: a number, or {IN_WORDS[NETWORK]}, not {shown(value)}")
    return value


_HiddenSize = Annotated[
    PositiveSize,
    WrapValidator(
        _check_size, json_schema_input_type=PositiveSize | Annotated[str, Field(pattern=NETWORK)]
    ),
]
_HIDDEN_SIZE = """Number of hidden units, M; or a network with a vector, such as `100/20`: the
smallest number with which a static network of the same hidden layer has at least as many
parameters."""


# From here to `PlannedRow`: the types of what a user writes, made from the fields of `RunSettings`.


def _fields(*, several: bool) -> dict[str, Any]:
    """Return the type of each setting of training, with its default and its description.

    With `several`, a list of values is allowed, too. The schema then shows no default: where a row
    or a search says nothing, `training` decides.
    """
    hide_default: Any = (lambda schema: schema.pop("default")) if several else None
    fields = {}
    for key in RUN_KEYS:
        field = RunSettings.model_fields[key]
        kind: Any = field.rebuild_annotation()
        description = field.description
        if key == "hidden_size":
            kind = _HiddenSize
            description = _HIDDEN_SIZE
        if several:
            # A value's own type decides which of the two it is checked as: else pydantic would
            # report an error for both.
            many = Annotated[list[kind], Field(min_length=1), Distinct, Tag("list")]
            is_list = Discriminator(lambda value: "list" if isinstance(value, list) else "single")
            kind = Annotated[Annotated[kind, Tag("single")] | many, is_list]
        found = Field(field.default, description=description, json_schema_extra=hide_default)
        fields[key] = (kind, found)
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


def _undecided(searches: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the settings that searches are to choose."""
    return {key for search in searches for key in searched_in(search)}


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
        "TrainingSettings", "Settings of training, each with one value.", _fields(several=False)
    ),
]
_Search = Annotated[
    dict[str, Any],
    AfterValidator(_check_search),
    _some_of(
        "Search",
        "Settings of training: those with a list of values are searched, with one value at least; "
        "the others are those of the search's runs alone.",
        _fields(several=True),
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
            **_fields(several=True),
        },
    ),
]


# From here on: the plan, steps 2 and 3 above.


class PlannedRow(NamedTuple):
    """A row on one corpus: one network, trained with several seeds."""

    entry: int
    """The index in `rows` of the entry that makes it; one with lists makes several rows."""
    candidates: tuple[Run, ...]
    """The runs of its search."""
    runs: tuple[Run, ...]
    """Its own runs, one for each seed."""

    @property
    def settings(self) -> RunSettings:
        """The settings of its runs, before the search has chosen some, with the first seed."""
        return self.runs[0].settings


def plan_rows(experiment: Experiment, digits: Digits) -> tuple[PlannedRow, ...]:
    """Plan the rows of an experiment on every corpus, with their runs and those of their search.

    Raises ValueError, whose message begins with the key, if settings do not go together, or if two
    rows on a corpus are the same network: tables could not tell them.
    """
    rows: dict[tuple[str, str], PlannedRow] = {}
    for corpus in experiment.corpora:
        for entry, row in enumerate(experiment.rows):
            if corpus not in (row.get("corpora") or experiment.corpora):
                continue
            searches = experiment.search if row.get("search") is None else row["search"]
            for settings in _networks_of(experiment, corpus, entry, searches):
                planned = _plan_row(experiment, entry, settings, searches, digits)
                name = planned.runs[0].network_name
                same = rows.setdefault((corpus, name), planned)
                if same is not planned:
                    what = f"is the same network, {name}, as `rows[{same.entry}]`"
                    if same.entry == entry:
                        what = f"two of its combinations are the same network, {name}"
                    raise ValueError(
                        f"`rows[{entry}]`: {what}: rows differ in {', '.join(sorted(ROW_KEYS))}; "
                        "values to choose from belong in `search`"
                    )
    return tuple(rows.values())


def _networks_of(
    experiment: Experiment, corpus: str, entry: int, searches: Searches
) -> list[RunSettings]:
    """Return the settings that an entry of `rows` makes: all combinations of its lists.

    Combinations that differ only in settings that change nothing are one. They have the seed of the
    search.
    """
    row = experiment.rows[entry]
    place = f"rows[{entry}]"
    classes = experiment.corpora[corpus].classes.count
    shared = {**experiment.training, "corpus": corpus, "seed": experiment.search_seed}
    undecided = _undecided(searches)
    made: dict[RunSettings, None] = {}
    for own in _combinations({key: row[key] for key in row if key in RUN_KEYS}):
        try:
            settings = _settings_of({**shared, **own}, classes, place)
        except ValueError:
            _settings_of(shared, classes, "training")  # raises if `training` is at fault
            raise
        made[settings.without_unused(undecided)] = None
    if not any(settings.document_size for settings in made):
        given = [f"{place}.{key}" for key in row if not isinstance(row[key], list)]
        given += [f"{place}.search.{key}" for search in row.get("search") or () for key in search]
        for key in given:
            if key.rpartition(".")[2] in OF_VECTOR:
                raise ValueError(
                    f"`{key}`: changes nothing: the row has no document vector (`document_size`: 0)"
                )
    return list(made)


def _plan_row(
    experiment: Experiment, entry: int, settings: RunSettings, searches: Searches, digits: Digits
) -> PlannedRow:
    """Plan the runs of a network, and those of its search.

    Each run of the search is there once; those that try nothing but settings that change nothing
    are left out.
    """
    classes = experiment.corpora[settings.corpus].classes.count
    folder = digits.folder_of(settings.corpus)
    candidates: dict[RunSettings, Run] = {}
    for search in searches:
        for tried in _combinations(searched_in(search)):
            values = {**settings.model_dump(), **search, **tried}
            candidate = _settings_of(values, classes, "search").without_unused()
            searched = {key: value for key, value in tried.items() if key not in candidate.unused}
            if searched and candidate not in candidates:
                identity = identity_of(candidate, digits)
                run = Run(candidate, folder, searched=searched, identity=identity)
                candidates[candidate] = run
    names = tuple(run.name for run in candidates.values())
    undecided = _undecided(searches) if names else ()
    of_seeds = [settings.model_copy(update={"seed": seed}) for seed in experiment.seeds]
    runs = tuple(
        Run(one, folder, candidates=names, identity=identity_of(one, digits, undecided, names))
        for one in of_seeds
    )
    return PlannedRow(entry, tuple(candidates.values()), runs)


def _combinations(lists: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of lists; a single value is in all of them."""
    for chosen in itertools.product(*map(as_list, lists.values())):
        yield dict(zip(lists, chosen, strict=True))


def _settings_of(values: dict[str, Any], classes: int, place: str) -> RunSettings:
    """Return settings that go together, for a corpus with that number of word classes.

    Raises ValueError, with this place, if they do not go together.
    """
    size = values.get("hidden_size")
    if isinstance(size, str):
        cell = values.get("cell", RunSettings.model_fields["cell"].default)
        values = {**values, "hidden_size": _units_of(size, cell, classes)}
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"`{place}`: {first_message(error)}") from None


def _units_of(network: str, cell: str, classes: int) -> int:
    """Return the number of hidden units of the smallest static network as large as `network`.

    It has at least as many parameters as that network, such as `100/20`, of the same hidden layer.
    Only a very small vocabulary would give another number of units.
    """
    hidden, document = network.split("/")
    parameters = count(Sizes(_MANY_WORDS, int(hidden), classes, int(document), cell))
    units = itertools.count(int(hidden))
    return next(m for m in units if count(Sizes(_MANY_WORDS, m, classes, 0, cell)) >= parameters)
