"""Sigmoid, hyperbolic tangent and softmax, and the deltas of their inputs."""

from __future__ import annotations

import math

from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.elementary import exponential, larger


@kernel(fastmath=True, error_model="numpy", inline="always")
def logistic(x):
    """σ(x) = 1 / (1 + exp(-x))."""
    one = type(x)(1)
    return one / (one + exponential(-x))


@kernel(fastmath=True, error_model="numpy", inline="always")
def tangent(x):
    """tanh(x) = 1 - 2 / (1 + exp(2 x))."""
    one, two = type(x)(1), type(x)(2)
    return one - two / (one + exponential(two * x))


@kernel(fastmath=True, error_model="numpy")
def sigmoid(inputs, outputs):
    """Set outputs = σ(inputs) = 1 / (1 + exp(-inputs)) for inputs (R, M).

    Outputs may have more columns, which stay: a whole array compiles to vector instructions, while
    some of its columns do not.
    """
    one = inputs.dtype.type(1)
    for i in range(inputs.shape[0]):
        row, result = inputs[i], outputs[i]
        for j in range(row.size):
            result[j] = one / (one + exponential(-row[j]))


@kernel(fastmath=True, error_model="numpy")
def sigmoid_deltas(hidden, gradient, clip, deltas):
    """Set deltas = gradient ⊙ h ⊙ (1 - h), each limited to ±clip, for deltas (R, M).

    The others may have more columns, as the outputs of `sigmoid`.

    `gradient` is ∂L/∂h; the deltas are the derivatives of L by the sigmoid's inputs.
    """
    one = hidden.dtype.type(1)
    for i in range(hidden.shape[0]):
        h, row, result = hidden[i], gradient[i], deltas[i]
        for j in range(result.size):
            delta = row[j] * h[j] * (one - h[j])
            result[j] = min(max(delta, -clip), clip)


@kernel(fastmath=True, error_model="numpy")
def softmax_deltas(scores, target):
    """Turn scores (L,) into their deltas, softmax(scores) - 1[target] = ∂(-log P) by the scores.

    Returns the target's log P.
    """
    one = scores.dtype.type(1)
    top = scores[0]
    for j in range(scores.size):
        top = larger(top, scores[j])
    aim = scores[target] - top
    total = scores.dtype.type(0)
    for j in range(scores.size):
        power = exponential(scores[j] - top)
        scores[j] = power
        total += power
    scale = one / total
    for j in range(scores.size):
        scores[j] *= scale
    scores[target] -= one
    return aim - math.log(total)
