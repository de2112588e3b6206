"""The parts that all engines share: scores, settings of learning in testing, and the protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR
from online_rnnlm.config.testing import LearnAfter, UnitOfText
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.engines.lanes import NOTHING, Batches, Carried
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import Sizes

Array = NDArray[Any]
Sentences = NDArray[np.int64]
NO_SENTENCES: Sentences = np.empty(0, np.int64)


class Scores(NamedTuple):
    """The result of scoring S sentences."""

    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, `</s>` counted, sentence after sentence."""
    document_vectors: NDArray[Any]
    """(S, D): the document vector after every sentence's last word."""
    hidden_states: NDArray[Any]
    """(tokens, M + C): the state that feeds the output layer for every word, h and any context
    units; (0, M + C) if not asked for."""


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
    sentences: int, tokens: int, sizes: Sizes, dtype: DTypeLike, *, states: int = 0
) -> Scores:
    """Make scores of zeros for these numbers of sentences, words and hidden states."""
    vectors = np.zeros((sentences, sizes.document), dtype)
    return Scores(np.zeros(tokens), vectors, np.zeros((states, sizes.output), dtype))


def fill_scores(
    scores: Scores,
    places: Sentences,
    starts: Sentences,
    mask: Array,
    log_probabilities: Array,
    documents: Array,
    hidden: Array,
) -> None:
    """Copy the results of a padded batch into the rows of the scores that they belong to.

    `places` (B,) are the numbers of the sentences in the scores, or `NOTHING`; `starts` is that of
    `first_words`; `mask`, `log_probabilities` (T, B) and `hidden` (T, B, M) are padded, `documents`
    (B, D) is d after the last word.
    """
    exists = mask.T > 0  # (B, T)
    lane, time = np.nonzero(exists)
    rows = starts[places[lane]] + time
    scores.log_probabilities[rows] = log_probabilities.T[exists]
    reads = places != NOTHING
    scores.document_vectors[places[reads]] = documents[reads]
    if len(scores.hidden_states):
        scores.hidden_states[rows] = hidden.swapaxes(0, 1)[exists]


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
    """The stretch of text, `word` or `sentence`, after which the groups take a step."""
    unit_of_text: UnitOfText = "sentence"
    """The unit that starts from the trained weights and d = 0; `stream`: all that a call scores."""
    carries_state: bool = False
    """True if the hidden state lives on from one sentence of a unit to the next."""

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
        carries_state: bool = False,
    ) -> OnlineSettings:
        """Make settings by which these parts of `config.evaluations.PARTS` learn at a rate.

        If weights learn too, the document vector keeps `document_rate`, its rate in training.
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
            carries_state=carries_state,
        )


class Trainer(Protocol):
    """Weights that learn from sentences."""

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P.

        `key` is that of dropout's random numbers (`engines.dropout`).
        """

    @property
    def carried(self) -> Carried:
        """The states and vectors after the segments read last, by lane; not copies."""

    @property
    def weights(self) -> Parameters:
        """The current weights, not copies."""

    @property
    def accumulators(self) -> Parameters:
        """AdaGrad's current sums of squared gradients; not copies."""

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""


class Scorer(Protocol):
    """A function that scores sentences with given weights."""

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""


class OnlineScorer(Protocol):
    """A scorer whose weights learn from what they have scored."""

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""

    @property
    def weights(self) -> Parameters:
        """The weights after the last call, not copies."""
