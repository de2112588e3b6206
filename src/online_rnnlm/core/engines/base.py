"""The parts that all engines share: scores, and the protocols of trainers and scorers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from online_rnnlm.core.arrays import Array, Floats, Integers
from online_rnnlm.core.lanes import Batches, Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split


class CannotCompute(Exception):
    """The error that an engine cannot compute on this machine."""


class Scores(NamedTuple):
    """The result of scoring S sentences."""

    log_probabilities: Floats
    """(tokens,): natural log P of every word, `</s>` counted, sentence after sentence."""
    document_vectors: Array
    """(S, D): d after every sentence's last word."""
    hidden_states: Array
    """(tokens, M): h, which every word was predicted from; (0, M) if not asked for."""


def first_words(offsets: Integers, sentences: Integers) -> Integers:
    """The row of each sentence's first word in the scores, and last the number of rows: (S + 1,).

    Scores have the sentences in the order in which they are given here.
    """
    ends = np.cumsum(offsets[sentences + 1] - offsets[sentences])
    return np.concatenate([np.zeros(1, np.int64), ends])


def empty_scores(weights: Parameters, starts: Integers, *, hidden_states: bool = False) -> Scores:
    """Make scores of zeros for sentences that begin at these rows, `first_words`."""
    tokens = int(starts[-1])
    sentences = len(starts) - 1
    size = len(weights.class_document)
    states = (tokens if hidden_states else 0, weights.word_output.shape[1])
    dtype = weights.recurrent.dtype
    return Scores(np.zeros(tokens), np.zeros((sentences, size), dtype), np.zeros(states, dtype))


class Trainer(Protocol):
    """Weights that learn from sentences."""

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P.

        `key` is that of dropout's random numbers (`kernels.dropout`).
        """

    @property
    def carried(self) -> Carried:
        """The states and vectors after the segments read last, by lane; not copies."""

    def apply_deferred(self, learning_rate: float) -> None:
        """Apply all deferred updates, those by words of rare classes; none are left."""

    @property
    def deferred(self) -> tuple[Array, ...]:
        """The arrays of the deferred updates, from which another trainer continues."""

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
        self, weights: Parameters, split: Split, sentences: Integers, document_rate: float
    ) -> Scores:
        """Score these sentences, the document vector learning after every word."""

    def go_on(
        self,
        weights: Parameters,
        split: Split,
        segments: Integers,
        document_rate: float,
        before: Carried,
    ) -> tuple[Scores, Carried]:
        """Score one segment for each of B lanes, from the states and vectors in `before`.

        Returns the scores, and the states and vectors after the segments.
        """


class OnlineScorer(Protocol):
    """A scorer whose weights learn from what they have scored."""

    def score(self, split: Split, sentences: Integers) -> tuple[Scores, Parameters]:
        """Score these sentences in this order, starting from the trained weights.

        Returns the weights after the last sentence, too.
        """
