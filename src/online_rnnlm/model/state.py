"""Weights as PyTensor keeps them, and what scoring gives: what both engines share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from online_rnnlm.configuration import RunSettings
from online_rnnlm.model.parameters import Parameters

SCORING_SENTENCES = 64
"""Sentences scored side by side; the results do not depend on it but for rounding."""

Sentences = NDArray[np.int64]
NO_SENTENCES: Sentences = np.empty(0, np.int64)


class Scores(NamedTuple):
    """What scoring S sentences gives."""

    log_probabilities: NDArray[np.float64]
    """(S,): natural log P of every sentence, `</s>` counted."""
    unk_log_probabilities: NDArray[np.float64]
    """(S,): the share of `<unk>` in it."""
    document_vectors: NDArray[Any]
    """(S, D): the document vector after the last word."""


def empty_scores(sentences: int, document_size: int, dtype: str) -> Scores:
    """Zeros for S sentences."""
    vectors = np.zeros((sentences, document_size), dtype)
    return Scores(np.zeros(sentences), np.zeros(sentences), vectors)


@dataclass(frozen=True)
class OnlineSettings:
    """What learns during testing, and how fast."""

    learning: frozenset[str]
    """Groups of parameters, keys of `parameters.GROUPS`."""
    learning_rate: float
    """Rate of their plain steps."""
    document_rate: float
    """Rate of the document vector; 0 holds it still."""
    steps: int
    """Hidden states that a word's loss is propagated through."""


@dataclass(frozen=True)
class SharedState:
    """Weights and accumulators as PyTensor's shared variables."""

    weights: Parameters
    accumulators: Parameters

    @classmethod
    def copy_of(cls, weights: Parameters, accumulators: Parameters) -> SharedState:
        """New shared variables with copies of these values."""
        return cls(
            Parameters(*(pytensor.shared(a, n) for n, a in weights._asdict().items())),
            Parameters(*(pytensor.shared(a, n) for n, a in accumulators._asdict().items())),
        )

    def values(self) -> tuple[Parameters, Parameters]:
        """Weights and accumulators; not copies."""
        weights = Parameters(*(v.get_value(borrow=True) for v in self.weights))
        return weights, Parameters(*(v.get_value(borrow=True) for v in self.accumulators))

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Copy these values in."""
        for variable, array in zip(self.weights, weights, strict=True):
            variable.set_value(array)
        for variable, array in zip(self.accumulators, accumulators, strict=True):
            variable.set_value(array)


class SharedTrainer:
    """What both trainers share: the settings and the weights."""

    def __init__(
        self, settings: RunSettings, weights: Parameters, accumulators: Parameters
    ) -> None:
        self._settings = settings
        self._real = np.dtype(settings.precision).type
        self._state = SharedState.copy_of(weights, accumulators)

    @property
    def weights(self) -> Parameters:
        """The weights now; not copies."""
        return self._state.values()[0]

    @property
    def accumulators(self) -> Parameters:
        """AdaGrad's sums now; not copies."""
        return self._state.values()[1]

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Go on from copies of these."""
        self._state.set(weights, accumulators)


def weight_symbols(dtype: str) -> Parameters:
    """Symbolic inputs for all weights."""
    return Parameters(*(pt.matrix(name, dtype=dtype) for name in Parameters._fields))
