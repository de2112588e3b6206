"""The exponential and the maximum that the kernels use, which compile to vector instructions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

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
