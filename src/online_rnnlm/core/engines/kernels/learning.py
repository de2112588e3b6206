"""The rules by which weights learn from their gradients."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.engines.kernels.deferred import DeferredUpdates, nothing_deferred
from online_rnnlm.core.engines.kernels.elementwise import add
from online_rnnlm.core.parameters import Parameters

ADAGRAD, SGD, GRADIENTS = range(3)
"""The rules: AdaGrad, plain descent, and none: with `GRADIENTS` the weights stay, and their
gradients are added to the sums."""
_FEW = 4
"""The number of words up to which a step of plain descent needs no room for a gradient."""
_MANY = 100
"""The number of words of one product: BLAS copies the factors of larger ones first."""


class Learning(NamedTuple):
    """The rule, rate and weights of an update."""

    rule: int
    learning_rate: np.floating
    sums: Parameters
    """AdaGrad's sums of squared gradients, or the sums of `GRADIENTS`; plain descent has none."""
    rare_class_words: int
    """Number of words from which the output weights of a class learn; fewer are deferred."""
    deferred: DeferredUpdates
    embeddings: bool
    """True if E learns."""
    recurrent: bool
    """True if W_h learns."""
    output: bool
    """True if W_c, W_o, V_c and V_o learn."""


def learning_of(rule: int, learning_rate: float, sums: Parameters) -> Learning:
    """All weights learn, and no updates are deferred."""
    return Learning(
        rule,
        sums.recurrent.dtype.type(learning_rate),
        sums,
        rare_class_words=0,
        deferred=nothing_deferred(sums, 0),
        embeddings=True,
        recurrent=True,
        output=True,
    )


@njit(cache=True, fastmath=True, error_model="numpy")
def step(weights, gradient, sums, rule, rate):
    """Update weights (n,) by their gradient g (n,) and a rule.

    AdaGrad (Duchi et al., 2011) sets G += g² and w -= rate g / √G, where G are the sums.
    """
    if rule == ADAGRAD:
        for j in range(weights.size):
            total = sums[j] + gradient[j] * gradient[j]
            sums[j] = total
            weights[j] -= rate * gradient[j] / math.sqrt(total)
    elif rule == SGD:
        for j in range(weights.size):
            weights[j] -= rate * gradient[j]
    else:
        add(gradient, sums)


@njit(cache=True)
def learn_by_product(weights, sums, a, b, learning):
    """Update a contiguous matrix by its gradient aᵀ b; a and b have a row for each of n words."""
    rule = learning.rule
    rate = learning.learning_rate
    if rule == SGD and a.shape[0] <= _FEW:
        descend_by_product(weights, a, b, rate)
    else:
        gradient = np.dot(a[:_MANY].T, b[:_MANY])
        for n in range(_MANY, a.shape[0], _MANY):
            add(np.dot(a[n : n + _MANY].T, b[n : n + _MANY]).reshape(-1), gradient.reshape(-1))
        step(weights.reshape(-1), gradient.reshape(-1), sums.reshape(-1), rule, rate)


@njit(cache=True, fastmath=True, error_model="numpy")
def descend_by_product(weights, a, b, rate):
    """Set w -= rate aᵀ b without room for the product, which takes twice as long for few words."""
    for i in range(weights.shape[0]):
        row = weights[i]
        for n in range(a.shape[0]):
            factor = rate * a[n, i]
            values = b[n]
            for j in range(row.size):
                row[j] -= factor * values[j]
