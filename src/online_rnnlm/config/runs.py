"""A run: its settings, the names that they give it, and the digits of all that decides it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from online_rnnlm.config.base import Name, Settings
from online_rnnlm.config.code import Modules, of_training
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.config.rivals import RunRivalName
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import UNITS, RunSettings
from online_rnnlm.core.adaptation import Adaptation

_LONGEST_NAME = 200
"""Number of letters that a run's name has at most: files and folders are named after it."""
DIGITS = 8
"""Number of digits of a digest that a folder's name has."""
TOLD = ("cell", "unit_of_text", "document_step", "document_gradient", "engine")
"""The settings that the names of runs and networks tell, beside the sizes, if they are not the
default."""
_IN_WORDS = {
    "document": f"per {UNITS['document']}",
    "stream": UNITS["stream"],
    "words": "without errors",
    "through": "through updates",
}
"""The words in a network's name for some values of these settings."""


class Digits(Settings):
    """The beginnings of the digests of all that decides results beside the settings of training."""

    code: dict[str, str]
    """The first digits of the fingerprint of this program's code, by the modules that decide a
    result, with spaces between them (`config.code`)."""
    corpora: dict[Name, str]
    """By corpus, the first digits of a digest of its settings, its text and its code."""
    texts: dict[Name, dict[str, str]] = Field(default={})
    """By corpus and path, the sha256 of each of the user's files that its preparation reads."""

    def folder_of(self, corpus: str) -> str:
        """Return the name of a corpus's folder, such as `wikipedia-vital-3f0a9c21`."""
        return _with_digits(corpus, self.corpora.get(corpus, ""))

    def of_code(self, modules: Modules) -> str:
        """Return the first digits of the fingerprint of modules; none in a plan without digits."""
        return self.code.get(" ".join(modules), "")


def _with_digits(name: str, digits: str) -> str:
    """Return the name of a folder; without digits, which tests leave out, it is the name alone."""
    return f"{name}-{digits}" if digits else name


@dataclass(frozen=True)
class Run:
    """The settings of a run, and the names that they give it."""

    settings: RunSettings
    """Its settings: those before the search has chosen some, until `jobs.choice` fills them in."""
    corpus_folder: str
    """The name of its corpus's folder."""
    searched: dict[str, Any] = field(default_factory=dict)
    """The values that a run of the search tries; empty for a row's run."""
    candidates: tuple[str, ...] = ()
    """Names of the runs of the search, for a row's run; it takes the values of the best one."""
    chosen: str = ""
    """Name of the best one, once `jobs.choice` has taken its values."""
    testing: TestingSettings = field(default_factory=TestingSettings)
    """The settings of its row's testing, which decide nothing in its training."""
    identity: str = ""
    """sha256 of its plan, which decides its weights; empty for a run that is in no experiment."""
    hopeless: bool = False
    """True if all its candidates have diverged: there are no settings to train it with."""

    @property
    def name(self) -> str:
        """Name of the run's directory, such as `wikipedia-vital-M100-D20-seed1-3f0a9c21`."""
        s = self.settings
        searched = [f"{key}{value}" for key, value in self.searched.items()]
        units = s.network.context_units
        context = f"-C{units}" if units else ""
        sizes = f"M{s.hidden_size}{context}-D{s.document_size}"
        name = "-".join([s.corpus, sizes, *_told(s).values(), *searched, f"seed{s.seed}"])
        return _with_digits(name[:_LONGEST_NAME], self.identity[:DIGITS])

    @property
    def evaluations(self) -> dict[str, Adaptation | RunRivalName]:
        """Its evaluations, by name."""
        return evaluations_of(self.settings, self.testing)

    @property
    def gpus(self) -> int:
        """The number of GPUs that its jobs need."""
        return int(self.settings.device == "gpu")

    @property
    def network_name(self) -> str:
        """The network's name for people, such as `100/20 per article`."""
        return network_name(self.settings)

    @property
    def label(self) -> str:
        """The run's name for people: `100/20, seed 1`, or `100/20, learning rate 0.1, seed 0`."""
        tried = (
            f"{key.replace('_', ' ')} {value if isinstance(value, str) else f'{value:g}'}"
            for key, value in self.searched.items()
        )
        return ", ".join([self.network_name, *tried, f"seed {self.settings.seed}"])

    def settings_with(self, searched: Mapping[str, Any]) -> RunSettings:
        """The run's settings with these values of those that are searched."""
        return self.settings.model_copy(update=dict(searched)).without_unused()


def network_name(settings: RunSettings) -> str:
    """Return a network's name for people, with all that tells rows apart.

    M/D stands for M hidden units and a vector of D numbers, M+C/D for C slow context units beside
    them. What is not the default is told in words: `100/20 per article`, `LSTM 100/0 by jax`.
    """
    units = settings.network.context_units
    context = f"+{units}" if units else ""
    told = _told(settings)
    cell = told.pop("cell", "").upper()
    engine = f"by {told.pop('engine')}" if "engine" in told else ""
    sizes = f"{settings.hidden_size}{context}/{settings.document_size}"
    words = [cell, sizes, *(_IN_WORDS[value] for value in told.values()), engine]
    return " ".join(filter(None, words))


def _told(settings: RunSettings) -> dict[str, str]:
    """Return the settings that a name tells beside the sizes: those that are not the default.

    Slow context units are told by their number.
    """
    values = {key: getattr(settings, key) for key in TOLD if key not in settings.unused}
    return {
        key: value
        for key, value in values.items()
        if value not in (RunSettings.model_fields[key].default, "slow_context")
    }


def identity_of(
    settings: RunSettings,
    digits: Digits,
    undecided: Iterable[str] = (),
    candidates: Sequence[str] = (),
) -> str:
    """Return the sha256 of a run's plan; its first digits are a part of the run's name.

    A plan has the run's settings, without those that change nothing and those that a search will
    choose, its candidates, its corpus, and the code that decides its weights.
    """
    without = {*settings.unused, *undecided}
    planned = {
        "settings": settings.model_dump(mode="json", exclude=without),
        "candidates": candidates,
        "corpus": digits.folder_of(settings.corpus),
        "core": digits.of_code(of_training(settings)),
    }
    return digest_of(planned)


def digest_of(values: Any) -> str:
    """Return the sha256 of values, as JSON, in hexadecimal digits."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
