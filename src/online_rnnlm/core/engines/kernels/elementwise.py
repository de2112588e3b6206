"""Functions of single numbers, vectors and rows: exponential, sigmoid, softmax and sums.

numba makes vector instructions of a loop over a row if it knows the row to be contiguous: it knows
that of `matrix[i][low:high]`, and not of `matrix[i, low:high]`. With `fastmath` it may add up
a row in any order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

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


def exponential(x: Any) -> Any:
    """e^x: for float64 by the library; for float32 to 3 parts in 10^7, x limited to [-30, 30].

    The library's function takes one number at a time, this one a vector, 18 times as fast. The
    limits keep the results, and small multiples of their squares, away from denormal numbers,
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
        power = np.int32((np.int32(n) + _EXPONENT_BIAS) << _MANTISSA_BITS).view(np.float32)
        return (p * r * r + r + _ONE) * power

    return polynomial


def largest(values: Any) -> Any:
    """The largest of some numbers (n,), none of them NaN.

    numba's `max` takes one real number at a time, and whole numbers as a vector, 30 times as fast.
    The bits of positive reals, read as whole numbers, have the reals' order; those of negative ones
    have it if all bits but the sign's are turned.
    """
    return values.max()


@overload(largest)
def _largest(values):
    whole = np.int32 if values.dtype == types.float32 else np.int64
    real = np.float32 if values.dtype == types.float32 else np.float64
    sign = whole(np.iinfo(whole).bits - 1)
    others = np.iinfo(whole).max

    def by_bits(values):
        bits = values.view(whole)
        top = whole(-others - 1)
        for j in range(bits.size):
            top = max(top, whole(bits[j] ^ ((bits[j] >> sign) & others)))
        return whole(top ^ ((top >> sign) & others)).view(real)

    return by_bits


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def logistic(x):
    """σ(x) = 1 / (1 + exp(-x))."""
    one = type(x)(1)
    return one / (one + exponential(-x))


@njit(cache=True, fastmath=True, error_model="numpy", inline="always")
def tangent(x):
    """tanh(x) = 1 - 2 / (1 + exp(2 x))."""
    one = type(x)(1)
    two = type(x)(2)
    return one - two / (one + exponential(two * x))


@njit(cache=True, fastmath=True, error_model="numpy")
def softmax_deltas(scores, target):
    """Turn scores (L,) into their deltas, softmax(scores) - 1[target] = ∂(-log P) by the scores.

    Returns the target's log P.
    """
    one = scores.dtype.type(1)
    top = largest(scores)
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


@njit(cache=True)
def copy(source, target):
    """Set target = source; both (n,)."""
    for j in range(target.size):
        target[j] = source[j]


@njit(cache=True)
def gather(source, rows):
    """Copy these rows of a matrix to a new one."""
    found = np.empty((rows.size, source.shape[1]), source.dtype)
    for r in range(rows.size):
        copy(source[rows[r]], found[r])
    return found


@njit(cache=True, fastmath=True, error_model="numpy")
def add(source, target):
    """Set target += source; both (n,)."""
    for j in range(target.size):
        target[j] += source[j]


@njit(cache=True)
def add_product(a, b, c):
    """Set c += a b; if c has more columns than b, only the first of them."""
    product = np.dot(a, b)
    for i in range(c.shape[0]):
        add(product[i], c[i][: product.shape[1]])


@njit(cache=True, fastmath=True, error_model="numpy")
def descend(vector, keep, rate, gradient):
    """Take one step of gradient descent: vector = keep vector - rate gradient; both (n,)."""
    for k in range(vector.size):
        vector[k] = keep * vector[k] - rate * gradient[k]
