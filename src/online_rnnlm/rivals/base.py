"""The base classes of the rivals: what a user may add to a static network instead of a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.storage.evaluations import Mixture, Trial

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]


class Rival(ABC):
    """A model to compare with: `fit` it, then `score` texts with it.

    A rival belongs to a run or to a corpus: it derives from a kind of `RunRival`, or from
    `CorpusRival`. The kind says what it is fitted to, and what a text is.
    """

    label: str
    """Its name in legends and tables, such as `unigram cache`."""
    note: str = ""
    """A sentence below every table that contains it; rivals may share one."""

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
    def fit(self, given: Any) -> None:
        """Train, or choose the settings that make `valid` most probable."""

    @abstractmethod
    def score(self, text: Any) -> Floats:
        """Natural log P of every token, float64 (N,)."""


class ScoredText(NamedTuple):
    """A split and a network's scores of it, in the text's order."""

    targets: Tokens
    """(N,): ids of the tokens."""
    log_probabilities: Floats
    """(N,): natural log P of each."""
    hidden_states: States
    """(N, M): the state that each token was predicted from; (N, 0) for a rival that needs none."""


LearningText = Callable[..., Floats]
"""A split that a run's network reads while all of its weights learn: a function of the settings of
dynamic evaluation, `engines.kernels.dynamic.DynamicScorer.score`, that returns natural log P of
every token."""


class RunRival(Rival):
    """A rival that adds to a run's network; its document vector, if any, learns as in training."""


class MixedRival(RunRival):
    """A rival that mixes a network's probabilities with others; `valid` decides its settings.

    It is fitted to the `ScoredText` of `valid`, and scores that of a text.
    """

    needs_hidden_states: ClassVar[bool] = False

    @abstractmethod
    def cost(self, state_size: int) -> float:
        """Multiply-adds per word that it adds to a network whose states have that length."""


class LearningRival(RunRival):
    """A rival in which all weights of a network learn; `valid` decides its settings.

    It is fitted to the `LearningText` of `valid`, and scores that of a text.
    """

    multiply_adds_per_step: ClassVar[int]
    """Multiply-adds of a step of one weight, beside those of its gradient."""


class ComposedRival(RunRival):
    """A rival that is composed of a run's network and its other rivals, by their scores alone.

    A text has natural log P of every token, float64 (N,), for each part by its name; the first is
    the network. `valid` decides the settings.
    """

    @abstractmethod
    def smaller(self, valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> list[Mixture]:
        """Mix smaller sets of the parts, each with its own best settings; say what each reaches."""


class CorpusRival(Rival):
    """A rival that is trained on a corpus and has no seed: one for each corpus.

    It is fitted to the `Corpus`: trained on `train`; `valid` decides its settings, if there are
    any. It scores a `Split`.
    """

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of values that the fitted model stores."""

    @abstractmethod
    def cost(self) -> float:
        """Multiply-adds per word of the fitted model."""
