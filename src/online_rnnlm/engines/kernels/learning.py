"""What a window of words teaches: derivatives of their loss, and plain steps of what learns.

All gradients are taken before any of the weights changes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.engines.kernels.backward import is_coupled, through_sigmoid
from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_tn
from online_rnnlm.engines.kernels.forward import add_slope, subtract
from online_rnnlm.engines.kernels.units import outputs_of


class Learning(NamedTuple):
    """What learns during testing, when, and how fast; the reals have the weights' dtype."""

    embeddings: bool
    recurrent: bool
    """W_h and V_h."""
    output: bool
    """W_c, W_o, V_c and V_o."""
    after_sentence: bool
    """After every sentence, or else after every word."""
    steps: int
    """Hidden states that a word's loss is propagated through."""
    learning_rate: np.floating
    document_rate: np.floating
    error_clip: np.floating


class Window(NamedTuple):
    """The last n words read, and which of them are scored: the last one, or all."""

    inputs: Any
    """(n,): previous words."""
    targets: Any
    """(n,): words to predict."""
    states: Any
    """(n + 1, M): h before the first word, and of every word."""
    documents: Any
    """(n, D): d before every word."""
    scored: int
    """The first of the words that are scored."""


@njit(cache=True, forceinline=True)
def learn(unit, classes, learning, window, document, word_scores, space):
    """One step of all that learns, from the errors that scoring the window has left."""
    states_learn = learning.embeddings or learning.recurrent
    vector_learns = learning.document_rate != 0
    if states_learn or (vector_learns and is_coupled(unit.learnt)):
        _differentiate_by_states(unit, classes, window, word_scores, space)
    if vector_learns:
        space.slope[:] = 0
        _differentiate_by_document(unit, classes, learning, window, word_scores, space)
    if states_learn:
        _propagate(unit.learnt.recurrent, learning.error_clip, window, space.errors)
    if learning.output:
        _update_output(unit, classes, learning, window, word_scores, space)
    if learning.recurrent:
        _update_recurrent(unit.learnt, learning.learning_rate, window, space.errors)
    if learning.embeddings:
        _update_embeddings(unit, learning.learning_rate, window, space.errors)
    if vector_learns:
        subtract(document, learning.document_rate, space.slope)


@njit(cache=True, forceinline=True)
def _errors_of(classes, window, word_scores, space, j):
    """The class of word j's target, its first word, and the errors of all its words' scores.

    A word alone in its class has no score: then there are no errors.
    """
    c = classes.of_word[window.targets[j]]
    low, high = classes.offsets[c], classes.offsets[c + 1]
    size = high - low if high - low > 1 else 0
    return c, low, word_scores[space.place[j] : space.place[j] + size]


@njit(cache=True, forceinline=True)
def _differentiate_by_states(unit, classes, window, word_scores, space):
    """∂L_j/∂h_j of every word that is scored, into row j of `space.errors`."""
    one, zero = window.states.dtype.type(1), window.states.dtype.type(0)
    rows = slice(window.scored, window.targets.size)
    multiply_nn(one, space.class_scores[rows], unit.learnt.class_output, zero, space.errors[rows])
    for j in range(window.scored, window.targets.size):
        c, _, errors = _errors_of(classes, window, word_scores, space, j)
        if errors.size > 0:
            output, _ = outputs_of(unit, classes, c)
            errors = errors.reshape(1, errors.size)
            multiply_nn(one, errors, output, one, space.errors[j : j + 1])


@njit(cache=True, forceinline=True)
def _differentiate_by_document(unit, classes, learning, window, word_scores, space):
    """Add ∂L_j/∂d_j of every word that is scored to `space.slope`: it goes through h_j at most."""
    for j in range(window.scored, window.targets.size):
        add_slope(unit.learnt.class_document, 0, space.class_scores[j], space.slope)
        c, low, errors = _errors_of(classes, window, word_scores, space, j)
        if errors.size > 0:
            _, vectors = outputs_of(unit, classes, c)
            add_slope(vectors, low, errors, space.slope)
        if is_coupled(unit.learnt):
            own = space.class_errors[:1]
            own[0] = space.errors[j]
            through_sigmoid(window.states[j + 1 : j + 2], own, learning.error_clip)
            add_slope(unit.learnt.hidden_document, 0, own[0], space.slope)


@njit(cache=True, forceinline=True)
def _propagate(recurrent, clip, window, errors):
    """Turn ∂L_j/∂h_j in `errors` into ∂L at all hidden units' inputs, from the last word."""
    one, zero = errors.dtype.type(1), errors.dtype.type(0)
    for j in range(window.targets.size - 1, -1, -1):
        now = errors[j : j + 1]
        through_sigmoid(window.states[j + 1 : j + 2], now, clip)
        if j > 0:
            keep = one if j > window.scored else zero
            multiply_nn(one, now, recurrent, keep, errors[j - 1 : j])


@njit(cache=True, forceinline=True)
def _update_output(unit, classes, learning, window, word_scores, space):
    learnt, trained, rate = unit.learnt, unit.trained, learning.learning_rate
    for j in range(window.scored, window.targets.size):
        state, document, errors = window.states[j + 1], window.documents[j], space.class_scores[j]
        _subtract_outer(learnt.class_output, learnt.class_output, False, rate, errors, state)
        columns = learnt.class_document
        _subtract_columns(columns, columns, False, rate, document, errors, 0)
        c, low, errors = _errors_of(classes, window, word_scores, space, j)
        if errors.size > 0:
            rows = learnt.word_output[low : low + errors.size]
            before = trained.word_output[low : low + errors.size]
            new = not unit.classes[c]
            _subtract_outer(rows, before, new, rate, errors, state)
            columns, before = learnt.word_document, trained.word_document
            _subtract_columns(columns, before, new, rate, document, errors, low)
            unit.classes[c] = True


@njit(cache=True, forceinline=True)
def _update_recurrent(learnt, rate, window, errors):
    one, size = errors.dtype.type(1), window.inputs.size
    multiply_tn(-rate, errors[:size], window.states[:size], one, learnt.recurrent)
    multiply_tn(-rate, window.documents, errors[:size], one, learnt.hidden_document)


@njit(cache=True, forceinline=True)
def _update_embeddings(unit, rate, window, errors):
    for j in range(window.inputs.size):
        word = window.inputs[j]
        row = unit.learnt.embeddings[word]
        if not unit.words[word]:
            row[:] = unit.trained.embeddings[word]
            unit.words[word] = True
        subtract(row, rate, errors[j])


# What is new has not learnt in this unit of text yet: its values are those before, elsewhere.
# It has a loop of its own, so that both compile to plain vector instructions.


@njit(cache=True, fastmath=True, error_model="numpy")
def _subtract_outer(matrix, before, new, rate, left, right):
    """matrix -= rate left rightᵀ, with the same number of rows as `left`."""
    if new:
        for i in range(left.size):
            row, old = matrix[i], before[i]
            factor = rate * left[i]
            for j in range(right.size):
                row[j] = old[j] - factor * right[j]
    else:
        for i in range(left.size):
            row = matrix[i]
            factor = rate * left[i]
            for j in range(right.size):
                row[j] -= factor * right[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def _subtract_columns(matrix, before, new, rate, document, errors, low):
    """matrix[:, low : low + n] -= rate documentᵀ errors, or nothing if the matrix has no rows."""
    high = low + errors.size
    for i in range(matrix.shape[0]):
        row = matrix[i][low:high]
        factor = rate * document[i]
        if new:
            old = before[i][low:high]
            for j in range(errors.size):
                row[j] = old[j] - factor * errors[j]
        else:
            for j in range(errors.size):
                row[j] -= factor * errors[j]
