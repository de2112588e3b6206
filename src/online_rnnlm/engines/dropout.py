"""Dropout's random numbers: a hash of a key, of a word's place in the text and of a unit's number.

So the units that are left out do not depend on the batches, on the engine, or on a run having been
interrupted. `kernels.dropout` computes the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.engines.kernels.dropout import (
    BY_PLACE,
    BY_UNIT,
    EMBEDDINGS,
    HIDDEN,
    MIX_1,
    MIX_2,
    threshold,
)

__all__ = ["EMBEDDINGS", "HIDDEN", "factors", "key_of"]


def key_of(seed: int, epoch: int) -> int:
    """Draw the key of an epoch's dropout, 32 bits."""
    return int(np.random.default_rng([seed, epoch, 1]).integers(1 << 32))


def factors(
    key: int, layer: int, places: NDArray[np.int64], units: int, rate: float, dtype: DTypeLike
) -> NDArray[Any]:
    """The factors that units are multiplied by: 0, or 1 / (1 - rate) for those that are kept.

    `layer` is `EMBEDDINGS` or `HIDDEN`; `places` (…) are the places of words in the text; the
    result is (…, units).
    """
    with np.errstate(over="ignore"):
        start = np.uint32(key) + np.uint32(layer) + places.astype(np.uint32) * np.uint32(BY_PLACE)
        x = start[..., None] + np.arange(units, dtype=np.uint32) * np.uint32(BY_UNIT)
        x ^= x >> np.uint32(16)
        x *= np.uint32(MIX_1)
        x ^= x >> np.uint32(15)
        x *= np.uint32(MIX_2)
        x ^= x >> np.uint32(16)
    return np.where(x >= threshold(rate), 1 / (1 - rate), 0).astype(dtype)
