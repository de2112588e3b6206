"""The base classes of the rivals: models that a user would choose instead of the paper's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.storage.records import Mixture, Trial

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]


class Rival(ABC):
    """A model to compare with: `fit` it, then `score` texts with it.

    A rival belongs to a run or to a corpus: it derives from `RunRival` or from `CorpusRival`.
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


class ScoredText(NamedTuple):
    """A split and a network's scores of it, in the text's order."""

    targets: Tokens
    """(N,): ids of the tokens."""
    log_probabilities: Floats
    """(N,): natural log P of each."""
    hidden_states: States
    """(N, M): the state that each token was predicted from; (N, 0) for a rival that needs none."""


class LearningText(Protocol):
    """A split that a run's network reads while all of its weights learn."""

    def learnt(self, *, learning_rate: float, decay: float, epsilon: float, tokens: int) -> Floats:
        """Natural log P of every token, float64 (N,); see `engines.kernels.dynamic.Dynamics`."""


class RunRival(Rival):
    """A rival that adds to a run's network; its document vector, if any, learns as in training."""


class MixedRival(RunRival):
    """A rival that mixes a network's probabilities with others."""

    needs_hidden_states: ClassVar[bool] = False

    @abstractmethod
    def fit(self, valid: ScoredText) -> None:
        """Choose the settings that make `valid` most probable."""

    @abstractmethod
    def score(self, text: ScoredText) -> Floats:
        """Natural log P of every token, float64 (N,)."""

    @abstractmethod
    def cost(self, state_size: int) -> float:
        """Multiply-adds per word that it adds to a network whose states have that length."""


class LearningRival(RunRival):
    """A rival in which all weights of a network learn."""

    multiply_adds_per_step: ClassVar[int]
    """Multiply-adds of a step of one weight, beside those of its gradient."""

    @abstractmethod
    def fit(self, valid: LearningText) -> None:
        """Choose the settings that make `valid` most probable."""

    @abstractmethod
    def score(self, text: LearningText) -> Floats:
        """Natural log P of every token, float64 (N,)."""


class ComposedRival(RunRival):
    """A rival that is composed of a run's network and its other rivals, by their scores alone."""

    @abstractmethod
    def fit(self, valid: Mapping[str, Floats]) -> None:
        """Choose what makes `valid` most probable.

        `valid` has natural log P of every token, float64 (N,), for each part by its name; the first
        is the network.
        """

    @abstractmethod
    def score(self, text: Mapping[str, Floats]) -> Floats:
        """Natural log P of every token, float64 (N,), from those of the same parts."""

    @abstractmethod
    def smaller(self, valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> list[Mixture]:
        """Mix smaller sets of the parts, each with its own best settings; say what each reaches."""


class CorpusCost(NamedTuple):
    """The size of a model of a corpus, and its cost of a word."""

    parameters: int
    multiply_adds_per_word: float


class CorpusRival(Rival):
    """A rival that is trained on a corpus and has no seed: one for each corpus."""

    @abstractmethod
    def fit(self, corpus: Corpus) -> None:
        """Train on `train`, and choose settings, if there are any, on `valid`."""

    @abstractmethod
    def score(self, split: Split) -> Floats:
        """Natural log P of every token, float64 (tokens,)."""

    @abstractmethod
    def cost(self) -> CorpusCost:
        """The size and cost of the fitted model."""
