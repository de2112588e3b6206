"""Functions of single numbers, vectors and rows: exponential, sigmoid, softmax, copies and sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from online_rnnlm.core.engines.kernels.compiled import kernel, view

_LOG2_E = np.float32(1.44269504088896341)
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.12194440e-4)
_LARGEST = np.float32(30.0)
_SMALLEST = np.float32(-30.0)
# Minimax coefficients of exp on [-ln 2 / 2, ln 2 / 2], from expf of the Cephes library.
_C5 = np.float32(1.9875691500e-4)
_C4 = np.float32(1.3981999507e-3)
_C3 = np.float32(8.3334519073e-3)
_C2 = np.float32(4.1665795894e-2)
_C1 = np.float32(1.6666665459e-1)
_C0 = np.float32(5.0000001201e-1)
_ONE = np.float32(1.0)
_EXPONENT_BIAS = np.int32(127)
_MANTISSA_BITS = np.int32(23)


@intrinsic
def _as_float32(typing_context, bits):
    """Reinterpret the 32 bits of an int32 as a float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


def exponential(x: Any) -> Any:
    """e^x: for float64 by the library; for float32 to 3 parts in 10^7, x limited to [-30, 30].

    The limits keep the results, and small multiples of their squares, away from denormal numbers,
    which are slow. In a softmax, e^-30 beside 1 is below float32's resolution.
    """
    return np.exp(x)


@overload(exponential, inline="always")
def _exponential(x):
    if x != types.float32:
        return lambda x: math.exp(x)  # numba wants a function of its own  # noqa: PLW0108

    def polynomial(x):
        x = min(max(x, _SMALLEST), _LARGEST)
        n = np.float32(np.floor(x * _LOG2_E + np.float32(0.5)))
        r = x - n * _LN2_HIGH - n * _LN2_LOW
        p = ((((_C5 * r + _C4) * r + _C3) * r + _C2) * r + _C1) * r + _C0
        power = _as_float32(np.int32((np.int32(n) + _EXPONENT_BIAS) << _MANTISSA_BITS))
        return (p * r * r + r + _ONE) * power

    return polynomial


def larger(x: Any, y: Any) -> Any:
    """The larger one of two numbers. A loop over Python's `max` takes one number at a time."""
    return max(x, y)


@intrinsic
def _maxnum(typing_context, x, y):
    """LLVM's maximum of two numbers of one type, neither of which is NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        real = arguments[0].type
        name = "llvm.maxnum.f32" if isinstance(real, ir.FloatType) else "llvm.maxnum.f64"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(real, [real, real]), name
        )
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return x(x, x), generate


@overload(larger, inline="always")
def _larger(x, y):
    return lambda x, y: _maxnum(x, y)  # numba wants a function of its own  # noqa: PLW0108


@view
def fourths(row, size):
    """Four parts of a row, each of that size."""
    return row[:size], row[size : 2 * size], row[2 * size : 3 * size], row[3 * size :]


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
    """Set outputs = σ(inputs) = 1 / (1 + exp(-inputs)); both (R, M)."""
    one = inputs.dtype.type(1)
    for i in range(inputs.shape[0]):
        row, result = inputs[i], outputs[i]
        for j in range(row.size):
            result[j] = one / (one + exponential(-row[j]))


@kernel(fastmath=True, error_model="numpy")
def sigmoid_deltas(hidden, gradient, clip, deltas):
    """Set deltas = gradient ⊙ h ⊙ (1 - h), each limited to ±clip; all (R, M).

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


# An assignment between arrays would bring numba's messages for arrays of different shapes, which
# take seconds to compile.


@kernel()
def copy(source, target):
    """Set target = source; both (n,)."""
    for j in range(target.size):
        target[j] = source[j]


@kernel()
def copy_rows(source, target):
    """Set target = source; both (R, n)."""
    for r in range(target.shape[0]):
        copy(source[r], target[r])


@kernel()
def transpose(source, target):
    """Set target = sourceᵀ."""
    for i in range(target.shape[0]):
        row = target[i]
        for j in range(row.size):
            row[j] = source[j, i]


@kernel()
def gather(source, rows, target):
    """Set target[r] = source[rows[r]]."""
    for r in range(rows.size):
        copy(source[rows[r]], target[r])


@kernel(fastmath=True, error_model="numpy")
def add(source, target):
    """Set target += source; both (n,)."""
    for j in range(target.size):
        target[j] += source[j]


@kernel(fastmath=True, error_model="numpy")
def descend(vector, rate, gradient):
    """Take one step of gradient descent: vector -= rate gradient; both (n,)."""
    for k in range(vector.size):
        vector[k] -= rate * gradient[k]
