"""The kernels' arguments: text, word classes and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.arrays import Integers
from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split

if TYPE_CHECKING:
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule


class KernelText(NamedTuple):
    """The segments of a split: its sentences, or stretches of its documents."""

    stream: NDArray[np.int32]
    """(tokens + 1,): the words, each predicted from those before it in its unit."""
    offsets: Integers
    """(S + 1,): segment s predicts stream[offsets[s] + 1 : offsets[s + 1] + 1]."""


class Classes(NamedTuple):
    """Word classes, each a range of word ids."""

    of_word: Integers
    """(V,): every word's class."""
    offsets: Integers
    """(K + 1,): class c's words are the ids from offsets[c] to offsets[c + 1] - 1."""


class DropoutRates(NamedTuple):
    """The shares of units that are left out in training; both are 0 in testing."""

    key: np.uint32
    """Key of the random numbers."""
    embeddings: float
    """Share of the elements of E's rows that are left out."""
    hidden: float
    """Share of the elements of h that are left out before the output layer."""


class KernelModel(NamedTuple):
    """The weights and settings that words are predicted with."""

    weights: Parameters
    classes: Classes
    is_lstm: bool
    """True for an LSTM, False for sigmoid units, with slow context units or without."""
    context_decay: np.floating
    """γ, the share of a slow context unit's value that the next word keeps."""
    document_rate: np.floating
    """α, the rate of the document vector."""
    document_decay: np.floating
    """Share of the document vector that a step keeps."""
    steps_by_error: bool
    """True if d moves against the gradient of each word's error, False if by V_c and V_o alone."""
    words_a_step: int
    """Number of words after which d takes a step; 0 for a step at each segment's end."""
    error_clip: np.floating
    """Bound on the deltas of the hidden units; infinite for no bound."""
    dropout: DropoutRates


def text_of(split: Split) -> KernelText:
    """Return a split's segments as the kernels take them.

    The arrays are read-only views: even of a memory map, they are plain arrays to numba.
    """
    text = KernelText(
        *(np.asarray(array).view(np.ndarray) for array in (split.stream, split.offsets))
    )
    for array in text:
        array.flags.writeable = False
    return text


def dropout_of(rule: TrainingRule, key: int) -> DropoutRates:
    """The shares of units that training leaves out, by random numbers of this key."""
    return DropoutRates(np.uint32(key), rule.embedding_dropout, rule.dropout)


NO_DROPOUT = DropoutRates(np.uint32(0), 0.0, 0.0)


def kernel_model(
    network: NetworkSettings,
    weights: Parameters,
    class_offsets: Integers,
    document_rate: float,
    *,
    words_a_step: int = 1,
    dropout: DropoutRates = NO_DROPOUT,
) -> KernelModel:
    """Put together a model; `class_offsets` (K + 1,) are those of the vocabulary."""
    real = weights.recurrent.dtype.type
    return KernelModel(
        weights,
        Classes(classes_of_words(class_offsets), np.asarray(class_offsets)),
        network.cell == "lstm",
        real(network.context_decay),
        real(document_rate),
        real(network.document_decay),
        network.steps_by_error,
        words_a_step,
        real(network.error_clip or np.inf),
        dropout,
    )
