"""The parts that all engines share: scores, settings of learning in testing, and the protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, Learning
from online_rnnlm.config.testing import LearnAfter, UnitOfText
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.lanes import Batches, Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.corpora.corpus import Split

Array = NDArray[Any]
Sentences = NDArray[np.int64]
NO_SENTENCES: Sentences = np.empty(0, np.int64)
ONE_WORD = Split(np.zeros(2, np.int32), np.array([0, 1]))
"""A text of one word, which kernels are compiled with."""


class Scores(NamedTuple):
    """The result of scoring S sentences."""

    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, `</s>` counted, sentence after sentence."""
    document_vectors: NDArray[Any]
    """(S, D): d after every sentence's last word; (S, 0) from a `Scorer` with a rate of 0."""
    hidden_states: NDArray[Any]
    """(tokens, M): h, which every word was predicted from; (0, M) if not asked for."""


def joined_scores(parts: Sequence[Scores]) -> Scores:
    """Return the scores of one or more parts of a text as those of the whole text."""
    return Scores(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def first_words(offsets: NDArray[np.int64], sentences: Sentences) -> NDArray[np.int64]:
    """The row of each sentence's first word in the scores, and last the number of rows: (S + 1,).

    Scores have the sentences in the order in which they are given here.
    """
    ends = np.cumsum(offsets[sentences + 1] - offsets[sentences])
    return np.concatenate([np.zeros(1, np.int64), ends])


def empty_scores(
    weights: Parameters, starts: NDArray[np.int64], *, hidden_states: bool = False
) -> Scores:
    """Make scores of zeros for sentences that begin at these rows, `first_words`."""
    tokens, sentences = int(starts[-1]), len(starts) - 1
    size = len(weights.class_document)
    states = (tokens if hidden_states else 0, weights.word_output.shape[1])
    dtype = weights.recurrent.dtype
    return Scores(np.zeros(tokens), np.zeros((sentences, size), dtype), np.zeros(states, dtype))


@dataclass(frozen=True)
class OnlineSettings:
    """Settings of learning during testing: the parts that learn, their rates, and the moments."""

    learning: frozenset[str]
    """The groups of `parameters.GROUPS` that learn."""
    learning_rate: float
    """Rate of these groups' plain steps."""
    document_rate: float
    """Rate of the document vector; with 0 it does not change."""
    bptt_steps: int
    """Number of hidden states that a word's loss is propagated through; a sentence's uses all."""
    learn_after: LearnAfter = "word"
    """The stretch of text after which what learns takes a step; a number of words if there are no
    groups, so that the vector learns alone."""
    unit_of_text: UnitOfText = "sentence"
    """The unit that starts from the trained weights and d = 0; `stream`: all that a call scores."""
    carries_state: bool = False
    """True if the hidden state lives on from one sentence of a unit to the next."""

    @classmethod
    def of(cls, learning: Learning, settings: RunSettings) -> OnlineSettings:
        """Make the settings by which a run's model learns.

        If weights learn, the vector has the rate in `settings`: trained, or tried on `valid`.
        """
        parts, trained = learning.parts(settings.document_size), settings.document_rate
        groups = parts - {DOCUMENT_VECTOR}
        of_vector = trained if groups else learning.learning_rate or trained
        return cls(
            groups,
            learning_rate=(learning.learning_rate or 0.0) if groups else 0.0,
            document_rate=of_vector if DOCUMENT_VECTOR in parts else 0.0,
            bptt_steps=learning.steps,
            learn_after=learning.learn_after,
            unit_of_text=learning.unit_of_text or settings.unit_of_text,
            carries_state=settings.reading.state,
        )


class Trainer(Protocol):
    """Weights that learn from sentences."""

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P.

        `key` is that of dropout's random numbers (`kernels.dropout`).
        """

    @property
    def carried(self) -> Carried:
        """The states and vectors after the segments read last, by lane; not copies."""

    @property
    def weights(self) -> Parameters:
        """The current weights."""

    @property
    def accumulators(self) -> Parameters:
        """AdaGrad's current sums of squared gradients."""

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""


class Scorer(Protocol):
    """A function that scores sentences with given weights."""

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0, d stays 0 and no vectors are returned."""

    def go_on(
        self,
        weights: Parameters,
        split: Split,
        segments: Sentences,
        document_rate: float,
        before: Carried,
    ) -> tuple[Scores, Carried]:
        """Score one segment for each of B lanes, from the states and vectors in `before`.

        Returns the scores, and the states and vectors after the segments.
        """


class OnlineScorer(Protocol):
    """A scorer whose weights learn from what they have scored."""

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""

    @property
    def weights(self) -> Parameters:
        """The weights after the last call, not copies."""
