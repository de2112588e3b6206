"""The functions that a library compiles from the plain graph: one trains, one scores.

The original Theano compiles this file, too (`engines.theano`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.model import graph, updates
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import Parameters, like, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Form(NamedTuple):
    """What decides the graph, beside its numbers; numbers and texts only, so that JSON holds it."""

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


class Training:
    """Weights and accumulators that learn from batches, by `updates.training_updates`."""

    def __init__(
        self,
        form: Form,
        class_offsets: NDArray[np.int64],
        weights: Parameters,
        accumulators: Parameters,
    ) -> None:
        self._weights, self._accumulators = _shared(weights), _shared(accumulators)
        dtype, model = form.precision, form.model(class_offsets)
        batch, start = graph.padded_symbols(dtype), start_symbols(model, self._weights)
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)]
        factors = [pt.tensor3(dtype=dtype), pt.tensor3(dtype=dtype)] if form.drops else []
        result, changes = updates.training_updates(
            model,
            self._weights,
            self._accumulators,
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

    def values(self) -> tuple[Parameters, Parameters]:
        """The weights and accumulators themselves, not copies."""
        weights = like(self._weights, (v.get_value(borrow=True) for v in self._weights))
        return weights, like(weights, (v.get_value(borrow=True) for v in self._accumulators))

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        for variables, arrays in ((self._weights, weights), (self._accumulators, accumulators)):
            for variable, array in zip(variables, arrays):
                variable.set_value(array)


def _shared(values: Parameters) -> Parameters:
    return like(values, (pytensor.shared(a, name) for name, a in values._asdict().items()))


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
