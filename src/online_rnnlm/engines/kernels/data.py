"""The kernels' arguments: text, word classes and the model."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.model.parameters import Parameters

Integers = NDArray[np.int64]


class Text(NamedTuple):
    """The segments of a split: its sentences, or stretches of its documents."""

    stream: NDArray[np.int32]
    """(tokens + 1,): the words, each predicted from those before it in its sentence."""
    offsets: Integers
    """(S + 1,): segment s predicts stream[offsets[s] + 1 : offsets[s + 1] + 1]."""


class Lanes(NamedTuple):
    """The states and document vectors that B lanes take on from a segment to the next one."""

    hidden: Any
    """(B, H): h, or what else feeds the output layer."""
    memory: Any
    """(B, M): c, the memory of an LSTM; (B, 0) for other cells."""
    documents: Any
    """(B, D): d."""
    keeps_state: bool
    """True if `hidden` and `memory` live on; else they are 0 before each segment."""
    keeps_vector: bool
    """True if d lives on."""


class Classes(NamedTuple):
    """Word classes, each a range of word ids."""

    of_word: Integers
    """(V,): every word's class."""
    offsets: Integers
    """(K + 1,): class c's words are the ids from offsets[c] to offsets[c + 1] - 1."""
    largest_first: Integers
    """(K,): all classes, those of the most words first: work that threads share ends best so."""


class Dropout(NamedTuple):
    """The shares of units that are left out in training; both are 0 in testing."""

    key: np.uint32
    """Key of the random numbers."""
    embeddings: float
    """Share of the elements of E's rows that are left out."""
    hidden: float
    """Share of the elements of h that are left out before the output layer."""


class Model(NamedTuple):
    """The weights and settings that words are predicted with."""

    weights: Parameters
    cell: Any
    """The constants of the cell, by whose type numba chooses its functions (`kernels.cells`)."""
    classes: Classes
    document_rate: np.floating
    """α, the rate of the document vector."""
    error_clip: np.floating
    """Bound on the deltas of the hidden units; infinite for no bound."""
    goes_through: bool
    """True if the gradients of the weights go back through the updates of d: in training only."""
    dropout: Dropout


def classes_from_offsets(offsets: Integers) -> Classes:
    """Make classes from the first id of each; the last of `offsets` (K + 1,) is the end."""
    sizes = np.diff(offsets)
    largest_first = np.argsort(-sizes, kind="stable")
    return Classes(np.repeat(np.arange(len(offsets) - 1), sizes), offsets, largest_first)


@kernel()
def has_vector(weights):
    """True if the model has a document vector: V_c or V_h has rows."""
    return weights.class_document.shape[0] > 0 or weights.hidden_document.shape[0] > 0


@kernel()
def feeds_hidden_layer(weights):
    """True if d feeds the hidden layer, so that hidden states depend on it: V_h has rows."""
    return weights.hidden_document.shape[0] > 0
