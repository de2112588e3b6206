"""How weights learn: the gradients of a batch's loss, which PyTensor derives, and steps by them.

The original Theano compiles this file, too (`engines.theano_engine`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt

from online_rnnlm.model.graph import predictions
from online_rnnlm.model.parameters import Parameters, groups_of, like

if TYPE_CHECKING:
    from online_rnnlm.model.graph import Dropout, Given, Model, Padded, Predictions, Start


def touched(model: Model, weights: Parameters, batch: Padded) -> Parameters:
    """Mark with 1 every row (rows, 1) or column (1, columns) that a batch's gradients reach.

    All others are 0: the L2 penalty applies only where there is a 1. Parameters that are reached as
    a whole have a single 1, (1, 1).
    """
    dtype = weights.recurrent.dtype
    mask, classes = batch.mask.flatten(), model.classes

    def reached(rows: Any, numbers: Any) -> Any:
        """1 for every row that is among these numbers (T, B), those of padding left out, else 0."""
        times = pt.inc_subtensor(pt.zeros((rows,), dtype=dtype)[numbers.flatten()], mask)
        return pt.gt(times, 0).astype(dtype)

    read = reached(weights.embeddings.shape[0], batch.inputs)
    of_word = pt.constant(classes.of_word)
    class_hit = reached(len(classes.words), of_word[batch.targets])
    # A word alone in its class has probability 1 there: its row learns nothing.
    has_choice = pt.constant((classes.exists.sum(1) > 1).astype(dtype))
    predicted = (class_hit * has_choice)[of_word]
    one = pt.ones((1, 1), dtype=dtype)
    where = dict.fromkeys(weights._fields, one)
    where.update(dict.fromkeys(model.cell.GROUPS["embeddings"], read[:, None]))
    where.update(word_output=predicted[:, None], word_document=predicted[None, :])
    return weights._replace(**where)


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
    l2: float,
    start: Start | None = None,
    dropout: Dropout | None = None,
) -> tuple[Predictions, list[tuple[Any, Any]]]:
    """The batch's predictions, and the updates of all weights and accumulators."""
    result = predictions(model, weights, batch, document_rate, start, dropout)
    total = result.log_probabilities.sum()
    gradients = like(weights, pt.grad(-total, list(weights), disconnected_inputs="ignore"))
    now = weights, accumulators, gradients
    return result, steps(model, *now, batch, learning_rate, optimizer, l2)


def steps(
    model: Model,
    weights: Parameters,
    accumulators: Parameters,
    gradients: Parameters,
    batch: Padded,
    learning_rate: Any,
    optimizer: str,
    l2: float,
) -> list[tuple[Any, Any]]:
    """Every weight and accumulator with its value after a step by a batch's gradients."""
    updates = []
    reached = touched(model, weights, batch)
    for weight, sums, gradient, where in zip(weights, accumulators, gradients, reached):
        penalty = np.asarray(l2, weight.dtype) * where * weight
        changed = OPTIMIZERS[optimizer](weight, gradient + penalty, sums, learning_rate)
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
    groups = groups_of(model.cell)
    names = [name for group in sorted(learning) for name in groups[group]]
    chosen = [getattr(weights, name) for name in names]
    loss = -result.log_probabilities.sum()
    gradients = pt.grad(loss, chosen, disconnected_inputs="ignore") if chosen else []
    pairs = zip(chosen, gradients, strict=True)
    return result, [(weight, weight - learning_rate * gradient) for weight, gradient in pairs]
