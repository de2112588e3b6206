"""The base class of the rivals: what a user may add to a static network instead of a vector."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.storage.evaluations import Trial

if TYPE_CHECKING:  # loads engines and pandas; planning does not
    from online_rnnlm.jobs.evaluate import EvaluationFiles

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]
Text = TypeVar("Text")


class Rival(ABC):
    """A model to compare with, which adds to a run's network, or is trained on a corpus alone."""

    label: str
    """Its name in legends and tables, such as `unigram cache`."""
    note: str = ""
    """A sentence below every table that contains it; rivals may share one."""
    contains_network: ClassVar[bool] = False
    """True if it scores with a network's usual scores, so that its costs have those of the network
    in them."""

    def __init__(self, testing: TestingSettings) -> None:
        self.testing = testing
        self.chosen: dict[str, Any] = {}
        """The settings that are best on `valid`, once it is fitted; empty if it has no settings."""
        self.curve: list[Trial] = []
        """All settings that were tried on `valid`."""

    @property
    def name(self) -> str:
        """The name of its files: its module's name, and the settings that distinguish it."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def phrase(self) -> str:
        """Its name after `with`, such as `a unigram cache`."""
        return f"a {self.label}"

    @property
    def title(self) -> str:
        """Its name in a table's row: the label, or one that says more."""
        return self.label

    @abstractmethod
    def evaluate(self, given: Any, files: EvaluationFiles) -> None:
        """Fit it to what is `given`, score the texts, and write what is found.

        Given is the `Network` that it adds to, or, for a rival of a corpus, the `Corpus`. Only
        `train` and `valid` decide its settings.
        """


def timed(
    score: Callable[[Text], Floats], texts: Mapping[str, Text]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Score each text; return the scores and the seconds that each took."""
    logs, seconds = {}, {}
    for name, text in texts.items():
        began = time.perf_counter()
        logs[name] = score(text)
        seconds[name] = time.perf_counter() - began
    return logs, seconds
