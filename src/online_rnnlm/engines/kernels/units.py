"""The weights in a unit of text: the trained ones, but for what has learnt since it began.

Large matrices are learnt row by row into memory of their own, so that going back to the trained
weights only takes forgetting which rows those are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from online_rnnlm.model.parameters import Parameters


class Unit(NamedTuple):
    """The weights in a unit of text."""

    learnt: Parameters
    """Small matrices as they are now; of E, W_o and V_o only what has learnt."""
    trained: Parameters
    """What every unit begins with."""
    words: NDArray[np.bool_]
    """(V,): whether a word's row of E has learnt."""
    classes: NDArray[np.bool_]
    """(K,): whether the rows of W_o and the columns of V_o of a class's words have learnt."""


@njit(cache=True)
def begin_unit(unit):
    """Go back to the trained weights."""
    unit.words[:] = False
    unit.classes[:] = False
    learnt, trained = unit.learnt, unit.trained
    learnt.recurrent[:] = trained.recurrent
    learnt.class_output[:] = trained.class_output
    learnt.class_document[:] = trained.class_document
    learnt.hidden_document[:] = trained.hidden_document


@njit(cache=True, forceinline=True)
def embedding_of(unit, word):
    """A word's row of E, (M,)."""
    if unit.words[word]:
        return unit.learnt.embeddings[word]
    return unit.trained.embeddings[word]


@njit(cache=True, forceinline=True)
def outputs_of(unit, classes, c):
    """A class's rows of W_o, (L, M), and V_o, (D, V), with the columns of its words."""
    low, high = classes.offsets[c], classes.offsets[c + 1]
    if unit.classes[c]:
        return unit.learnt.word_output[low:high], unit.learnt.word_document
    return unit.trained.word_output[low:high], unit.trained.word_document


@njit(cache=True)
def complete(unit, classes):
    """Fill `learnt` with what has not learnt, too."""
    learnt, trained = unit.learnt, unit.trained
    for word in range(unit.words.size):
        if not unit.words[word]:
            learnt.embeddings[word] = trained.embeddings[word]
    for c in range(unit.classes.size):
        if not unit.classes[c]:
            low, high = classes.offsets[c], classes.offsets[c + 1]
            learnt.word_output[low:high] = trained.word_output[low:high]
            for i in range(learnt.word_document.shape[0]):
                learnt.word_document[i][low:high] = trained.word_document[i][low:high]
