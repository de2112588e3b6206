"""Testing while chosen weights learn after every word.

Sentences are taken in order, and what one has taught is there for the next. Each word is scored
first; then its loss is differentiated, through the last few hidden states, and the chosen weights
take a plain step. The states that the loss reaches back through are computed with the weights as
they are now, from the state before them, which is kept as it was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.model.kernels.backward import through_sigmoid
from online_rnnlm.model.kernels.blas import multiply_nn, multiply_nt, multiply_tn
from online_rnnlm.model.kernels.forward import add_product, add_slope, apply_sigmoid, to_errors


class Learning(NamedTuple):
    """What learns during testing, and how fast; the reals have the weights' dtype."""

    embeddings: bool
    recurrent: bool
    output: bool
    """W_c, W_o, V_c and V_o."""
    steps: int
    """Hidden states that a word's loss is propagated through."""
    learning_rate: np.floating
    document_rate: np.floating
    error_clip: np.floating


@njit(cache=True)
def score_online(
    weights, classes, stream, offsets, sentences, learning, unk, word_scores, space, scores, vectors
):
    """Score sentences in order, the weights learning in place.

    `scores` (S, 2): log P of a sentence and of its `<unk>`; `vectors` (S, D): d at its end.
    `word_scores` holds the largest class; `space.hidden` a sentence's states and one more.
    """
    scores[:] = 0
    for number in range(sentences.size):
        start, end = offsets[sentences[number]], offsets[sentences[number] + 1]
        document = space.current[0]
        document[:] = 0
        space.hidden[0] = 0
        for t in range(end - start):
            target = stream[start + t + 1]
            log_probability = _score_word(
                weights, classes, stream, start, t, learning, word_scores, document, space
            )
            scores[number, 0] += log_probability
            if target == unk:
                scores[number, 1] += log_probability
        vectors[number] = document


@njit(cache=True)
def _score_word(weights, classes, stream, start, t, learning, word_scores, document, space):
    """Score word t of the sentence whose inputs begin at `start`, then learn from it."""
    back = learning.steps if learning.embeddings or learning.recurrent else 1
    begin = max(0, t + 1 - back)
    words = stream[start + begin : start + t + 1]
    states = space.grouped[: words.size + 1]
    states[0] = space.hidden[begin]
    _run_states(weights, words, states)
    space.hidden[t + 1] = states[words.size]
    target = stream[start + t + 1]
    c = classes.of_word[target]
    low, high = classes.offsets[c], classes.offsets[c + 1]
    state = states[words.size : words.size + 1]
    word_errors = word_scores[: high - low]
    log_probability = _to_word_errors(
        weights, state, document, c, target, low, word_errors, space.class_scores[0]
    )
    _learn(weights, learning, words, states, low, word_errors, document, space)
    return log_probability


@njit(cache=True)
def _run_states(weights, words, states):
    """states[j + 1] ← σ(E[words[j]] + W_h states[j])."""
    one = states.dtype.type(1)
    for j in range(words.size):
        now = states[j + 1 : j + 2]
        now[0] = weights.embeddings[words[j]]
        multiply_nt(one, states[j : j + 1], weights.recurrent, one, now)
        apply_sigmoid(now)


@njit(cache=True)
def _to_word_errors(weights, state, document, c, target, low, word_errors, class_errors):
    """Score one target; leave P - 1 at the target in both arrays; returns its log P."""
    one, zero = state.dtype.type(1), state.dtype.type(0)
    high = low + word_errors.size
    multiply_nt(one, state, weights.class_output, zero, class_errors.reshape(1, class_errors.size))
    add_product(document, weights.class_document, 0, class_errors.size, class_errors)
    log_probability = to_errors(class_errors, c)
    if word_errors.size > 1:
        output = weights.word_output[low:high]
        multiply_nt(one, state, output, zero, word_errors.reshape(1, word_errors.size))
        add_product(document, weights.word_document, low, high, word_errors)
        log_probability += to_errors(word_errors, target - low)
    else:
        word_errors[0] = zero
    return log_probability


@njit(cache=True)
def _learn(weights, learning, words, states, low, word_errors, document, space):
    """One step of what learns, with gradients taken before any of it has changed."""
    one, zero = states.dtype.type(1), states.dtype.type(0)
    last = words.size
    class_errors = space.class_scores[0]
    output = weights.word_output[low : low + word_errors.size]
    slope = space.slope
    slope[:] = 0
    add_slope(weights.class_document, 0, class_errors, slope)
    add_slope(weights.word_document, low, word_errors, slope)
    errors = space.errors[: last + 1]
    if learning.embeddings or learning.recurrent:
        error = errors[last : last + 1]
        flat_classes = class_errors.reshape(1, class_errors.size)
        multiply_nn(one, flat_classes, weights.class_output, zero, error)
        multiply_nn(one, word_errors.reshape(1, word_errors.size), output, one, error)
        _propagate(weights, states, errors, learning.error_clip)
    rate = learning.learning_rate
    if learning.output:
        state = states[last]
        _subtract_outer(weights.class_output, rate, class_errors, state)
        if word_errors.size > 1:
            _subtract_outer(output, rate, word_errors, state)
        _subtract_document_outer(weights.class_document, rate, document, class_errors, 0)
        _subtract_document_outer(weights.word_document, rate, document, word_errors, low)
    if learning.recurrent:
        multiply_tn(-rate, errors[1:], states[:last], one, weights.recurrent)
    if learning.embeddings:
        for j in range(last):
            _subtract(weights.embeddings[words[j]], rate, errors[j + 1])
    _subtract(document, learning.document_rate, slope)


@njit(cache=True)
def _propagate(weights, states, errors, clip):
    """From ∂L/∂h in the last row of `errors`, the errors at all hidden units' inputs."""
    one, zero = states.dtype.type(1), states.dtype.type(0)
    for j in range(states.shape[0] - 1, 0, -1):
        through_sigmoid(states[j : j + 1], errors[j : j + 1], clip)
        if j > 1:
            multiply_nn(one, errors[j : j + 1], weights.recurrent, zero, errors[j - 1 : j])


@njit(cache=True, fastmath=True, error_model="numpy")
def _subtract_outer(matrix, rate, left, right):
    """matrix -= rate left rightᵀ, with the same number of rows as `left`."""
    for i in range(left.size):
        row = matrix[i]
        factor = rate * left[i]
        for j in range(right.size):
            row[j] -= factor * right[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def _subtract_document_outer(matrix, rate, document, errors, low):
    """matrix[:, low : low + n] -= rate documentᵀ errors."""
    for i in range(document.size):
        row = matrix[i][low : low + errors.size]
        factor = rate * document[i]
        for j in range(errors.size):
            row[j] -= factor * errors[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def _subtract(row, rate, gradient):
    for j in range(row.size):
        row[j] -= rate * gradient[j]
