"""The updates of weights: gradients of a batch's loss, which PyTensor derives, and steps by them.

The original Theano compiles `training_updates`, too (`engines.theano_engine`): so what it calls
keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytensor.tensor as pt

from online_rnnlm.core.graph import predictions
from online_rnnlm.core.parameters import BY_PART, Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.carried import Carried
    from online_rnnlm.core.graph import Dropout, Model, Padded, Predictions


def sgd(weight: Any, gradient: Any, accumulator: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The weight and its accumulator after a step of stochastic gradient descent."""
    return weight - learning_rate * gradient, accumulator


def adagrad(weight: Any, gradient: Any, accumulator: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The weight and its sum of squared gradients after a step of AdaGrad (Duchi et al., 2011)."""
    total = accumulator + gradient**2
    return weight - learning_rate * gradient / pt.sqrt(total), total


OPTIMIZERS = {"sgd": sgd, "adagrad": adagrad}


class Deferred(NamedTuple):
    """The deferred gradients of W_o and V_oᵀ, by words of classes that had too few words."""

    word_output: Any
    """(V, M)."""
    word_document: Any
    """(D, V)."""
    due: Any
    """(V,): 1 for the words of the classes that are updated now, 0 for the others."""


def training_updates(
    model: Model,
    weights: Parameters,
    accumulators: Parameters,
    batch: Padded,
    learning_rate: Any,
    document_rate: Any,
    start: Carried,
    *,
    optimizer: str,
    dropout: Dropout | None = None,
    deferred: Deferred | None = None,
) -> tuple[Predictions, list[tuple[Any, Any]]]:
    """The batch's predictions, and the updates of all weights and accumulators.

    With `deferred` also those of its gradients: the output weights of a class learn only if the
    class is due, from its deferred gradients, too.
    """
    result = predictions(model, weights, batch, document_rate, start, dropout=dropout)
    total = result.log_probabilities.sum()
    gradients = Parameters(*pt.grad(-total, list(weights), disconnected_inputs="ignore"))
    if deferred is None:
        return result, steps(optimizer, weights, accumulators, gradients, learning_rate)
    gathered = gradients._replace(
        word_output=gradients.word_output + deferred.word_output,
        word_document=gradients.word_document + deferred.word_document,
    )
    changed = dict(steps(optimizer, weights, accumulators, gathered, learning_rate))
    rows = deferred.due[:, None]
    columns = deferred.due[None, :]
    for parameters in (weights, accumulators):
        for symbol, due in ((parameters.word_output, rows), (parameters.word_document, columns)):
            changed[symbol] = pt.where(due, changed[symbol], symbol)
    changed[deferred.word_output] = pt.where(rows, 0, gathered.word_output)
    changed[deferred.word_document] = pt.where(columns, 0, gathered.word_document)
    return result, list(changed.items())


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
    start: Carried,
    vectors: Any,
    learning_rate: Any,
    *,
    learning: frozenset[str],
) -> tuple[Predictions, list[tuple[Any, Any]]]:
    """Predictions of the words that `mask` selects, and a plain step of weights.

    For testing. `batch` is either a whole sentence, or its last words, of which `mask` selects only
    the last; the state before them is constant. `vectors` (T, B, D) are d before every word.
    `learning` names the parts that are updated (`Adaptation.weights`).
    """
    result = predictions(model, weights, batch, 0, start, vectors)
    names = [name for group in sorted(learning) for name in BY_PART[group]]
    chosen = [getattr(weights, name) for name in names]
    loss = -result.log_probabilities.sum()
    gradients = pt.grad(loss, chosen, disconnected_inputs="ignore") if chosen else []
    pairs = zip(chosen, gradients, strict=True)
    return result, [(weight, weight - learning_rate * gradient) for weight, gradient in pairs]
