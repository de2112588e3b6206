"""Scoring by the kernels while weights are updated: by plain steps, or by dynamic evaluation.

Training needs none of it, so `kernel_engine` loads it only to score so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from online_rnnlm.core import parameters
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.base import Scores, empty_scores
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.batches import train_batches
from online_rnnlm.core.engines.kernels.learning import ADAGRAD, GRADIENTS, SGD, learning_of
from online_rnnlm.core.engines.kernels.online import Decay, Learner, score_online
from online_rnnlm.core.order import order_to_train, segments_of
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.engines.kernels.learning import Learning
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule
    from online_rnnlm.core.text import Split

_NEARLY_NOTHING = 1e-30
"""A first sum of squares above 0, so that 0 / √0 does not occur."""
_LEAST_LOG = -1e4
"""It takes the place of log 0."""


def score_updating(
    network: NetworkSettings,
    class_offsets: Integers,
    trained: Parameters,
    split: Split,
    order: Order,
    adaptation: Adaptation,
    carried: Carried,
) -> tuple[Scores, Carried]:
    """Score the segments of an order of one lane while weights take plain steps.

    Returns the scores, with the weights after the last segment, and the state after it.
    """
    weights = parameters.copy(trained)
    # Plain descent ignores the sums; numba needs arrays of their type.
    learning = learning_of(SGD, adaptation.weight_rate or 0.0, weights)._replace(
        embeddings="embeddings" in adaptation.weights,
        recurrent="recurrent" in adaptation.weights,
        output="output" in adaptation.weights,
    )
    model = data.kernel_model(
        network,
        weights,
        class_offsets,
        adaptation.vector_rate_in(network),
        words_a_step=adaptation.words_a_step,
    )
    unused = Decay(trained, trained, np.zeros(0, np.int64), np.zeros(0, np.int64))
    learner = _learner(
        model,
        learning,
        trained,
        unused,
        after_segment=adaptation.after == "sentence",
        bptt_steps=adaptation.steps,
    )
    scores = empty_scores(weights, split, hidden_states=False)
    after = carried.copy()
    score_online(learner, data.text_of(split), order, after, scores)
    return scores, after


class DynamicEvaluation(NamedTuple):
    """The settings of dynamic evaluation (`kernels.online` has its equation)."""

    learning_rate: float
    """η."""
    decay: float
    """λ, 0 or more."""
    epsilon: float
    """ε, as a share of the mean of all m."""


def score_dynamically(
    network: NetworkSettings,
    class_offsets: Integers,
    trained: Parameters,
    rms: Parameters,
    split: Split,
    order: Order,
    dynamics: DynamicEvaluation,
) -> Scores:
    """Score the segments of an order of one lane, with a step of all weights after each.

    `rms` are the `root_mean_squares`. The document vector learns after every word as in training.
    The weights are carried over through the whole text.
    """
    weights = parameters.copy(trained)
    gradients = Parameters(*map(np.zeros_like, trained))
    learner = _learner(
        data.kernel_model(network, weights, class_offsets, network.document_rate),
        learning_of(GRADIENTS, 0.0, gradients),
        trained,
        _decay(rms, dynamics, len(class_offsets) - 1),
        after_segment=True,
        bptt_steps=0,
    )
    scores = empty_scores(weights, split, hidden_states=False)
    nothing = Carried.nothing(weights, network.cell, 1)
    score_online(learner, data.text_of(split), order, nothing, scores)
    return scores


def root_mean_squares(
    network: NetworkSettings,
    rule: TrainingRule,
    class_offsets: Integers,
    weights: Parameters,
    train: Split,
) -> Parameters:
    """m: for each weight the root mean square of the gradients of training's batches.

    AdaGrad with a rate of 0 adds up the squares, and no weight moves.
    """
    segments = segments_of(train, network, rule)
    order = order_to_train(segments, rule, np.arange(len(segments.units) - 1))
    squares = Parameters(*(np.full_like(array, _NEARLY_NOTHING) for array in weights))
    model = data.kernel_model(network, weights, class_offsets, network.document_rate)
    nothing = Carried.nothing(weights, network.cell, order.lanes)
    learning = learning_of(ADAGRAD, 0.0, squares)
    train_batches(model, learning, data.text_of(segments.split), order, nothing)
    return Parameters(*(np.sqrt(array / len(order.segments)) for array in squares))


def _learner(
    model: data.KernelModel,
    learning: Learning,
    trained: Parameters,
    decay: Decay,
    *,
    after_segment: bool,
    bptt_steps: int,
) -> Learner:
    """Make a learner that has learnt nothing."""
    return Learner(
        model,
        learning,
        trained,
        learnt_words=np.zeros(len(trained.embeddings), np.bool_),
        learnt_classes=np.zeros(len(trained.class_output), np.bool_),
        after_segment=after_segment,
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
