"""The rows of an experiment on its corpora, each with the runs that search its settings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from online_rnnlm.config.listed import ROW_NAME_KEYS
from online_rnnlm.config.messages import WrongValue, first_wrong_value
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.training import RunSettings

LONGEST_RUN_NAME = 200
"""Number of letters that a run's name has at most: files are named after it."""
Lists = Mapping[str, Sequence[Any]]


class PlannedRow(NamedTuple):
    """A row on one corpus: one network, trained with several seeds."""

    entry: int
    """The index in `rows` of the entry that makes it; one with lists makes several rows."""
    settings: RunSettings
    """The settings of its runs, before the search has chosen some; the seed is the search's."""
    candidates: tuple[PlannedRun, ...]
    """The runs of its search."""

    def run(self, seed: int) -> PlannedRun:
        """Return the run of this row with that seed."""
        settings = self.settings.model_copy(update={"seed": seed})
        return PlannedRun(settings=settings, candidates=tuple(run.name for run in self.candidates))


def plan_rows(
    corpus: str,
    training: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    search: Lists,
    search_seed: int,
) -> Iterator[PlannedRow]:
    """Yield the rows on a corpus; an entry of `rows` with lists makes all their combinations.

    Combinations that differ only in settings that change nothing are one row. Raises WrongValue if
    settings do not go together.
    """
    for index, row in enumerate(rows):
        found: dict[RunSettings, tuple[PlannedRun, ...]] = {}
        for values in _combinations(row):
            shared = {**training, "corpus": corpus, "seed": search_seed}
            settings = _settings(shared, values, index)
            kept = settings.without_unused(undecided=search)
            found.setdefault(kept, tuple(_candidates(settings, search)))
        for settings, candidates in found.items():
            yield PlannedRow(index, settings, candidates)


def _combinations(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    lists = [value if isinstance(value, list) else [value] for value in row.values()]
    for values in itertools.product(*lists):
        yield dict(zip(row, values, strict=True))


def _settings(shared: Mapping[str, Any], row: Mapping[str, Any], index: int) -> RunSettings:
    """Return a row's settings; each is right for itself, but they may not go together."""
    try:
        return _validated({**shared, **row}, "rows", index)
    except WrongValue:
        _validated(shared, "training")  # raises if the row has no part in it
        raise


def _validated(values: Mapping[str, Any], *place: int | str) -> RunSettings:
    """Return settings that go together; raises WrongValue, with this place, if they do not."""
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise WrongValue(place, str(first_wrong_value(error))) from None


def _candidates(settings: RunSettings, search: Lists) -> Iterator[PlannedRun]:
    """Yield a row's runs in the search, each once; settings that change nothing are not tried."""
    names = set()
    for values in itertools.product(*search.values()) if search else ():
        tried = dict(zip(search, values, strict=True))
        candidate = _validated({**settings.model_dump(), **tried}, "search")
        searched = {k: v for k, v in tried.items() if k not in candidate.unused}
        run = PlannedRun(settings=candidate.without_unused(), searched=searched)
        if searched and run.name not in names:
            names.add(run.name)
            yield run


def refuse_equal_names(rows: Sequence[PlannedRow], entries: Sequence[Mapping[str, Any]]) -> None:
    """Raise WrongValue if two rows would have runs of the same name, or one of too long a name.

    `entries` are the configuration's `rows`.
    """
    seen: dict[str, int] = {}
    for row in rows:
        of_row = row.run(row.settings.seed)
        if of_row.name in seen:
            raise _same_name(row, seen[of_row.name], entries[row.entry])
        seen[of_row.name] = row.entry
        for run in (*row.candidates, of_row):
            if len(run.name) > LONGEST_RUN_NAME:
                message = f"a run's name would have {len(run.name)} letters: {LONGEST_RUN_NAME}"
                place = "search" if run.searched else "corpora"
                raise WrongValue((place,), f"{message} are possible: {run.name}")


def _same_name(row: PlannedRow, other: int, entry: Mapping[str, Any]) -> WrongValue:
    model = row.run(0).model
    telling = ", ".join(sorted(ROW_NAME_KEYS))
    if row.entry != other:
        message = f"is the same network, {model}, as `rows[{other}]`: rows differ in {telling}"
        return WrongValue(("rows", row.entry), message)
    key = next(k for k, v in entry.items() if isinstance(v, list) and k not in ROW_NAME_KEYS)
    message = f"makes {model} several times: rows differ in {telling}; give this list to `search`"
    return WrongValue(("rows", row.entry, key), message)
