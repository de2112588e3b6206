"""The parts that all engines share: their interface, their results, and a training's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from online_rnnlm.core.arrays import Array, Floats
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.carried import Carried
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule
    from online_rnnlm.core.text import Split


class CannotCompute(Exception):
    """The error that an engine cannot compute on this machine."""


class Scores(NamedTuple):
    """The result of scoring a text; what the order leaves out has scores of 0."""

    log_probabilities: Floats
    """(tokens,): natural log P of every word, `</s>` counted."""
    document_vectors: Array
    """(S, D): d after every sentence's last word."""
    hidden_states: Array
    """(tokens, M): h, which every word was predicted from; (0, M) if not asked for."""
    weights: Parameters
    """The weights after the last word; those given, where none are updated."""


def empty_scores(weights: Parameters, split: Split, *, hidden_states: bool) -> Scores:
    """Make scores of 0 for a text, with these weights; with room for hidden states if wanted."""
    dtype = weights.recurrent.dtype
    states = (split.tokens if hidden_states else 0, weights.word_output.shape[1])
    return Scores(
        np.zeros(split.tokens),
        np.zeros((split.sentences, len(weights.class_document)), dtype),
        np.zeros(states, dtype),
        weights,
    )


class TrainingState(NamedTuple):
    """The state of a training between two batches."""

    weights: Parameters
    accumulators: Parameters
    """AdaGrad's sums of squared gradients."""
    carried: Carried
    """The state after the segments that were read last, by lane."""
    deferred: tuple[Array, ...]
    """The deferred updates, those by words of rare classes, in arrays of the engine's choice."""


class Engine(Protocol):
    """A network on a vocabulary, which an engine trains and scores with."""

    network: NetworkSettings
    rule: TrainingRule

    def __init__(
        self, network: NetworkSettings, rule: TrainingRule, class_offsets: Integers
    ) -> None:
        """Prepare the engine; raises CannotCompute if it cannot use its device.

        `class_offsets` (K + 1,) are those of the vocabulary's classes.
        """

    def start(
        self, weights: Parameters, accumulators: Parameters, carried: Carried
    ) -> TrainingState:
        """Make the state of a training that has deferred nothing, from these arrays."""

    def train(
        self, state: TrainingState, split: Split, order: Order, learning_rate: float, key: int = 0
    ) -> tuple[float, TrainingState]:
        """Learn from segments, batch after batch; return their log P and the new state.

        The arrays of the given state may change: use those of the new one. `split` has the segments
        as its sentences. `key` is that of dropout's random numbers (`kernels.dropout`).
        """

    def apply_deferred(self, state: TrainingState, learning_rate: float) -> TrainingState:
        """Apply all deferred updates; none are left. Use the new state, as with `train`."""

    def score(
        self,
        weights: Parameters,
        split: Split,
        order: Order,
        adaptation: Adaptation,
        carried: Carried,
        *,
        hidden_states: bool = False,
    ) -> tuple[Scores, Carried]:
        """Score segments of a text in an order, each lane from its state in `carried`.

        Returns the scores, and the state after the last segments. Weights and `carried` stay as
        they are. If the adaptation updates weights, the order has a single lane, and each unit of
        text begins with the given weights.
        """
