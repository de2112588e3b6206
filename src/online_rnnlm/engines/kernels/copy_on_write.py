"""Copy-on-write weights for dynamic evaluation: the trained ones, but for what has learnt.

Large matrices are learnt row by row into memory of their own, so that going back to the trained
weights, when a unit of text ends, only takes forgetting which rows those are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from online_rnnlm.model.parameters import Parameters


class CopyOnWriteWeights(NamedTuple):
    """Trained weights, and copies of those that have learnt since a unit of text began."""

    learnt: Parameters
    """Small matrices as they are now; of E, W_o and V_o only what has learnt."""
    trained: Parameters
    """What every unit of text begins with."""
    learnt_words: NDArray[np.bool_]
    """(V,): whether a word's row of E has learnt."""
    learnt_classes: NDArray[np.bool_]
    """(K,): whether the rows of W_o and the columns of V_oᵀ of a class's words have learnt."""


@njit(cache=True)
def forget(weights):
    """Go back to the trained weights."""
    weights.learnt_words[:] = False
    weights.learnt_classes[:] = False
    learnt, trained = weights.learnt, weights.trained
    learnt.recurrent[:] = trained.recurrent
    learnt.class_output[:] = trained.class_output
    learnt.class_document[:] = trained.class_document
    learnt.hidden_document[:] = trained.hidden_document


@njit(cache=True, forceinline=True)
def embedding_of(weights, word):
    """A word's row of E, (M,)."""
    if weights.learnt_words[word]:
        return weights.learnt.embeddings[word]
    return weights.trained.embeddings[word]


@njit(cache=True, forceinline=True)
def outputs_of(weights, classes, c):
    """W_o[c], (L, M), and V_oᵀ, (D, V), with the columns of the words of class c."""
    low, high = classes.offsets[c], classes.offsets[c + 1]
    if weights.learnt_classes[c]:
        return weights.learnt.word_output[low:high], weights.learnt.word_document
    return weights.trained.word_output[low:high], weights.trained.word_document


@njit(cache=True)
def complete(weights, classes):
    """Fill `learnt` with what has not learnt, too."""
    learnt, trained = weights.learnt, weights.trained
    for word in range(weights.learnt_words.size):
        if not weights.learnt_words[word]:
            learnt.embeddings[word] = trained.embeddings[word]
    for c in range(weights.learnt_classes.size):
        if not weights.learnt_classes[c]:
            low, high = classes.offsets[c], classes.offsets[c + 1]
            learnt.word_output[low:high] = trained.word_output[low:high]
            for i in range(learnt.word_document.shape[0]):
                learnt.word_document[i][low:high] = trained.word_document[i][low:high]
