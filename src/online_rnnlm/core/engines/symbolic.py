"""The functions that a library compiles from the plain graph: one that trains and one that scores.

The original Theano compiles this file, too (`engines.theano_engine`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytensor
import pytensor.tensor as pt

from online_rnnlm.core import graph, updates
from online_rnnlm.core.cells import load_cell
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Integers


class Form(NamedTuple):
    """The settings that decide a run's graph, by their names there: numbers and texts only."""

    cell: str
    error_clip: float
    goes_through_updates: bool
    precision: str
    optimizer: str
    dropout: float
    embedding_dropout: float
    rare_class_words: int
    context_decay: float

    @property
    def drops(self) -> bool:
        """True if the training takes factors of dropout."""
        return bool(self.dropout or self.embedding_dropout)

    def model(self, class_offsets: Integers) -> graph.Model:
        """The model's definition; `class_offsets` (K + 1,) are those of the vocabulary."""
        classes = graph.WordClasses.from_offsets(class_offsets)
        cell = load_cell(self.cell)
        return graph.Model(
            cell, classes, self.error_clip, self.goes_through_updates, self.context_decay
        )


def weight_symbols(dtype: str) -> Parameters:
    """Make a symbol for each of the parameters."""
    return Parameters(*(pt.matrix(name, dtype=dtype) for name in Parameters._fields))


def _start_symbols(model: graph.Model, weights: Parameters) -> graph.Start:
    """Make symbols for what the first words are predicted with."""
    dtype = weights.recurrent.dtype
    states = (pt.matrix(dtype=dtype) for _ in model.cell.states(weights))
    return graph.Start(tuple(states), pt.matrix(dtype=dtype))


def training(form: Form, class_offsets: Integers) -> Any:
    """Compile a function that learns from a batch by `updates.training_updates`.

    Inputs: weights, accumulators, `graph.Padded`, the rates of the weights and of the document
    vector, the states and vectors before the first words, and the factors of dropout if the form
    has them. Outputs: log P, the states and vectors after the last
    words, and the new weights and accumulators.
    """
    dtype = form.precision
    model = form.model(class_offsets)
    weights = weight_symbols(dtype)
    sums = weight_symbols(dtype)
    batch = graph.padded_symbols(dtype)
    start = _start_symbols(model, weights)
    rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)]
    factors = [pt.tensor3(dtype=dtype), pt.tensor3(dtype=dtype)] if form.drops else []
    deferred = [pt.matrix(dtype=dtype), pt.matrix(dtype=dtype), pt.vector(dtype="bool")]
    deferred = deferred if form.rare_class_words else []
    result, changes = updates.training_updates(
        model,
        weights,
        sums,
        batch,
        *rates,
        optimizer=form.optimizer,
        start=start,
        dropout=graph.Dropout(*factors) if factors else None,
        deferred=updates.Deferred(*deferred) if deferred else None,
    )
    last = graph.last_states(result, batch.mask)
    new = dict(changes)
    learnt = [new[symbol] for symbol in (*weights, *sums, *deferred[:2])]
    return pytensor.function(
        [*weights, *sums, *batch, *rates, *start.states, start.document, *factors, *deferred],
        [result.log_probabilities.sum(), *last.states, last.document, *learnt],
        on_unused_input="ignore",
    )


def scoring(form: Form, class_offsets: Integers) -> Any:
    """Compile a function that scores a batch by `graph.predictions`.

    Inputs: the weights, `graph.Padded`, the rate of the document vector, and the states and vectors
    before the first words. Outputs: log P (T, B), h (T, B, M), and the states and vectors after the
    last words.
    """
    dtype = form.precision
    model = form.model(class_offsets)
    weights = weight_symbols(dtype)
    batch = graph.padded_symbols(dtype)
    rate = pt.scalar(dtype=dtype)
    start = _start_symbols(model, weights)
    result = graph.predictions(model, weights, batch, rate, start)
    last = graph.last_states(result, batch.mask)
    return pytensor.function(
        [*weights, *batch, rate, *start.states, start.document],
        [result.log_probabilities, result.states[0], *last.states, last.document],
        on_unused_input="ignore",
    )
