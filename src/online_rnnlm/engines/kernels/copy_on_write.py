"""Copy-on-write weights for dynamic evaluation: trained weights, and copies of what has learnt.

The rows of large matrices that learn are copied into memory of their own. To return to the trained
weights, when a unit of text ends, it is enough to mark these rows as not learnt.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.engines.kernels.compiled import kernel, view
from online_rnnlm.engines.kernels.vectors import copy, copy_rows
from online_rnnlm.model.parameters import Parameters


class CopyOnWriteWeights(NamedTuple):
    """Trained weights, and copies of those that have learnt since a unit of text began."""

    learnt: Parameters
    """The current small matrices; of E, W_o and V_o only the rows or columns that have learnt."""
    trained: Parameters
    """The weights that every unit of text begins with."""
    learnt_words: NDArray[np.bool_]
    """(V,): True if the word's row of E has learnt."""
    learnt_classes: NDArray[np.bool_]
    """(K,): True if the rows of W_o and the columns of V_oᵀ of the class's words have learnt."""


@kernel()
def forget(weights):
    """Return to the trained weights."""
    weights.learnt_words[:] = False
    weights.learnt_classes[:] = False
    learnt, trained = weights.learnt, weights.trained
    copy_rows(trained.recurrent, learnt.recurrent)
    copy_rows(trained.class_output, learnt.class_output)
    copy_rows(trained.class_document, learnt.class_document)
    copy_rows(trained.hidden_document, learnt.hidden_document)


@view
def embedding_of(weights, word):
    """A word's current row of E, (M,)."""
    if weights.learnt_words[word]:
        return weights.learnt.embeddings[word]
    return weights.trained.embeddings[word]


@view
def outputs_of(weights, classes, c):
    """The current W_o[c], (L, M), and a V_oᵀ, (D, V), whose columns of class c are current."""
    low, high = classes.offsets[c], classes.offsets[c + 1]
    if weights.learnt_classes[c]:
        return weights.learnt.word_output[low:high], weights.learnt.word_document
    return weights.trained.word_output[low:high], weights.trained.word_document


@kernel()
def complete(weights, classes):
    """Copy the trained weights that have not learnt into `learnt`, so that it has all weights."""
    learnt, trained = weights.learnt, weights.trained
    for word in range(weights.learnt_words.size):
        if not weights.learnt_words[word]:
            copy(trained.embeddings[word], learnt.embeddings[word])
    for c in range(weights.learnt_classes.size):
        if not weights.learnt_classes[c]:
            low, high = classes.offsets[c], classes.offsets[c + 1]
            copy_rows(trained.word_output[low:high], learnt.word_output[low:high])
            for i in range(learnt.word_document.shape[0]):
                copy(trained.word_document[i][low:high], learnt.word_document[i][low:high])
