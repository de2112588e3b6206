"""The functions that a library compiles from the plain graph: one trains, one scores.

The original Theano compiles this file, too (`engines.theano`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.engines.shared import SharedState
from online_rnnlm.model import graph, updates
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import Parameters, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Form(NamedTuple):
    """The settings that decide a run's graph: numbers and texts only, which JSON can hold."""

    cell_name: str
    error_clip: float
    context_decay: float
    through: bool
    """True if gradients go through the updates of the document vector."""
    precision: str
    optimizer: str
    l2: float
    drops: bool
    """True if the training takes factors of dropout."""

    def model(self, class_offsets: NDArray[np.int64]) -> graph.Model:
        """The cell, the word classes and the cell's constants; `class_offsets` (K + 1,)."""
        classes = graph.WordClasses.from_offsets(class_offsets)
        cell = load_cell(self.cell_name)
        return graph.Model(cell, classes, self.error_clip, self.context_decay, self.through)


def start_symbols(model: graph.Model, weights: Parameters) -> graph.Start:
    """Make symbols for what the first words are predicted with; the weights may be symbols."""
    dtype = weights.recurrent.dtype
    states = (pt.matrix(dtype=dtype) for _ in model.cell.states(weights))
    return graph.Start(tuple(states), pt.matrix(dtype=dtype))


class Training(SharedState):
    """Weights and accumulators that learn from batches, by `updates.training_updates`."""

    def __init__(
        self,
        form: Form,
        class_offsets: NDArray[np.int64],
        weights: Parameters,
        accumulators: Parameters,
    ) -> None:
        super().__init__(weights, accumulators)
        dtype, model = form.precision, form.model(class_offsets)
        batch, start = graph.padded_symbols(dtype), start_symbols(model, self.weights)
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)]
        factors = [pt.tensor3(dtype=dtype), pt.tensor3(dtype=dtype)] if form.drops else []
        result, changes = updates.training_updates(
            model,
            self.weights,
            self.accumulators,
            batch,
            *rates,
            optimizer=form.optimizer,
            l2=form.l2,
            start=start,
            dropout=graph.Dropout(*factors) if factors else None,
        )
        last = graph.last_states(result, batch.mask)
        self._update = pytensor.function(
            [*batch, *rates, *start.states, start.document, *factors],
            [result.log_probabilities.sum(), *last.states, last.document],
            updates=changes,
            on_unused_input="ignore",
        )

    def update(self, inputs: Sequence[Any]) -> list[Any]:
        """Learn from a batch; return its log P, and the states and vectors after its last words.

        Inputs: `graph.Padded`, the rates of the weights and of the document vector, the states and
        vectors before the first words, and the factors of dropout if the form has them.
        """
        return list(self._update(*inputs))


class Scoring:
    """Scoring by `graph.predictions`, with weights that are inputs; `names` are theirs."""

    def __init__(self, form: Form, class_offsets: NDArray[np.int64], names: Sequence[str]) -> None:
        dtype, model = form.precision, form.model(class_offsets)
        weights = named({name: pt.matrix(name, dtype=dtype) for name in names})
        batch, rate = graph.padded_symbols(dtype), pt.scalar(dtype=dtype)
        start = start_symbols(model, weights)
        result = graph.predictions(model, weights, batch, rate, start)
        last = graph.last_states(result, batch.mask)
        self._score = pytensor.function(
            [*weights, *batch, rate, *start.states, start.document],
            [result.log_probabilities, result.states[0], *last.states, last.document],
            on_unused_input="ignore",
        )

    def score(self, inputs: Sequence[Any]) -> list[Any]:
        """Score a batch; return log P (T, B), the states (T, B, M), and what follows its words.

        Inputs: the weights, `graph.Padded`, the rate of the document vector, and the states and
        vectors before the first words.
        """
        return list(self._score(*inputs))
