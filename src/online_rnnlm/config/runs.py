"""The runs of an experiment: how a configuration gives their settings, their names, their plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field

from online_rnnlm.config.base import Name, Settings, WrongValue
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.rows import ROW_KEYS, Searches, combinations, searched_in, settings_of
from online_rnnlm.config.training import RunSettings

_LONGEST_NAME = 200
"""Number of letters that a run's name has at most: files and folders are named after it."""
DIGITS = 8
"""Number of digits of a digest that a folder's name has."""
_TOLD = ("cell", "unit_of_text", "carry", "document_gradient", "engine")
"""The settings that a run's name tells if they are not the default."""
_IN_WORDS: Mapping[str, Mapping[str, str]] = {
    "unit_of_text": {"document": "per article", "stream": "stream"},
    "carry": {"state": "carrying the state", "vector": "carrying the vector"},
    "document_gradient": {"through": "through updates"},
}
"""The words in a network's name for settings that do not have their default value."""


class Digits(Settings):
    """The beginnings of the digests of all that decides results beside the settings of training."""

    core: str
    """Those of the code in `core`."""
    corpora: dict[Name, str]
    """For each corpus, those of its settings, of its text, and of the code that prepares it."""

    def folder_of(self, corpus: str) -> str:
        """Return the name of a corpus's folder, such as `wikipedia-vital-3f0a9c21`."""
        return named(corpus, self.corpora.get(corpus, ""))


def named(name: str, digits: str) -> str:
    """Return the name of a folder, with its digits if it has some."""
    return f"{name}-{digits}" if digits else name


class Run(Settings):
    """The settings of a run, and the names that they give it.

    In a plan the settings are those before the search has chosen some.
    """

    settings: RunSettings
    searched: dict[str, Any] = Field(default={})
    """The values that a run of the search tries; empty for a row's run."""
    candidates: tuple[str, ...] = ()
    """Names of the runs of the search, for a row's run; it takes the values of the best one."""
    identity: str = ""
    """sha256 of its plan, which decides its weights; empty for a run that is in no experiment."""
    corpus_digits: str = ""
    """The digits of its corpus."""
    hopeless: bool = False
    """True if all its candidates have diverged: there are no settings to train it with."""

    @property
    def name(self) -> str:
        """Name of the run's directory, such as `wikipedia-vital-M100-D20-seed1-3f0a9c21`."""
        s = self.settings
        told = _TOLD if s.unit_of_text != "sentence" else [key for key in _TOLD if key != "carry"]
        changed = [value for key in told for value in _changed(s, key) if value != "slow_context"]
        searched = [f"{key}{value}" for key, value in self.searched.items()]
        context = f"-C{s.context_units}" if s.context_units else ""
        sizes = f"M{s.hidden_size}{context}-D{s.document_size}"
        name = "-".join([s.corpus, sizes, *changed, *searched, f"seed{s.seed}"])
        return named(name[:_LONGEST_NAME], self.identity[:DIGITS])

    @property
    def corpus_folder(self) -> str:
        """The name of its corpus's folder."""
        return named(self.settings.corpus, self.corpus_digits)

    @property
    def model(self) -> str:
        """The network's name for people, such as `100/20 per article`."""
        return network_name(self.settings)

    @property
    def label(self) -> str:
        """The run's name for people: `100/20, seed 1`, or `100/20, learning rate 0.1, seed 0`."""
        tried = (
            f"{key.replace('_', ' ')} {value if isinstance(value, str) else f'{value:g}'}"
            for key, value in self.searched.items()
        )
        return ", ".join([self.model, *tried, f"seed {self.settings.seed}"])

    def settings_with(self, searched: Mapping[str, Any]) -> RunSettings:
        """The run's settings with these values of those that are searched."""
        return self.settings.model_copy(update=dict(searched)).without_unused()


def network_name(settings: RunSettings) -> str:
    """Return a network's name for people, with all that tells rows apart.

    M/D stands for M hidden units and a vector of D numbers, M+C/D for C slow context units beside
    them. What is not the default is told in words: `100/20 per article`, `LSTM 100/0 by jax`.
    """
    context = f"+{settings.context_units}" if settings.context_units else ""
    sizes = f"{settings.hidden_size}{context}/{settings.document_size}"
    cell = [] if context else [name.upper() for name in _changed(settings, "cell")]
    others = (
        words.get(getattr(settings, key))
        for key, words in _IN_WORDS.items()
        if key not in settings.unused
    )
    engine = [f"by {name}" for name in _changed(settings, "engine")]
    return " ".join([*cell, sizes, *filter(None, others), *engine])


def _changed(settings: RunSettings, key: str) -> list[str]:
    """Return a setting's value, as a list of one, or no value if it is the default."""
    value = getattr(settings, key)
    return [] if value == RunSettings.model_fields[key].default else [value]


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


def plan_row(
    entry: int,
    settings: RunSettings,
    searches: Searches,
    seeds: Sequence[int],
    corpus: CorpusSettings,
    known: Digits,
) -> PlannedRow:
    """Plan the runs of a row. `settings` have the seed of the search.

    `known` are the digits of the corpora and of the code. Each run of the search is there once;
    settings that change nothing are not tried. Raises WrongValue if settings do not go together.
    """
    candidates: dict[RunSettings, Run] = {}
    corpus_digits = known.corpora.get(settings.corpus, "")
    for search in searches:
        for tried in combinations(searched_in(search)):
            values = settings.model_dump() | search | tried
            candidate = settings_of(values, corpus.classes.count, "search").without_unused()
            searched = {key: value for key, value in tried.items() if key not in candidate.unused}
            if searched and candidate not in candidates:
                candidates[candidate] = Run(
                    settings=candidate,
                    searched=searched,
                    identity=_identity(candidate, known),
                    corpus_digits=corpus_digits,
                )
    chosen_later = {key for search in searches for key in searched_in(search)}
    names = tuple(run.name for run in candidates.values())
    runs = []
    for seed in seeds:
        of_seed = settings.model_copy(update={"seed": seed})
        run = Run(
            settings=of_seed,
            candidates=names,
            identity=_identity(of_seed, known, chosen_later if names else (), names),
            corpus_digits=corpus_digits,
        )
        runs.append(run)
    return PlannedRow(entry, tuple(candidates.values()), tuple(runs))


def _identity(
    settings: RunSettings,
    known: Digits,
    searched: Iterable[str] = (),
    candidates: Sequence[str] = (),
) -> str:
    """Return the sha256 of a run's plan; its first digits are a part of the run's name.

    A plan has the run's settings, without those that change nothing and those that a search will
    choose, its candidates, its corpus, and the code that decides its weights.
    """
    without = {*settings.unused, *searched}
    planned = {
        "settings": settings.model_dump(mode="json", exclude=without),
        "candidates": candidates,
        "corpus": known.folder_of(settings.corpus),
        "core": known.core,
    }
    return digest_of(planned)


def digest_of(values: Any) -> str:
    """Return the sha256 of values, as JSON, in hexadecimal digits."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def refuse_equal_rows(rows: Sequence[PlannedRow]) -> None:
    """Raise WrongValue if two rows on a corpus are the same network: tables could not tell them."""
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        model = row.runs[0].model
        network = (row.settings.corpus, model)
        if network in seen:
            what = f"is the same network, {model}, as `rows[{seen[network]}]`"
            told = f"rows differ in {', '.join(sorted(ROW_KEYS))}"
            advice = "values to choose from belong in `search`"
            raise WrongValue(("rows", row.entry), f"{what}: {told}; {advice}")
        seen[network] = row.entry
