"""The model as one symbolic graph: the definition that all else is tested against.

    h_t    = σ(E[w_t] + h_{t-1} W_hᵀ + d_t V_hᵀ)         h_0 = 0
    P(c)   = softmax(W_c h_t + V_c d_t)                   over classes
    P(w|c) = softmax(W_o[c] h_t + V_o[c] d_t)             over the words of class c
    L_t    = -log P(c_t) - log P(w_{t+1} | c_t)
    d_t+1  = d_t - α ∂L_t/∂d_t                            d_1 = 0 at each unit of text

V_h is there if d feeds the hidden layer, V_c and V_o if it feeds the output layer. ∂L_t/∂d_t is
that of the step itself: through the scores, and through h_t where V_h is.
All gradients are derived by the engine; d's own update counts as a constant in them.
Sentences are padded: columns of (T, B) matrices, `mask` 1 where there is a token.

The original Theano compiles this file, too (`cross_check`): it and `parameters` keep to Python 3.8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad, grad_clip

from online_rnnlm.model.parameters import GROUPS, Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEVER = -1e30
"""Score of the padding beside a class's words: its probability is exactly 0."""


class Padded(NamedTuple):
    """Sentences side by side, (T, B): previous words, words to predict, 1 where there is one."""

    inputs: Any
    targets: Any
    mask: Any


@dataclass(frozen=True)
class WordClasses:
    """The vocabulary's classes as index tables.

    `of_word` (V,): every word's class. `words` (K, L): the classes' words, padded with word 0;
    `exists` (K, L): False on padding. `within` (V,): every word's place in its class.
    """

    of_word: NDArray[np.int64]
    words: NDArray[np.int64]
    exists: NDArray[np.bool_]
    within: NDArray[np.int64]

    @classmethod
    def from_offsets(cls, offsets: NDArray[np.int64]) -> WordClasses:
        """The tables for classes that are the runs of word ids between `offsets` (K + 1,)."""
        sizes = np.diff(offsets)
        of_word = np.repeat(np.arange(len(sizes)), sizes)
        places = np.arange(sizes.max())
        exists = places < sizes[:, None]
        words = np.where(exists, offsets[:-1, None] + places, 0)
        return cls(of_word, words, exists, np.arange(offsets[-1]) - offsets[of_word])


def pad(
    stream: NDArray[np.int32],
    offsets: NDArray[np.int64],
    sentences: NDArray[np.int64],
    dtype: str,
) -> Padded:
    """The sentences of a split as padded matrices; `mask` has the model's dtype."""
    lengths = offsets[sentences + 1] - offsets[sentences]
    times = np.arange(lengths.max())[:, None]
    exists = times < lengths
    places = np.where(exists, offsets[sentences] + times, 0)
    inputs = np.where(exists, stream[places], 0)
    targets = np.where(exists, stream[places + 1], 0)
    return Padded(inputs.astype("int64"), targets.astype("int64"), exists.astype(dtype))


def padded_symbols(dtype: str) -> Padded:
    """Symbolic inputs for `pad`'s matrices."""
    return Padded(pt.lmatrix("inputs"), pt.lmatrix("targets"), pt.matrix("mask", dtype=dtype))


class Given(NamedTuple):
    """What is as it is: h before the first word (B, M), and d before every word (T, B, D)."""

    hidden: Any
    documents: Any


class Predictions(NamedTuple):
    """Symbolic results: log P of every target (T, B); h (T, B, M) and d (T, B, D) after it."""

    log_probabilities: Any
    hidden_states: Any
    document_vectors: Any


def predictions(
    weights: Parameters,
    batch: Padded,
    classes: WordClasses,
    document_rate: Any,
    error_clip: float,
    given: Given | None = None,
) -> Predictions:
    """The model's predictions for padded sentences, the document vector learning with each word.

    Both h and d start at 0, unless they are `given`: then d is followed from none of the words to
    the next, but what would come after every word is told all the same.
    """
    tables = [pt.constant(table) for table in (classes.of_word, classes.words, classes.within)]
    exists = pt.constant(classes.exists)

    def step(inputs: Any, targets: Any, mask: Any, hidden: Any, document: Any) -> tuple[Any, ...]:
        of_word, words, within = tables
        hidden = _hidden(weights, inputs, hidden, document, error_clip)
        target_class = of_word[targets]
        class_scores = hidden @ weights.class_output.T
        class_scores += _fed(document, weights.class_document)
        rows = words[target_class]
        word_scores = _word_scores(weights, rows, hidden, document)
        word_scores = pt.where(exists[target_class], word_scores, _NEVER)
        log_probability = mask * (
            _log_softmax_of(class_scores, target_class)
            + _log_softmax_of(word_scores, within[targets])
        )
        slope = pt.grad(-log_probability.sum(), document)
        updated = disconnected_grad(document - document_rate * slope)
        return hidden, updated, log_probability

    def step_given(
        inputs: Any, targets: Any, mask: Any, document: Any, hidden: Any
    ) -> tuple[Any, ...]:
        return step(inputs, targets, mask, hidden, document)

    function: Callable[..., tuple[Any, ...]]
    if given is None:
        start = _zeros(weights, batch.inputs.shape[1])
        sequences, infos, function = list(batch), [*start, None], step
    else:
        sequences, infos = [*batch, given.documents], [given.hidden, None, None]
        function = step_given
    hidden_states, documents, log_probabilities = pytensor.scan(
        function, sequences=sequences, outputs_info=infos, return_updates=False
    )
    return Predictions(log_probabilities, hidden_states, documents)


def _zeros(weights: Parameters, width: Any) -> list[Any]:
    """h (B, M) and d (B, D) of 0."""
    dtype = weights.recurrent.dtype
    document = pt.maximum(weights.class_document.shape[0], weights.hidden_document.shape[0])
    return [pt.zeros((width, size), dtype=dtype) for size in (weights.recurrent.shape[0], document)]


def _fed(document: Any, matrix: Any) -> Any:
    """What d (B, D) adds to a layer: d matrix, or 0 if the matrix has no rows."""
    return document[:, : matrix.shape[0]] @ matrix


def _hidden(weights: Parameters, inputs: Any, hidden: Any, document: Any, error_clip: float) -> Any:
    total = weights.embeddings[inputs] + hidden @ weights.recurrent.T
    total += _fed(document, weights.hidden_document)
    if error_clip:
        total = grad_clip(total, -error_clip, error_clip)
    return pt.sigmoid(total)


def _word_scores(weights: Parameters, rows: Any, hidden: Any, document: Any) -> Any:
    """Scores of each sentence's candidate words, (B, L), for `rows` (B, L) of word ids."""
    output = weights.word_output[rows]
    online = weights.word_document.T[rows]
    seen = document[:, None, : weights.word_document.shape[0]]
    return (output * hidden[:, None, :]).sum(2) + (online * seen).sum(2)


def _log_softmax_of(scores: Any, index: Any) -> Any:
    """log softmax(scores)[b, index[b]] for every row b."""
    return pt.special.log_softmax(scores, axis=1)[pt.arange(index.shape[0]), index]


def touched(weights: Parameters, batch: Padded, classes: WordClasses) -> Parameters:
    """1 for every row or column that a batch's gradients reach, for L2: (rows, 1), (1, columns)."""
    dtype = weights.recurrent.dtype
    mask = batch.mask.flatten()

    def reached(rows: Any, numbers: Any) -> Any:
        """1 for every row among these numbers (T, B), those of padding not counted."""
        times = pt.inc_subtensor(pt.zeros((rows,), dtype=dtype)[numbers.flatten()], mask)
        return pt.gt(times, 0).astype(dtype)

    read = reached(weights.embeddings.shape[0], batch.inputs)
    of_word = pt.constant(classes.of_word)
    class_hit = reached(len(classes.words), of_word[batch.targets])
    # A word alone in its class has probability 1 there: its row learns nothing.
    has_choice = pt.constant((classes.exists.sum(1) > 1).astype(dtype))
    predicted = (class_hit * has_choice)[of_word]
    one = pt.ones((1, 1), dtype=dtype)
    return Parameters(read[:, None], one, one, predicted[:, None], one, predicted[None, :], one)


def sgd(weight: Any, gradient: Any, accumulator: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The weight and its accumulator after a step of stochastic gradient descent."""
    return weight - learning_rate * gradient, accumulator


def adagrad(weight: Any, gradient: Any, accumulator: Any, learning_rate: Any) -> tuple[Any, Any]:
    """The weight and its sum of squared gradients after a step of AdaGrad (Duchi et al., 2011)."""
    total = accumulator + gradient**2
    return weight - learning_rate * gradient / pt.sqrt(total), total


OPTIMIZERS = {"sgd": sgd, "adagrad": adagrad}


def training_updates(
    weights: Parameters,
    accumulators: Parameters,
    batch: Padded,
    classes: WordClasses,
    learning_rate: Any,
    document_rate: Any,
    *,
    optimizer: str,
    l2: float,
    error_clip: float,
) -> tuple[Any, list[tuple[Any, Any]]]:
    """The batch's log-probability, and the updates of all weights and accumulators."""
    result = predictions(weights, batch, classes, document_rate, error_clip)
    total = result.log_probabilities.sum()
    gradients = Parameters(*pt.grad(-total, list(weights), disconnected_inputs="ignore"))
    updates = []
    reached = touched(weights, batch, classes)
    rule = OPTIMIZERS[optimizer]
    for name in Parameters._fields:
        weight, sums = getattr(weights, name), getattr(accumulators, name)
        penalty = np.asarray(l2, weight.dtype) * getattr(reached, name) * weight
        gradient = getattr(gradients, name) + penalty
        new_weight, new_sums = rule(weight, gradient, sums, learning_rate)
        updates += [(weight, new_weight), (sums, new_sums)]
    return total, updates


def online_updates(
    weights: Parameters,
    batch: Padded,
    given: Given,
    classes: WordClasses,
    learning_rate: Any,
    document_rate: Any,
    *,
    learning: frozenset[str],
    error_clip: float,
) -> tuple[Predictions, list[tuple[Any, Any]]]:
    """Predictions of the words that `mask` leaves, and a plain step of the weights that learn.

    For testing: `batch` is one sentence; or its last words, all but the last one masked, with the
    state before them, a constant. `learning` names groups of parameters.
    """
    result = predictions(weights, batch, classes, document_rate, error_clip, given)
    names = [name for group in sorted(learning) for name in GROUPS[group]]
    chosen = [getattr(weights, name) for name in names]
    loss = -result.log_probabilities.sum()
    gradients = pt.grad(loss, chosen, disconnected_inputs="ignore") if chosen else []
    pairs = zip(chosen, gradients, strict=True)
    return result, [(weight, weight - learning_rate * gradient) for weight, gradient in pairs]
