"""Dropout's units are chosen by a hash of a key, of a word's place in the text and of the unit.

So they do not depend on the batches, on the engine, or on a run having been interrupted, and no
random numbers are stored. The hash of a 32-bit number is `lowbias32` (Wellons, "Prospecting for
hash functions", 2018).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import DTypeLike

from online_rnnlm.core.arrays import Array, Integers

EMBEDDINGS = np.uint32(0x3C6EF372)
HIDDEN = np.uint32(0xDAA66D2B)
"""Numbers that tell the layers apart: the rows of E, and h before the output layer."""
_BY_PLACE = np.uint64(0x9E3779B9)
_BY_UNIT = np.uint64(0x85EBCA6B)
_FIRST = np.uint64(0x7FEB352D)
_SECOND = np.uint64(0x846CA68B)
_FIFTEEN = np.uint64(15)
_SIXTEEN = np.uint64(16)
_LOW = np.uint64(0xFFFFFFFF)
"""The lower 32 bits of a number: products of 32-bit numbers are taken modulo 2^32."""


def factors(
    key: int, layer: np.uint32, places: Integers, units: int, rate: float, dtype: DTypeLike
) -> Array:
    """The factors that units are multiplied by: 0, or 1 / (1 - rate) for those that are kept.

    `layer` is `EMBEDDINGS` or `HIDDEN`; `places` (…) are the places of words in the text; the
    result is (…, units).
    """
    found = np.ones((*places.shape, units), dtype)
    drop(np.uint32(key), layer, rate, places.reshape(-1), found.reshape(-1, units))
    return found


@njit(cache=True, fastmath=True, error_model="numpy")
def drop(key, layer, rate, places, rows):
    """Set each unit of rows (b, ·) to 0, or divide it by 1 - rate, as its hash says.

    `key` and `layer` are uint32; `places` (b,) are the places of words in the text. With a rate of
    0 nothing changes.
    """
    if rate == 0:
        return
    least = np.uint64(rate * 4294967295.0)
    scale = rows.dtype.type(1 / (1 - rate))
    zero = rows.dtype.type(0)
    for r in range(rows.shape[0]):
        start = (np.uint64(key) + np.uint64(layer) + np.uint64(places[r]) * _BY_PLACE) & _LOW
        row = rows[r]
        for j in range(row.size):
            x = (start + np.uint64(j) * _BY_UNIT) & _LOW
            x = ((x ^ (x >> _SIXTEEN)) * _FIRST) & _LOW
            x = ((x ^ (x >> _FIFTEEN)) * _SECOND) & _LOW
            x ^= x >> _SIXTEEN
            row[j] *= scale if x >= least else zero
