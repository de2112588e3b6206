"""The rules by which weights take steps, chosen by the type of the optimizer.

A rule sees a row of weights (n,), the gradient ∂L/∂w (n,) and what is kept for each of the weights.
"""

from __future__ import annotations

import math
from typing import Any

from numba.extending import overload

from online_rnnlm.engines.kernels.data import Decaying, Optimizer


def _step_in_training(weights, gradient, kept, optimizer):
    """Take one step of AdaGrad or of plain descent, with the L2 penalty.

    g = ∂L/∂w + l2 w; AdaGrad (Duchi et al., 2011): G += g², w -= rate g / √G; else w -= rate g.
    `kept` are the accumulators, G.
    """
    rate, l2 = optimizer.learning_rate, optimizer.l2
    if optimizer.adagrad:
        for j in range(weights.size):
            total_gradient = gradient[j] + l2 * weights[j]
            total = kept[j] + total_gradient * total_gradient
            kept[j] = total
            weights[j] -= rate * total_gradient / math.sqrt(total)
    else:
        for j in range(weights.size):
            weights[j] -= rate * (gradient[j] + l2 * weights[j])


def _step_and_decay(weights, gradient, kept, optimizer):
    """Take one step of dynamic evaluation: w = w₀ + k (w - w₀) - rate s ∂L/∂w.

    `kept` are `dynamic.KEPT`: w₀, the trained weight; k, the share of what was learnt that is kept;
    and the scale s.
    """
    rate = optimizer.learning_rate
    for j in range(weights.size):
        trained = kept[j]["trained"]
        learnt = kept[j]["keep"] * (weights[j] - trained)
        weights[j] = trained + learnt - rate * kept[j]["scale"] * gradient[j]


_RULES = {Optimizer: _step_in_training, Decaying: _step_and_decay}


def step_row(weights: Any, gradient: Any, kept: Any, optimizer: Any) -> None:
    """Take one step of a row of weights."""
    _RULES[type(optimizer)](weights, gradient, kept, optimizer)


@overload(step_row, jit_options={"fastmath": True, "error_model": "numpy"})
def _step_row(weights, gradient, kept, optimizer):
    return _RULES[optimizer.instance_class]
