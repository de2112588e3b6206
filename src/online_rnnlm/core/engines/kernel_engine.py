"""Training and scoring by the fast kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from online_rnnlm.core import parameters
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.base import Scores, TrainingState, empty_scores
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.backward import apply_deferred
from online_rnnlm.core.engines.kernels.batches import score_batches, train_batches
from online_rnnlm.core.engines.kernels.deferred import DeferredUpdates, nothing_deferred
from online_rnnlm.core.engines.kernels.learning import (
    ADAGRAD,
    GRADIENTS,
    SGD,
    Learning,
    learning_of,
)
from online_rnnlm.core.engines.kernels.online import Decay, Learner, score_online
from online_rnnlm.core.order import order_to_train, segments_of
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule
    from online_rnnlm.core.text import Split

_NEARLY_NOTHING = 1e-30
"""A first sum of squares above 0, so that 0 / √0 does not occur."""
_LEAST_LOG = -1e4
"""It takes the place of log 0."""


class DynamicEvaluation(NamedTuple):
    """The settings of dynamic evaluation (`kernels.online` has its equation)."""

    learning_rate: float
    """η."""
    decay: float
    """λ, 0 or more."""
    epsilon: float
    """ε, as a share of the mean of all m."""


class Engine:
    """A network by compiled loops; in training they change all arrays in place."""

    def __init__(
        self, network: NetworkSettings, rule: TrainingRule, class_offsets: Integers
    ) -> None:
        self._network = network
        self._rule = rule
        self._class_offsets = class_offsets

    def start(
        self, weights: Parameters, accumulators: Parameters, carried: Carried
    ) -> TrainingState:
        """Make the state of a training that has deferred nothing."""
        deferred = nothing_deferred(weights, self._rule.rare_class_words)
        return TrainingState(weights, accumulators, carried, deferred)

    def train(
        self, state: TrainingState, split: Split, order: Order, learning_rate: float, key: int = 0
    ) -> tuple[float, TrainingState]:
        """Learn from segments, batch after batch; return their log P and the state, the same."""
        network = self._network
        model = data.kernel_model(
            network,
            state.weights,
            self._class_offsets,
            network.document_rate,
            dropout=data.dropout_of(self._rule, key),
        )
        learning = self._learning(state, learning_rate)
        total = train_batches(model, learning, data.text_of(split), order, state.carried)
        return float(total), state

    def apply_deferred(self, state: TrainingState, learning_rate: float) -> TrainingState:
        """Apply all deferred updates; none are left."""
        rate = self._network.document_rate
        model = data.kernel_model(self._network, state.weights, self._class_offsets, rate)
        apply_deferred(model, self._learning(state, learning_rate))
        return state

    def _learning(self, state: TrainingState, learning_rate: float) -> Learning:
        rule = ADAGRAD if self._rule.optimizer == "adagrad" else SGD
        return learning_of(rule, learning_rate, state.accumulators)._replace(
            rare_class_words=self._rule.rare_class_words,
            deferred=DeferredUpdates(*state.deferred),
        )

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
        """Score segments of a text in an order, each lane from its state in `carried`."""
        rate = adaptation.vector_rate_in(self._network)
        after = carried.copy()
        text = data.text_of(split)
        if adaptation.weights:
            adapted = parameters.copy(weights)
            # Plain descent has no sums, and touches no weights in their place.
            learning = learning_of(SGD, adaptation.weight_rate or 0.0, adapted)._replace(
                embeddings="embeddings" in adaptation.weights,
                recurrent="recurrent" in adaptation.weights,
                output="output" in adaptation.weights,
            )
            unused = Decay(weights, weights, np.zeros(0, np.int64), np.zeros(0, np.int64))
            learner = self._learner(
                weights, adapted, learning, unused, rate, adaptation.words_a_step, adaptation.steps
            )
            scores = empty_scores(adapted, split, hidden_states=False)
            score_online(learner, text, order, after, scores)
            return scores, after
        scores = empty_scores(weights, split, hidden_states=hidden_states)
        words_a_step = adaptation.words_a_step if rate else 1
        model = data.kernel_model(
            self._network, weights, self._class_offsets, rate, words_a_step=words_a_step
        )
        score_batches(model, text, order, after, scores)
        return scores, after

    def score_dynamically(
        self,
        weights: Parameters,
        rms: Parameters,
        split: Split,
        order: Order,
        dynamics: DynamicEvaluation,
    ) -> Scores:
        """Score the segments of an order of one lane, with a step of all weights after each.

        `rms` are the `root_mean_squares`. The document vector learns after every word as in
        training. The weights are carried over through the whole text.
        """
        adapted = parameters.copy(weights)
        gradients = Parameters(*map(np.zeros_like, weights))
        learner = self._learner(
            weights,
            adapted,
            learning_of(GRADIENTS, 0.0, gradients),
            _decay(rms, dynamics, len(self._class_offsets) - 1),
            self._network.document_rate,
            words_a_step=1,
            bptt_steps=0,
        )
        scores = empty_scores(adapted, split, hidden_states=False)
        nothing = Carried.nothing(weights, self._network.cell, 1)
        score_online(learner, data.text_of(split), order, nothing, scores)
        return scores

    def root_mean_squares(self, weights: Parameters, split: Split) -> Parameters:
        """m: for each weight the root mean square of the gradients of training's batches."""
        network = self._network
        segments = segments_of(split, network, self._rule)
        units = np.arange(len(segments.units) - 1)
        order = order_to_train(segments, network, self._rule, units)
        squares = Parameters(*(np.full_like(array, _NEARLY_NOTHING) for array in weights))
        rate = network.document_rate
        model = data.kernel_model(network, weights, self._class_offsets, rate)
        nothing = Carried.nothing(weights, network.cell, order.lanes)
        learning = learning_of(ADAGRAD, 0.0, squares)
        train_batches(model, learning, data.text_of(segments.split), order, nothing)
        return Parameters(*(np.sqrt(array / len(order.segments)) for array in squares))

    def _learner(
        self,
        trained: Parameters,
        adapted: Parameters,
        learning: Learning,
        decay: Decay,
        vector_rate: float,
        words_a_step: int,
        bptt_steps: int,
    ) -> Learner:
        return Learner(
            data.kernel_model(
                self._network,
                adapted,
                self._class_offsets,
                vector_rate,
                words_a_step=words_a_step,
            ),
            learning,
            trained,
            learnt_words=np.zeros(len(trained.embeddings), np.bool_),
            learnt_classes=np.zeros(len(self._class_offsets) - 1, np.bool_),
            after_segment=words_a_step == 0 or learning.rule == GRADIENTS,
            bptt_steps=bptt_steps,
            decay=decay,
        )


def _decay(rms: Parameters, dynamics: DynamicEvaluation, classes: int) -> Decay:
    """Put together the values of all weights in dynamic evaluation."""
    total = sum(float(array.sum(dtype=np.float64)) for array in rms)
    mean = total / sum(array.size for array in rms)
    with np.errstate(divide="ignore"):
        # No weight loses more than all that it has learnt.
        logs = (np.log1p(-np.minimum(dynamics.decay * (m / mean), 1)) for m in rms)
        log_keep = [np.maximum(array, _LEAST_LOG) for array in logs]
    rates = (dynamics.learning_rate / (m + dynamics.epsilon * mean) for m in rms)
    dtype = rms.recurrent.dtype
    return Decay(
        Parameters(*(array.astype(dtype) for array in log_keep)),
        Parameters(*(array.astype(dtype) for array in rates)),
        np.zeros(len(rms.embeddings), np.int64),
        np.zeros(classes, np.int64),
    )
