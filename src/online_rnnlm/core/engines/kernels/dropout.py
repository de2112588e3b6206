"""Dropout's units are chosen by a hash of a key, of a word's place in the text and of the unit.

So they do not depend on the batches, on the engine, or on a run having been interrupted, and no
random numbers are stored. The hash of a 32-bit number is `lowbias32` (Wellons, "Prospecting for
hash functions", 2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.core.engines.kernels.compiled import kernel

EMBEDDINGS, HIDDEN = np.uint32(0x3C6EF372), np.uint32(0xDAA66D2B)
"""Numbers that tell the layers apart: the rows of E, and h before the output layer."""
_BY_PLACE, _BY_UNIT = np.uint32(0x9E3779B9), np.uint32(0x85EBCA6B)


def key_of(seed: int, epoch: int) -> int:
    """Draw the key of an epoch's dropout, 32 bits."""
    return int(np.random.default_rng([seed, epoch, 1]).integers(1 << 32))


def factors(
    key: int, layer: np.uint32, places: NDArray[np.int64], units: int, rate: float, dtype: DTypeLike
) -> NDArray[Any]:
    """The factors that units are multiplied by: 0, or 1 / (1 - rate) for those that are kept.

    `layer` is `EMBEDDINGS` or `HIDDEN`; `places` (…) are the places of words in the text; the
    result is (…, units).
    """
    found = np.ones((*places.shape, units), dtype)
    drop(np.uint32(key), layer, rate, places.reshape(-1), found.reshape(-1, units))
    return found


@kernel()
def drop_embeddings(dropout, places, rows):
    """Drop elements of rows of E (b, N), of words at these places (b,)."""
    if dropout.embeddings > 0:
        drop(dropout.key, EMBEDDINGS, dropout.embeddings, places, rows)


@kernel()
def drop_hidden(dropout, places, rows):
    """Drop units of states (b, M) before the output layer, or their gradients."""
    if dropout.hidden > 0:
        drop(dropout.key, HIDDEN, dropout.hidden, places, rows)


@intrinsic
def _hash(typing_context, start, unit):
    """The hash of a word's unit, 32 bits; from Python's operators numba makes products of 64 bits.

    `start` is the word's own number.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        x = builder.mul(builder.trunc(arguments[1], word), word(int(_BY_UNIT)))
        x = builder.add(arguments[0], x)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            x = builder.mul(builder.xor(x, builder.lshr(x, word(shift))), word(factor))
        return x

    return types.uint32(types.uint32, types.intp), generate


@kernel(fastmath=True, error_model="numpy")
def drop(key, layer, rate, places, rows):
    """Set each unit of rows (b, ·) to 0, or divide it by 1 - rate, as its hash says.

    `key` and `layer` are uint32; `places` (b,) are the places of words in the text.
    """
    least = np.uint32(rate * 4294967295.0)
    scale, zero = rows.dtype.type(1 / (1 - rate)), rows.dtype.type(0)
    for r in range(rows.shape[0]):
        start = np.uint32(key + layer + np.uint32(np.uint32(places[r]) * _BY_PLACE))
        row = rows[r]
        for j in range(row.size):
            row[j] *= scale if _hash(start, j) >= least else zero
