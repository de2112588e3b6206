"""The kernels' arguments, put together from settings and arrays, and the memory that they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.engines.base import Sentences
from online_rnnlm.engines.kernels.cells import KERNEL_CELLS
from online_rnnlm.engines.kernels.data import Classes, Dropout, Lanes, Model, Text
from online_rnnlm.engines.kernels.workspace import Capacity
from online_rnnlm.engines.lanes import Carried
from online_rnnlm.model.parameters import Parameters, sizes_of

_Memory = TypeVar("_Memory")


def kernel_model(
    settings: RunSettings, weights: Parameters, classes: Classes, rate: Any, key: Any = None
) -> Model:
    """Put together a model; `rate` is that of the document vector, a numpy scalar or a 0-d array.

    In training, which gives the key of the random numbers, units are left out, and gradients may go
    through the updates of the document vector.
    """
    real = weights.recurrent.dtype.type
    clip = real(settings.error_clip or np.inf)
    constants = KERNEL_CELLS[settings.cell_name].constants_of(settings)
    dropout, through = Dropout(np.uint32(0), 0.0, 0.0), False
    if key is not None:
        dropout = Dropout(np.uint32(key), settings.embedding_dropout, settings.dropout)
        through = settings.goes_through_updates
    return Model(weights, constants, classes, rate[()], clip, through, dropout)


def kernel_lanes(reading: Reading, hidden: Any, memory: Any, documents: Any) -> Lanes:
    """Put together the carried states and vectors, which the kernels change in place."""
    return Lanes(hidden, memory, documents, reading.state, reading.vector)


def states_of(carried: Carried) -> tuple[Any, Any]:
    """The carried states, h and c, as the kernels take them: (B, H), and (B, M) or (B, 0)."""
    hidden, *memory = carried.states
    return hidden, memory[0] if memory else hidden[:, :0].copy()


def text_of(split: Split) -> Text:
    """The split in the kernels' form."""
    return Text(read_only(split.stream), read_only(split.offsets))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view; even of a memory map, it is a plain array to numba and PyTensor."""
    view = np.asarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


class GrowingMemory(Generic[_Memory]):
    """A workspace that is kept from call to call, and allocated again when it does not suffice.

    Values left from an earlier call have no effect: every call writes what it reads.
    """

    def __init__(
        self,
        allocate: Callable[[Capacity, Classes, Any], _Memory],
        settings: RunSettings,
        classes: Classes,
        batch_sentences: int,
    ) -> None:
        self._allocate = allocate
        self._cell = settings.cell_name
        self._classes = classes
        self._batch_sentences = batch_sentences
        self._held: tuple[Capacity, _Memory] | None = None

    def for_call(self, weights: Parameters, text: Text, sentences: Sentences) -> _Memory:
        """Return a workspace for batches of these sentences."""
        needed = Capacity.for_sentences(
            sizes_of(weights, self._cell),
            text,
            self._classes,
            sentences,
            self._batch_sentences,
        )
        if self._held is None or not self._held[0].covers(needed):
            self._held = needed, self._allocate(needed, self._classes, weights.recurrent.dtype)
        return self._held[1]
