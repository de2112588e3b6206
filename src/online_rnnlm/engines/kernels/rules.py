"""The rules by which weights take steps. An optimizer is a tuple whose type has its rule, `step`.

A rule sees a row of weights (n,), the gradient ∂L/∂w (n,), and what it keeps for each weight (n,).
numba chooses it by the optimizer's type.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from online_rnnlm.engines.kernels.compiled import UNCOUNTED


class Optimizer(NamedTuple):
    """The rule by which training updates weights."""

    adagrad: bool
    """True for AdaGrad, False for plain stochastic gradient descent."""
    learning_rate: np.floating
    l2: np.floating
    """Weight of the L2 penalty."""

    @staticmethod
    def step(weights, gradient, kept, optimizer):
        """Take one step of AdaGrad or of plain descent, with the L2 penalty.

        g = ∂L/∂w + l2 w; AdaGrad (Duchi et al., 2011): G += g², w -= rate g / √G; else
        w -= rate g. `kept` are the accumulators, G.
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


def step_row(weights: Any, gradient: Any, kept: Any, optimizer: Any) -> None:
    """Take one step of a row of weights by the optimizer's rule."""
    optimizer.step(weights, gradient, kept, optimizer)


@overload(step_row, jit_options={"fastmath": True, "error_model": "numpy", **UNCOUNTED})
def _step_row(weights, gradient, kept, optimizer):
    return optimizer.instance_class.step
