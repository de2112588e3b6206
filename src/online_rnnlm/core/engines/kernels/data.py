"""The kernels' arguments: text, word classes, the model, and what is carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.arrays import Integers
from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import Reading

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings


class KernelText(NamedTuple):
    """The segments of a split: its sentences, or stretches of its documents."""

    stream: NDArray[np.int32]
    """(tokens + 1,): the words, each predicted from those before it in its unit."""
    offsets: Integers
    """(S + 1,): segment s predicts stream[offsets[s] + 1 : offsets[s + 1] + 1]."""


class Lanes(NamedTuple):
    """The states and document vectors before the next segments: of B lanes, or of B segments."""

    hidden: Any
    """(B, M): h; with C slow context units (B, M + C), h and s side by side."""
    memory: Any
    """(B, M): c, the memory of an LSTM; (B, 0) for other cells."""
    documents: Any
    """(B, D): d."""
    gradients: Any
    """(B, D): ∂L/∂d, summed over the words since d's last step."""
    words: Integers
    """(B,): number of these words."""
    keeps_state: bool
    """True if `hidden` and `memory` are carried over; else they are 0 before each segment."""


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
    words_a_step: int
    """Number of words after which d takes a step; 0 for a step at each segment's end."""
    error_clip: np.floating
    """Bound on the deltas of the hidden units; infinite for no bound."""
    dropout: DropoutRates


def text_of(split: Split, offsets: Integers | None = None) -> KernelText:
    """Return a split's sentences, or the segments with these offsets, as the kernels take them.

    The arrays are read-only views: even of a memory map, they are plain arrays to numba.
    """
    arrays = split.stream, split.offsets if offsets is None else offsets
    text = KernelText(*(np.asarray(array).view(np.ndarray) for array in arrays))
    for array in text:
        array.flags.writeable = False
    return text


def kernel_lanes(reading: Reading, carried: Carried) -> Lanes:
    """Put together what is carried over; the kernels change these arrays in place."""
    hidden, *memory = carried.states
    return Lanes(
        hidden,
        memory[0] if memory else hidden[:, :0].copy(),
        carried.documents,
        np.zeros_like(carried.documents),
        np.zeros(len(carried.documents), np.int64),
        reading.state,
    )


def kernel_model(
    settings: RunSettings,
    weights: Parameters,
    class_offsets: Integers,
    document_rate: float,
    *,
    words_a_step: int = 1,
    key: int | None = None,
) -> KernelModel:
    """Put together a model; `class_offsets` (K + 1,) are those of the vocabulary.

    In training, which gives the key of the random numbers, units are left out.
    """
    real = weights.recurrent.dtype.type
    dropout = DropoutRates(np.uint32(0), 0.0, 0.0)
    if key is not None:
        dropout = DropoutRates(np.uint32(key), settings.embedding_dropout, settings.dropout)
    return KernelModel(
        weights,
        Classes(classes_of_words(class_offsets), np.asarray(class_offsets)),
        settings.cell == "lstm",
        real(settings.context_decay),
        real(document_rate),
        words_a_step,
        real(settings.error_clip or np.inf),
        dropout,
    )
