"""What every rival can say and do: a model that a user would pick instead of the paper's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.storage.records import Trial

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]


class Rival(ABC):
    """A model to compare with: `fit` it, then `score` texts with it.

    A rival is of a run or of a corpus: it derives from `RunRival` or from `CorpusRival`.
    """

    label: str
    """What legends and tables call it, such as `unigram cache`."""
    note: str = ""
    """A sentence to stand below a table that has it; rivals may share one."""

    def __init__(self, testing: TestingSettings) -> None:
        self.testing = testing
        self.chosen: dict[str, Any] = {}
        """The settings that are best on `valid`, once it is fitted; empty if there are none."""
        self.curve: list[Trial] = []
        """All settings that were tried on `valid`."""

    @property
    def module(self) -> str:
        """Its module, below the package: `rivals.kneser_ney`."""
        return type(self).__module__.partition(".")[2]

    @property
    def name(self) -> str:
        """What its files are called: its module's name, and those settings that decide it."""
        return self.module.rpartition(".")[2]

    @property
    def title(self) -> str:
        """What a table's row calls it, if that says more than the label."""
        return self.label


class ScoredText(NamedTuple):
    """A split as a static network has scored it, in the text's order."""

    targets: Tokens
    """(N,): ids of the tokens."""
    log_probabilities: Floats
    """(N,): natural log P of each."""
    hidden_states: States
    """(N, M): the state that each was predicted from; (N, 0) for a rival that needs none."""


class RunRival(Rival):
    """A static network and something more: one for each run without a document vector."""

    needs_hidden_states: ClassVar[bool] = False

    @abstractmethod
    def fit(self, valid: ScoredText) -> None:
        """Choose what makes `valid` most probable."""

    @abstractmethod
    def score(self, text: ScoredText) -> Floats:
        """Natural log P of every token, float64 (N,)."""

    @abstractmethod
    def cost(self, hidden_size: int) -> float:
        """Multiply-adds a word beside those of a network with so many hidden units."""


class CorpusCost(NamedTuple):
    """What a model of a corpus consists of, and what a word costs."""

    parameters: int
    multiply_adds_per_word: float


class CorpusRival(Rival):
    """A model that is trained on a corpus and has no seed: one for each corpus."""

    @abstractmethod
    def fit(self, corpus: Corpus) -> None:
        """Train on `train`, and choose on `valid` what is to be chosen."""

    @abstractmethod
    def score(self, split: Split) -> Floats:
        """Natural log P of every token, float64 (tokens,)."""

    @abstractmethod
    def cost(self) -> CorpusCost:
        """What the fitted model costs."""
