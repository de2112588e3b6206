"""The compilation of the kernels, by a text of one word.

They are the same for all sizes, cells and options; each precision has its own. Numba keeps the code
in its folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Adaptation
from online_rnnlm.core.arrays import Integers
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines import kernel_engine, kernel_online
from online_rnnlm.core.order import Order
from online_rnnlm.core.parameters import Parameters, copy, filled
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.core.text import Split

if TYPE_CHECKING:
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule


class _OneWord(NamedTuple):
    """A network of constant weights on two words of one class, and a text of one word."""

    offsets: Integers
    split: Split
    order: Order
    weights: Parameters
    carried: Carried


def _one_word(network: NetworkSettings) -> _OneWord:
    weights = filled(Sizes.of(network, vocabulary=2, classes=1), 0.1, network.precision)
    return _OneWord(
        np.array([0, 2]),
        Split(np.zeros(2, np.int32), np.array([0, 1])),
        Order(np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_)),
        weights,
        Carried.nothing(weights, network.cell, 1),
    )


def compile_training(network: NetworkSettings, rule: TrainingRule) -> None:
    """Compile the kernels that train."""
    offsets, split, order, weights, carried = _one_word(network)
    engine = kernel_engine.Engine(network, rule, offsets)
    state = engine.start(copy(weights), copy(weights), carried)
    engine.train(state, split, order, learning_rate=0.1)
    engine.apply_deferred(state, learning_rate=0.1)


def compile_scoring(network: NetworkSettings, rule: TrainingRule) -> None:
    """Compile the kernels that score, those that update weights while they do among them."""
    offsets, split, order, weights, carried = _one_word(network)
    engine = kernel_engine.Engine(network, rule, offsets)
    for parts in ((DOCUMENT_VECTOR,), PARTS):
        adaptation = Adaptation(parts, weight_rate=0.1)
        engine.score(weights, split, order, adaptation, carried)
    dynamics = kernel_online.DynamicEvaluation(learning_rate=0.1, decay=0.1, epsilon=1.0)
    kernel_online.score_dynamically(network, offsets, weights, weights, split, order, dynamics)
