"""Words of rare classes, whose share in the gradients of W_o and V_o waits for more of its class.

A batch has few words of most classes, and an update of W_o[c] for a single word touches as many
weights as one for ten. So an update waits until a class has `RunSettings.rare_class_words` words.
What waits is not the gradient, which is as large as W_o[c], but its factors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.engines.kernels.data import Integers
from online_rnnlm.core.engines.kernels.elementwise import copy
from online_rnnlm.core.parameters import Parameters


class Factors(NamedTuple):
    """The factors of the gradients Σ δ_w hᵀ of W_o[c] and Σ δ_w dᵀ of V_o[c], by n words."""

    deltas: Any
    """(n, L): δ_w."""
    hidden: Any
    """(n, M): h."""
    documents: Any
    """(n, D): d."""


class WaitingWords(NamedTuple):
    """The factors that wait: of each class those of up to R words, one less than are enough."""

    counts: Integers
    """(K,): the number of words that wait."""
    deltas: Any
    """(R V,): δ_w. Those of class c are a matrix (R, L), from R times the class's first word on."""
    hidden: Any
    """(K, R, M): h."""
    documents: Any
    """(K, R, D): d."""


def nothing_waits(weights: Parameters, rare_class_words: int) -> WaitingWords:
    """Make room for the words that wait until their class has this many."""
    most = max(rare_class_words - 1, 0)
    classes, hidden = weights.class_output.shape
    vocabulary = len(weights.word_output)
    document = len(weights.class_document)
    dtype = weights.word_output.dtype
    return WaitingWords(
        np.zeros(classes, np.int64),
        np.zeros(most * vocabulary, dtype),
        np.zeros((classes, most, hidden), dtype),
        np.zeros((classes, most, document), dtype),
    )


@njit(cache=True)
def waiting_of(waiting, classes, c):
    """The factors of class c that wait, views."""
    count = waiting.counts[c]
    most = waiting.hidden.shape[1]
    low, high = classes.offsets[c], classes.offsets[c + 1]
    deltas = waiting.deltas[most * low : most * high].reshape(most, high - low)
    return Factors(deltas[:count], waiting.hidden[c][:count], waiting.documents[c][:count])


@njit(cache=True)
def let_wait(waiting, classes, c, factors):
    """Let more words of class c wait, for which there is room."""
    before = waiting.counts[c]
    waiting.counts[c] += factors.deltas.shape[0]
    places = waiting_of(waiting, classes, c)
    for i in range(factors.deltas.shape[0]):
        copy(factors.deltas[i], places.deltas[before + i])
        copy(factors.hidden[i], places.hidden[before + i])
        copy(factors.documents[i], places.documents[before + i])


@njit(cache=True)
def take_all(waiting, classes, c, factors):
    """The factors of class c that have waited, and then these; none wait any more."""
    before = waiting_of(waiting, classes, c)
    waiting.counts[c] = 0
    return Factors(
        np.concatenate((before.deltas, factors.deltas)),
        np.concatenate((before.hidden, factors.hidden)),
        np.concatenate((before.documents, factors.documents)),
    )
