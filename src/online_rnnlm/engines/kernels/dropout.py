"""Dropout in the kernels: units are left out by a hash, so that no random numbers are stored.

The hash of a 32-bit number is `lowbias32` (Wellons, "Prospecting for hash functions", 2018).
"""

from __future__ import annotations

import numpy as np
from numba import njit

EMBEDDINGS, HIDDEN = 0x3C6EF372, 0xDAA66D2B
"""Numbers that tell the layers apart: the rows of E, and h before the output layer."""
BY_PLACE, BY_UNIT = 0x9E3779B9, 0x85EBCA6B
MIX_1, MIX_2 = 0x7FEB352D, 0x846CA68B
_PLACE, _UNIT, _MIX_1, _MIX_2 = map(np.uint32, (BY_PLACE, BY_UNIT, MIX_1, MIX_2))
_EMBEDDINGS, _HIDDEN = np.uint32(EMBEDDINGS), np.uint32(HIDDEN)


def threshold(rate: float) -> int:
    """The least hash, of 32 bits, of a unit that is kept."""
    return int(rate * 4294967295.0)


@njit(cache=True)
def drop_embeddings(dropout, places, rows):
    """Multiply rows of E (b, N), of words at these places (b,), by their factors."""
    if dropout.embeddings > 0:
        _multiply(dropout.key, _EMBEDDINGS, dropout.embeddings, places, rows)


@njit(cache=True)
def drop_hidden(dropout, places, rows):
    """Multiply states (b, H) before the output layer, or their gradients, by their factors."""
    if dropout.hidden > 0:
        _multiply(dropout.key, _HIDDEN, dropout.hidden, places, rows)


@njit(cache=True, fastmath=True, error_model="numpy")
def _multiply(key, layer, rate, places, rows):
    """Set each unit to 0, or divide it by 1 - rate, as its hash says."""
    least = np.uint32(rate * 4294967295.0)
    scale, zero = rows.dtype.type(1 / (1 - rate)), rows.dtype.type(0)
    for r in range(rows.shape[0]):
        start = np.uint32(key + layer + np.uint32(np.uint32(places[r]) * _PLACE))
        row = rows[r]
        for j in range(row.size):
            x = np.uint32(start + np.uint32(np.uint32(j) * _UNIT))
            x = np.uint32(x ^ (x >> np.uint32(16)))
            x = np.uint32(x * _MIX_1)
            x = np.uint32(x ^ (x >> np.uint32(15)))
            x = np.uint32(x * _MIX_2)
            x = np.uint32(x ^ (x >> np.uint32(16)))
            row[j] *= scale if x >= least else zero
