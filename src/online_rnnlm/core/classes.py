"""The classes of the words; the original Theano loads this file, so it keeps to Python 3.8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Integers


def classes_of_words(offsets: Integers) -> Integers:
    """Every word's class, (V,): class c has the ids from offsets[c] to offsets[c + 1] - 1."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
