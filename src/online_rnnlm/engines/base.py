"""Weights as PyTensor keeps them, and what scoring gives: what the engines share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR
from online_rnnlm.config.testing import LearnAfter, UnitOfText
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.model.parameters import Parameters, like, named
from online_rnnlm.model.sizes import Sizes

SCORING_SENTENCES = 64
"""Sentences scored side by side; the results do not depend on it but for rounding."""

Array = NDArray[Any]
Sentences = NDArray[np.int64]
NO_SENTENCES: Sentences = np.empty(0, np.int64)


class Scores(NamedTuple):
    """What scoring S sentences gives."""

    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, `</s>` counted, sentence after sentence."""
    document_vectors: NDArray[Any]
    """(S, D): the document vector after every sentence's last word."""
    hidden_states: NDArray[Any]
    """(tokens, M): what every word was predicted from; (0, M) if not asked for."""


def first_words(offsets: NDArray[np.int64], sentences: Sentences) -> NDArray[np.int64]:
    """(S + 1,): the row of each of these sentences' first word in their scores, and the last end.

    The sentences come in the order in which they are given.
    """
    ends = np.cumsum(offsets[sentences + 1] - offsets[sentences])
    return np.concatenate([np.zeros(1, np.int64), ends])


def empty_scores(
    sentences: int, tokens: int, sizes: Sizes, dtype: DTypeLike, *, states: int = 0
) -> Scores:
    """Zeros for so many sentences, words and hidden states."""
    vectors = np.zeros((sentences, sizes.document), dtype)
    return Scores(np.zeros(tokens), vectors, np.zeros((states, sizes.hidden), dtype))


@dataclass(frozen=True)
class OnlineSettings:
    """What learns during testing, how fast, after how many words, and from how far back."""

    learning: frozenset[str]
    """Groups of parameters, of `parameters.GROUPS`."""
    learning_rate: float
    """Rate of their plain steps."""
    document_rate: float
    """Rate of the document vector; 0 holds it still."""
    bptt_steps: int
    """Hidden states that a word's loss is propagated through; a sentence's goes through all."""
    learn_after: LearnAfter = "word"
    """What the parameters that learn take a step after."""
    unit_of_text: UnitOfText = "sentence"
    """What begins with the trained weights and a document vector of 0; `stream`: all of a call."""

    @classmethod
    def of_parts(
        cls,
        parts: frozenset[str],
        rate: float,
        document_rate: float,
        *,
        bptt_steps: int,
        learn_after: LearnAfter = "word",
        unit_of_text: UnitOfText = "sentence",
    ) -> OnlineSettings:
        """Let these parts, some of `config.evaluations.PARTS`, learn at a rate.

        A vector that learns beside weights keeps `document_rate`, the one it was trained with.
        """
        groups = parts - {DOCUMENT_VECTOR}
        of_vector = document_rate if groups else rate
        return cls(
            groups,
            learning_rate=rate if groups else 0.0,
            document_rate=of_vector if DOCUMENT_VECTOR in parts else 0.0,
            bptt_steps=bptt_steps,
            learn_after=learn_after,
            unit_of_text=unit_of_text,
        )


def unit_beginnings(split: Split, sentences: Sentences, unit_of_text: str) -> NDArray[np.bool_]:
    """Whether a unit of text begins with each of these sentences (S,), taken in this order."""
    begins = np.ones(len(sentences), np.bool_)
    if unit_of_text == "stream":
        begins[1:] = False
    elif unit_of_text == "document" and split.articles.size:
        articles = split.articles[sentences]
        begins[1:] = articles[1:] != articles[:-1]
    return begins


@dataclass(frozen=True)
class SharedState:
    """Weights and accumulators as PyTensor's shared variables."""

    weights: Parameters
    accumulators: Parameters

    @classmethod
    def copy_of(
        cls, weights: Parameters, accumulators: Parameters, *, fixed_shapes: bool = False
    ) -> SharedState:
        """New shared variables with copies of these values.

        With `fixed_shapes` the values' shapes are part of the variables' types.
        """
        variables = (_shared(values, fixed_shapes) for values in (weights, accumulators))
        return cls(*variables)

    def values(self) -> tuple[Parameters, Parameters]:
        """Weights and accumulators; not copies."""
        weights = like(self.weights, (v.get_value(borrow=True) for v in self.weights))
        return weights, like(weights, (v.get_value(borrow=True) for v in self.accumulators))

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Copy these values in."""
        for variable, array in zip(self.weights, weights, strict=True):
            variable.set_value(array)
        for variable, array in zip(self.accumulators, accumulators, strict=True):
            variable.set_value(array)


def _shared(values: Parameters, fixed_shapes: bool) -> Parameters:
    items = values._asdict().items()
    return like(
        values,
        (pytensor.shared(a, n, **({"shape": a.shape} if fixed_shapes else {})) for n, a in items),
    )


class SharedTrainer:
    """What the trainers share: the settings and the weights."""

    def __init__(
        self,
        settings: RunSettings,
        weights: Parameters,
        accumulators: Parameters,
        *,
        fixed_shapes: bool = False,
    ) -> None:
        self._settings = settings
        self._real = np.dtype(settings.precision).type
        self._state = SharedState.copy_of(weights, accumulators, fixed_shapes=fixed_shapes)

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


def weight_symbols(dtype: str, names: tuple[str, ...] = Parameters._fields) -> Parameters:
    """Symbolic inputs for all weights: those of the sigmoid cell, unless `names` says others."""
    return named({name: pt.matrix(name, dtype=dtype) for name in names})


class Trainer(Protocol):
    """Weights that learn from sentences."""

    def update(self, sentences: Sentences, learning_rate: float) -> float:
        """Learn from the training sentences of these numbers, in order; returns their log P."""

    @property
    def weights(self) -> Parameters:
        """The weights now; not copies."""

    @property
    def accumulators(self) -> Parameters:
        """AdaGrad's sums of squared gradients now; not copies."""

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Go on from copies of these."""


class Scorer(Protocol):
    """A function that scores sentences with given weights."""

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Scores of these sentences; a rate of 0 holds the document vector still at 0."""


class OnlineScorer(Protocol):
    """A scorer whose weights learn from what they have scored."""

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Scores of these sentences, read in this order, from the weights given at the start."""

    @property
    def weights(self) -> Parameters:
        """The weights as the last call has left them; not copies."""
