"""The networks that follow from the rows of a configuration, and from their search.

    training: {max_epochs: 8}
    rows:
      - {hidden_size: [100/20, 135], search: {learning_rate: [0.2, 0.3]}}

`networks_of` makes a `PlannedNetwork` of each combination of an entry's lists and of `training`:
two, 110/0, which is the static one as large as 100/20, and 135/0. Each has the settings of the runs
of its search, here two, one with each learning rate. So the configuration is checked.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from online_rnnlm.config.base import as_list
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.config.mistakes import first_message
from online_rnnlm.config.rivals import CORPUS_RIVALS, RunRivalName
from online_rnnlm.config.rows import OF_ROW_ALONE, ROW_KEYS, RowSettings, Search, searched_in
from online_rnnlm.config.runs import network_name
from online_rnnlm.config.testing import TestingSettings, refuse_mixtures_of_nothing
from online_rnnlm.config.training import OF_VECTOR, RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.sizes import Sizes, shapes_by_name

if TYPE_CHECKING:
    from online_rnnlm.config.experiment import Experiment


class PlannedNetwork(NamedTuple):
    """A network on one corpus, which is to be trained with several seeds."""

    entry: int
    """The index in `rows` of the entry that makes it; one with lists makes several networks."""
    settings: RunSettings
    """Its settings before the search has chosen some, with the seed of the search."""
    undecided: frozenset[str]
    """Names of the settings that its search is to choose."""
    search: Mapping[RunSettings, dict[str, Any]]
    """The settings of each run of its search, and those values of them that the run tries."""
    seeds: Sequence[int]
    """The seeds of its own runs."""
    testing: TestingSettings
    """The experiment's settings of testing, with the row's own `updates` and `rivals`."""

    @property
    def evaluations(self) -> dict[str, Adaptation | RunRivalName]:
        """The evaluations of each of its runs, by name."""
        return evaluations_of(self.settings, self.testing)


def networks_of(experiment: Experiment) -> tuple[PlannedNetwork, ...]:
    """Return the networks of an experiment on every corpus.

    Raises ValueError, whose message begins with the key, if settings do not go together, or if two
    networks on a corpus are the same: tables could not tell them.
    """
    networks: dict[tuple[str, str], PlannedNetwork] = {}
    for corpus in experiment.corpora:
        for entry, row in enumerate(experiment.rows):
            if corpus not in (row.get("corpora") or experiment.corpora):
                continue
            own = row.get("search")
            searches = experiment.search if own is None else own
            testing = _testing_of(experiment, row, f"rows[{entry}]")
            for settings in _settings_in(experiment, corpus, row, f"rows[{entry}]", searches):
                network = _network(experiment, entry, settings, searches, testing)
                name = network_name(settings)
                same = networks.setdefault((corpus, name), network)
                if same is not network:
                    what = f"is the same network, {name}, as `rows[{same.entry}]`"
                    if same.entry == entry:
                        what = f"two of its combinations are the same network, {name}"
                    raise ValueError(
                        f"`rows[{entry}]`: {what}: rows differ in {', '.join(sorted(ROW_KEYS))}; "
                        "values to choose from belong in `search`"
                    )
    return tuple(networks.values())


def _settings_in(
    experiment: Experiment, corpus: str, row: RowSettings, place: str, searches: Sequence[Search]
) -> list[RunSettings]:
    """Return the settings that a row, in that place of the file, makes: all combinations of lists.

    Combinations that differ only in settings that change nothing are one. They have the seed of the
    search.
    """
    classes = experiment.corpora[corpus].classes.count
    shared = {**experiment.training, "corpus": corpus, "seed": experiment.search_seed}
    undecided = _undecided(searches)
    made: dict[RunSettings, None] = {}
    lists = {key: value for key, value in row.items() if key not in OF_ROW_ALONE}
    for own in _combinations(lists):
        try:
            settings = _settings_of({**shared, **own}, classes, place)
        except ValueError:
            _settings_of(shared, classes, "training")  # raises if `training` is at fault
            raise
        made[settings.without_unused(undecided)] = None
    if not any(settings.document_size for settings in made):
        _refuse_settings_of_vector(row, place)
    return list(made)


def _testing_of(experiment: Experiment, row: RowSettings, place: str) -> TestingSettings:
    """Return the settings of testing of a row, in that place of the file.

    Raises ValueError if a mixture of the row has no parts.
    """
    own: dict[str, Any] = {}
    if row.get("updates") is not None:
        own["updates"] = row["updates"]
    if (rivals := row.get("rivals")) is not None:
        of_corpora = [name for name in experiment.testing.rivals if name in CORPUS_RIVALS]
        own["rivals"] = [*rivals, *of_corpora]
        try:
            refuse_mixtures_of_nothing(own["rivals"])
        except ValueError as error:
            raise ValueError(f"`{place}.rivals`: {error}") from None
    return experiment.testing.model_copy(update=own)


def _refuse_settings_of_vector(row: RowSettings, place: str) -> None:
    """Raise ValueError if a row without a vector gives a value to a setting of the vector.

    A list of values passes: its combinations are one network.
    """
    given = [f"{place}.{key}" for key, value in row.items() if not isinstance(value, list)]
    given += [f"{place}.search.{key}" for search in row.get("search") or () for key in search]
    for key in given:
        if key.rpartition(".")[2] in OF_VECTOR:
            raise ValueError(
                f"`{key}`: changes nothing: the row has no document vector (`document_size`: 0)"
            )


def _network(
    experiment: Experiment,
    entry: int,
    settings: RunSettings,
    searches: Sequence[Search],
    testing: TestingSettings,
) -> PlannedNetwork:
    """Return a network with the runs of its search.

    Each run of the search is there once; those that try nothing but settings that change nothing
    are left out.
    """
    classes = experiment.corpora[settings.corpus].classes.count
    runs: dict[RunSettings, dict[str, Any]] = {}
    for search in searches:
        for tried in _combinations(searched_in(search)):
            values = {**settings.model_dump(), **search, **tried}
            candidate = _settings_of(values, classes, "search").without_unused()
            of_use = {key: value for key, value in tried.items() if key not in candidate.unused}
            if of_use:
                runs.setdefault(candidate, of_use)
    undecided = _undecided(searches) if runs else frozenset()
    seeds = experiment.rows[entry].get("seeds") or experiment.seeds
    return PlannedNetwork(entry, settings, undecided, runs, seeds, testing)


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
        if values.get("document_size"):
            raise ValueError(
                f"`{place}`: `hidden_size: {size}` is that of a static network: it goes with "
                "`document_size: 0`"
            )
        default = RunSettings.model_fields
        cell = values.get("cell", default["cell"].default)
        context = values.get("context_size", default["context_size"].default)
        if cell != "slow_context":
            context = 0
        values = {**values, "hidden_size": _units_of(size, cell, context, classes)}
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"`{place}`: {first_message(error)}") from None


def _units_of(network: str, cell: str, context: int, classes: int) -> int:
    """Return the number of hidden units of the smallest static network as large as `network`.

    It has at least as many parameters as that network, such as `100/20`, of the same hidden layer.
    For V words in K classes, C slow context units, and embeddings of g numbers a unit (1; 4 in an
    LSTM), these are

        ((g + 1) M + 2 C + D) V + (g M + K) (M + C) + K D

    and V is so large that the first term decides: M + D / (g + 1), rounded up, are enough. If that
    is a whole number, the first terms are the same, and the others may ask for one unit more.
    """
    hidden, document = map(int, network.split("/"))
    _, of_unit = shapes_by_name(Sizes(1, 1, classes, 0, cell))["embeddings"]
    units = hidden + math.ceil(document / (of_unit + 1))
    is_whole = document % (of_unit + 1) == 0
    return units + 1 if is_whole and hidden + units + context < classes else units


def _undecided(searches: Iterable[Search]) -> frozenset[str]:
    """Return the names of the settings that searches are to choose."""
    return frozenset(key for search in searches for key in searched_in(search))
