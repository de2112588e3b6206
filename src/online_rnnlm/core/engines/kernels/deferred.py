"""Deferred updates of W_o and V_o, by words of rare classes.

A batch has few words of most classes, and an update of W_o[c] for a single word touches as many
weights as one for ten. So it is deferred until a class has `RunSettings.rare_class_words` words.
The factors of the gradient are kept, as the gradient is as large as W_o[c].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.arrays import Integers
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


class DeferredUpdates(NamedTuple):
    """The factors of deferred updates, of up to R words of each class, one less than are enough."""

    counts: Integers
    """(K,): numbers of words."""
    deltas: Any
    """(R V,): δ_w. Those of class c are a matrix (R, L), from R times the class's first word on."""
    hidden: Any
    """(K, R, M): h."""
    documents: Any
    """(K, R, D): d."""


def nothing_deferred(weights: Parameters, rare_class_words: int) -> DeferredUpdates:
    """Make room for the words that are deferred until their class has this many."""
    most = max(rare_class_words - 1, 0)
    classes, hidden = weights.class_output.shape
    vocabulary = len(weights.word_output)
    document = len(weights.class_document)
    dtype = weights.word_output.dtype
    return DeferredUpdates(
        np.zeros(classes, np.int64),
        np.zeros(most * vocabulary, dtype),
        np.zeros((classes, most, hidden), dtype),
        np.zeros((classes, most, document), dtype),
    )


@njit(cache=True)
def deferred_of(deferred, classes, c):
    """The deferred factors of class c, views."""
    count = deferred.counts[c]
    most = deferred.hidden.shape[1]
    low, high = classes.offsets[c], classes.offsets[c + 1]
    deltas = deferred.deltas[most * low : most * high].reshape(most, high - low)
    return Factors(deltas[:count], deferred.hidden[c][:count], deferred.documents[c][:count])


@njit(cache=True)
def defer(deferred, classes, c, factors):
    """Defer the updates by more words of class c, for which there is room."""
    before = deferred.counts[c]
    deferred.counts[c] += factors.deltas.shape[0]
    places = deferred_of(deferred, classes, c)
    for i in range(factors.deltas.shape[0]):
        copy(factors.deltas[i], places.deltas[before + i])
        copy(factors.hidden[i], places.hidden[before + i])
        copy(factors.documents[i], places.documents[before + i])


@njit(cache=True)
def take_all(deferred, classes, c, factors):
    """The deferred factors of class c, and then these; none are deferred any more."""
    before = deferred_of(deferred, classes, c)
    deferred.counts[c] = 0
    return Factors(
        np.concatenate((before.deltas, factors.deltas)),
        np.concatenate((before.hidden, factors.hidden)),
        np.concatenate((before.documents, factors.documents)),
    )
