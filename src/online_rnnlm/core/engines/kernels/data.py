"""The kernels' arguments: text, word classes, the model and the optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.core.engines.kernels import blocks
from online_rnnlm.core.engines.kernels.compiled import UNCOUNTED, kernel
from online_rnnlm.core.engines.kernels.elementwise import descend
from online_rnnlm.core.engines.kernels.rows import step_by_product
from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import Reading

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

Integers = NDArray[np.int64]


class Shape(NamedTuple):
    """The shape and the type of an array of a workspace, as the default of its field."""

    dimensions: tuple[str, ...]
    """Their names, as in the documentation of `workspace`."""
    dtype: Any
    """None for that of the weights."""


def integers(*dimensions: str) -> Any:
    """Describe an array of integers."""
    return Shape(dimensions, np.int64)


def reals(*dimensions: str) -> Any:
    """Describe an array of reals of the weights' type."""
    return Shape(dimensions, None)


def arrays_for(kind: Any, sizes: Mapping[str, int], dtype: DTypeLike) -> dict[str, Any]:
    """Make arrays of zeros for all fields of a named tuple that have a `Shape`."""
    return {
        name: np.zeros([sizes[one] for one in shape.dimensions], shape.dtype or dtype)
        for name, shape in kind._field_defaults.items()
        if isinstance(shape, Shape)
    }


class Text(NamedTuple):
    """The segments of a split: its sentences, or stretches of its documents."""

    stream: NDArray[np.int32]
    """(tokens + 1,): the words, each predicted from those before it in its unit."""
    offsets: Integers
    """(S + 1,): segment s predicts stream[offsets[s] + 1 : offsets[s + 1] + 1]."""


class Lanes(NamedTuple):
    """The states and document vectors that B lanes take on from a segment to the next one."""

    hidden: Any
    """(B, M): h."""
    memory: Any
    """(B, M): c, the memory of an LSTM; (B, 0) for other cells."""
    documents: Any
    """(B, D): d."""
    gradients: Any
    """(B, D): ∂L/∂d, summed over the words since d's last step."""
    waiting: Integers
    """(B,): number of these words."""
    keeps_state: bool
    """True if `hidden` and `memory` live on; else they are 0 before each segment."""
    keeps_vector: bool
    """True if d, `gradients` and `waiting` live on."""


class Classes(NamedTuple):
    """Word classes, each a range of word ids."""

    of_word: Integers
    """(V,): every word's class."""
    offsets: Integers
    """(K + 1,): class c's words are the ids from offsets[c] to offsets[c + 1] - 1."""
    largest_first: Integers
    """(K,): all classes, the largest first, so that threads that share them end together."""


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
    classes: Classes
    document_rate: np.floating
    """α, the rate of the document vector."""
    words_a_step: int
    """Number of words after which d takes a step; 0 for a step at each segment's end."""
    error_clip: np.floating
    """Bound on the deltas of the hidden units; infinite for no bound."""
    dropout: Dropout


def text_of(split: Split, offsets: Integers | None = None) -> Text:
    """Return a split's sentences, or the segments with these offsets, as the kernels take them.

    The arrays are read-only views: even of a memory map, they are plain arrays to numba.
    """
    arrays = split.stream, split.offsets if offsets is None else offsets
    text = Text(*(np.asarray(array).view(np.ndarray) for array in arrays))
    for array in text:
        array.flags.writeable = False
    return text


def kernel_lanes(reading: Reading, carried: Carried) -> Lanes:
    """Put together what lanes carry; the kernels change these arrays in place."""
    hidden, *memory = carried.states
    of_cell = memory[0] if memory else hidden[:, :0].copy()
    documents, waiting = carried.documents, np.zeros(len(carried.documents), np.int64)
    gradients = np.zeros_like(documents)
    return Lanes(hidden, of_cell, documents, gradients, waiting, reading.state, reading.vector)


def kernel_model(
    settings: RunSettings,
    weights: Parameters,
    classes: Classes,
    rate: float,
    key: int | None = None,
) -> Model:
    """Put together a model whose vector learns after every word, at that rate.

    In training, which gives the key of the random numbers, units are left out.
    """
    real = weights.recurrent.dtype.type
    clip = real(settings.error_clip or np.inf)
    dropout = Dropout(np.uint32(0), 0.0, 0.0)
    if key is not None:
        dropout = Dropout(np.uint32(key), settings.embedding_dropout, settings.dropout)
    return Model(weights, classes, real(rate), 1, clip, dropout)


def classes_from_offsets(offsets: Integers) -> Classes:
    """Make classes from the first id of each; the last of `offsets` (K + 1,) is the end."""
    sizes = np.diff(offsets)
    largest_first = np.argsort(-sizes, kind="stable")
    return Classes(np.repeat(np.arange(len(offsets) - 1), sizes), offsets, largest_first)


@kernel()
def has_vector(weights):
    """True if the model has a document vector: V_c has rows."""
    return weights.class_document.shape[0] > 0


@kernel(inline="always")
def end_word(model, at, workspace):
    """Count a word that the segment at this place has read; take the step of d if it is due."""
    workspace.waiting[at] += 1
    if workspace.waiting[at] == model.words_a_step:
        take_step(model, at, workspace)


@kernel(inline="always")
def take_step(model, at, workspace):
    """Set d -= α Σ ∂L_t/∂d over the words since the last step, and begin a new sum."""
    gradient = workspace.document_gradient[at]
    descend(workspace.document[at], model.document_rate, gradient)
    gradient[:] = 0
    workspace.waiting[at] = 0


class Optimizer(NamedTuple):
    """The rule by which training updates weights."""

    adagrad: bool
    """True for AdaGrad, False for plain stochastic gradient descent."""
    learning_rate: np.floating

    @staticmethod
    def step(weights, gradient, kept, optimizer):
        """Update a row of weights (n,) by its gradient (n,); `kept` (n,) are its accumulators."""
        blocks.step(weights, kept, gradient, optimizer)

    @staticmethod
    def step_rows(weights, kept, a, b, c, memory, optimizer):
        """Set c ← a w; update w by its gradient aᵀ b."""
        step_by_product(weights, kept, a, b, c, optimizer)


def step_row(weights: Any, gradient: Any, kept: Any, optimizer: Any) -> None:
    """Take one step of a row of weights by the optimizer's rule."""
    optimizer.step(weights, gradient, kept, optimizer)


def step_rows(weights: Any, kept: Any, a: Any, b: Any, c: Any, memory: Any, optimizer: Any) -> None:
    """Set c ← a w for weights w (R, n), unless c is None; then update w, whose gradient is aᵀ b.

    `memory` (≥ R n,) may be used for the gradient.
    """
    optimizer.step_rows(weights, kept, a, b, c, memory, optimizer)


@overload(step_row, jit_options={"fastmath": True, "error_model": "numpy", **UNCOUNTED})
def _step_row(weights, gradient, kept, optimizer):
    return optimizer.instance_class.step


@overload(step_rows, jit_options=UNCOUNTED)
def _step_rows(weights, kept, a, b, c, memory, optimizer):
    return optimizer.instance_class.step_rows
