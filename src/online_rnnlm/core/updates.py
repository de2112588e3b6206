"""How weights learn: the gradients of a batch's loss, which PyTensor derives, and steps by them.

The original Theano compiles this file, too (`engines.theano_engine`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytensor.tensor as pt

from online_rnnlm.core.graph import predictions
from online_rnnlm.core.parameters import GROUPS, Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.graph import Dropout, Given, Model, Padded, Predictions, Start


def sgd(weight: Any, gradient: Any, accumulator: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The weight and its accumulator after a step of stochastic gradient descent."""
    return weight - learning_rate * gradient, accumulator


def adagrad(weight: Any, gradient: Any, accumulator: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The weight and its sum of squared gradients after a step of AdaGrad (Duchi et al., 2011)."""
    total = accumulator + gradient**2
    return weight - learning_rate * gradient / pt.sqrt(total), total


OPTIMIZERS = {"sgd": sgd, "adagrad": adagrad}


def training_updates(
    model: Model,
    weights: Parameters,
    accumulators: Parameters,
    batch: Padded,
    learning_rate: Any,
    document_rate: Any,
    *,
    optimizer: str,
    start: Start | None = None,
    dropout: Dropout | None = None,
) -> tuple[Predictions, list[tuple[Any, Any]]]:
    """The batch's predictions, and the updates of all weights and accumulators."""
    result = predictions(model, weights, batch, document_rate, start, dropout)
    total = result.log_probabilities.sum()
    gradients = Parameters(*pt.grad(-total, list(weights), disconnected_inputs="ignore"))
    return result, steps(optimizer, weights, accumulators, gradients, learning_rate)


def steps(
    optimizer: str,
    weights: Parameters,
    accumulators: Parameters,
    gradients: Parameters,
    learning_rate: Any,
) -> list[tuple[Any, Any]]:
    """Every weight and accumulator with its value after a step by a batch's gradients."""
    updates = []
    for weight, sums, gradient in zip(weights, accumulators, gradients):
        changed = OPTIMIZERS[optimizer](weight, gradient, sums, learning_rate)
        updates += [*zip((weight, sums), changed)]
    return updates


def online_updates(
    model: Model,
    weights: Parameters,
    batch: Padded,
    given: Given,
    learning_rate: Any,
    document_rate: Any,
    *,
    learning: frozenset[str],
) -> tuple[Predictions, list[tuple[Any, Any]]]:
    """Predictions of the words that `mask` selects, and a plain step of the weights that learn.

    For testing. `batch` is either a whole sentence, or its last words, of which `mask` selects only
    the last; the states before them are constants. `learning` names groups of parameters.
    """
    result = predictions(model, weights, batch, document_rate, given)
    names = [name for group in sorted(learning) for name in GROUPS[group]]
    chosen = [getattr(weights, name) for name in names]
    loss = -result.log_probabilities.sum()
    gradients = pt.grad(loss, chosen, disconnected_inputs="ignore") if chosen else []
    pairs = zip(chosen, gradients, strict=True)
    return result, [(weight, weight - learning_rate * gradient) for weight, gradient in pairs]
