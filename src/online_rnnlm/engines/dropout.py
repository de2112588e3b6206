"""Dropout's key, and its factors as matrices, for an engine that multiplies by them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.engines.kernels.dropout import EMBEDDINGS, HIDDEN, drop

__all__ = ["EMBEDDINGS", "HIDDEN", "factors", "key_of"]


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
