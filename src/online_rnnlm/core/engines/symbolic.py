"""The functions that a library compiles from the plain graph: one that trains and one that scores.

The original Theano compiles this file, too (`engines.theano_engine`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytensor
import pytensor.tensor as pt

from online_rnnlm.core import graph, updates
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule


def model_of(network: NetworkSettings, class_offsets: Integers) -> graph.Model:
    """The definition of a network; `class_offsets` (K + 1,) are those of the vocabulary."""
    return graph.Model(network, graph.WordClasses.from_offsets(class_offsets))


def weight_symbols(dtype: str) -> Parameters:
    """Make a symbol for each of the parameters."""
    return Parameters(*(pt.matrix(name, dtype=dtype) for name in Parameters._fields))


def carried_symbols(dtype: str) -> Carried:
    """Make symbols for the state before the first words; the graph does not use the last two."""
    hidden, memory, vector, gradient = (
        pt.matrix(name, dtype=dtype) for name in Carried._fields[:4]
    )
    return Carried(hidden, memory, vector, gradient, pt.lvector("since_step"))


def training(network: NetworkSettings, rule: TrainingRule, class_offsets: Integers) -> Any:
    """Compile a function that learns from a batch by `updates.training_updates`.

    Inputs: weights, accumulators, `graph.Padded`, the rates of the weights and of the document
    vector, `Carried` before the first words, the factors of dropout if units are dropped, and the
    deferred gradients if some are. Outputs: log P, `Carried` after the last words, and the new
    weights, accumulators and deferred gradients.
    """
    dtype = network.precision
    model = model_of(network, class_offsets)
    weights = weight_symbols(dtype)
    sums = weight_symbols(dtype)
    batch = graph.padded_symbols(dtype)
    start = carried_symbols(dtype)
    rates = pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)
    factors = [pt.tensor3(dtype=dtype), pt.tensor3(dtype=dtype)] if rule.drops_units else []
    deferred = [pt.matrix(dtype=dtype), pt.matrix(dtype=dtype), pt.vector(dtype="bool")]
    deferred = deferred if rule.rare_class_words else []
    result, changes = updates.training_updates(
        model,
        weights,
        sums,
        batch,
        *rates,
        start,
        optimizer=rule.optimizer,
        dropout=graph.Dropout(*factors) if factors else None,
        deferred=updates.Deferred(*deferred) if deferred else None,
    )
    new = dict(changes)
    learnt = [new[symbol] for symbol in (*weights, *sums, *deferred[:2])]
    return pytensor.function(
        [*weights, *sums, *batch, *rates, *start, *factors, *deferred],
        [
            result.log_probabilities.sum(),
            *graph.carried_after(start, result, batch.mask),
            *learnt,
        ],
        on_unused_input="ignore",
    )


def scoring(network: NetworkSettings, class_offsets: Integers) -> Any:
    """Compile a function that scores a batch by `graph.predictions`.

    Inputs: the weights, `graph.Padded`, the rate of the document vector, and `Carried` before the
    first words. Outputs: log P (T, B), h (T, B, M), and `Carried` after the last words.
    """
    dtype = network.precision
    model = model_of(network, class_offsets)
    weights = weight_symbols(dtype)
    batch = graph.padded_symbols(dtype)
    rate = pt.scalar(dtype=dtype)
    start = carried_symbols(dtype)
    result = graph.predictions(model, weights, batch, rate, start)
    return pytensor.function(
        [*weights, *batch, rate, *start],
        [
            result.log_probabilities,
            result.hidden,
            *graph.carried_after(start, result, batch.mask),
        ],
        on_unused_input="ignore",
    )
