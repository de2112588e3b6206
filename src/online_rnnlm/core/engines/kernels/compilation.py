"""The compilation of all kernels, by a text of one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Adaptation
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines import kernel_engine, kernel_online
from online_rnnlm.core.order import Order
from online_rnnlm.core.parameters import copy, filled
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.core.text import Split

if TYPE_CHECKING:
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule


def compile_kernels(network: NetworkSettings, rule: TrainingRule) -> None:
    """Train and test a network: its kernels are compiled, and kept in numba's folder.

    They are the same for all sizes, cells and options; each precision has its own.
    """
    offsets = np.array([0, 2])  # of one class with two words
    split = Split(np.zeros(2, np.int32), np.array([0, 1]))
    order = Order(np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_), keeps_state=False)
    weights = filled(Sizes.of(network, vocabulary=2, classes=1), 0.1, network.precision)
    nothing = Carried.nothing(weights, network.cell, 1)
    engine = kernel_engine.Engine(network, rule, offsets)
    state = engine.start(copy(weights), copy(weights), nothing.copy())
    engine.train(state, split, order, learning_rate=0.1)
    engine.apply_deferred(state, learning_rate=0.1)
    engine.score(weights, split, order, Adaptation((DOCUMENT_VECTOR,)), nothing)
    everything = Adaptation(PARTS, weight_rate=0.1)
    engine.score(weights, split, order, everything, nothing)
    rms = kernel_online.root_mean_squares(network, rule, offsets, weights, split)
    dynamics = kernel_online.DynamicEvaluation(learning_rate=0.1, decay=0.1, epsilon=1.0)
    kernel_online.score_dynamically(network, offsets, weights, rms, split, order, dynamics)
