"""The state that is carried over from a segment of text to the next.

The original Theano loads this file, so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from online_rnnlm.core.cells import load_cell

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Booleans
    from online_rnnlm.core.parameters import Parameters


class Carried(NamedTuple):
    """The values that each of B lanes carries over from a segment to the next one of its unit.

    Training, checkpoints, scoring and a user's `State` use it. In the graph, the values are
    symbols.
    """

    hidden: Any
    """(B, M): h; with C slow context units (B, M + C), h and s side by side."""
    memory: Any
    """(B, ·): what the cell keeps beside h, such as an LSTM's c; (B, 0) in other cells."""
    vector: Any
    """(B, D): d, the document vector."""
    gradient: Any
    """(B, D): ∂L/∂d, summed over the words since d's last step."""
    since_step: Any
    """(B,), int64: number of these words."""

    @classmethod
    def nothing(cls, weights: Parameters, cell: str, lanes: int) -> Carried:
        """Make the state before a unit of text, all 0, for a model with these weights."""
        dtype = weights.recurrent.dtype
        vector = np.zeros((lanes, len(weights.class_document)), dtype)
        return cls(
            hidden=np.zeros((lanes, weights.class_output.shape[1]), dtype),
            memory=np.zeros((lanes, load_cell(cell).memory_size(weights)), dtype),
            vector=vector,
            gradient=vector.copy(),
            since_step=np.zeros(lanes, np.int64),
        )

    def copy(self) -> Carried:
        """Copy all to new arrays, from a GPU, too."""
        return Carried(*map(np.array, self))

    def before(self, begins: Booleans, first_kept: int = 0) -> Carried:
        """The state before the next segments: 0 in the lanes where a unit of text begins, (B,).

        The elements of h before `first_kept` (`core.order.Order`), and with them the memory, are 0
        in all lanes.
        """
        if begins.all():  # reading the values would wait for a GPU
            return Carried(*(np.zeros(values.shape, values.dtype) for values in self))
        continues = ~begins
        units = np.arange(self.hidden.shape[1])
        return Carried(
            _where(continues[:, None] & (units >= first_kept), self.hidden),
            _where(continues[:, None] & (first_kept == 0), self.memory),
            _where(continues[:, None], self.vector),
            _where(continues[:, None], self.gradient),
            _where(continues, self.since_step),
        )


def _where(condition: Booleans, values: Any) -> Any:
    """Values where the condition is true, and else 0."""
    return np.where(condition, values, np.zeros(1, values.dtype))
