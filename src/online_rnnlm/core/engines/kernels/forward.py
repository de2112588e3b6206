"""Predictions of a batch's words.

Scores without the vector's part are matrix products over many words at once; only the vector's own
recurrence runs word by word.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines.kernels.dropout import HIDDEN, drop
from online_rnnlm.core.engines.kernels.elementwise import (
    add_product,
    copy,
    descend,
    gather,
    softmax_deltas,
)
from online_rnnlm.core.engines.kernels.layout import ByClass, group_by_class, scores_of_class


class KernelPredictions(NamedTuple):
    """The predictions of a batch's P words, and what their gradients are computed from."""

    groups: ByClass
    log_probabilities: Floats
    """(P,): log P of every word."""
    hidden: Any
    """(P, M): h that feeds the output layer, after dropout."""
    documents: Any
    """(P, D): d before every word."""
    class_deltas: Any
    """(P, K): δ_c."""
    word_deltas: Any
    """(scores,): δ_w, as `groups` says."""
    leaves_words: bool
    """True in static training: P(w|c) and δ_w are computed by `predict_class` during the update of
    W_o, which is then read from memory once; until then the log-probabilities lack P(w|c)."""


@njit(cache=True)
def predict(model, batch, states, carried, leaves_words):
    """Predict a batch's words; d of its segments is read from `carried`, and left there.

    `leaves_words` is that of `KernelPredictions`.
    """
    weights = model.weights
    classes = model.classes
    hidden = states.hidden[batch.first_predicted :]
    if model.dropout.hidden > 0:
        hidden = hidden.copy()
        places = batch.places[batch.first_predicted :]
        drop(model.dropout.key, HIDDEN, model.dropout.hidden, places, hidden)
    groups = group_by_class(classes, batch.targets)
    class_scores = np.dot(hidden, weights.class_output.T)
    found = KernelPredictions(
        groups,
        np.empty(batch.targets.size),
        hidden,
        np.empty((batch.targets.size, carried.vector.shape[1]), hidden.dtype),
        class_scores,
        np.empty(groups.scores, hidden.dtype),
        leaves_words,
    )
    if not leaves_words:
        for c in range(classes.offsets.size - 1):
            if groups.starts[c] < groups.starts[c + 1]:
                _score_class(model, found, c)
    _follow_documents(model, batch, found, carried)
    return found


@njit(cache=True)
def _score_class(model, found, c):
    """Compute W_o[c] h_t of the words of a class that has some, in the place of their deltas."""
    groups = found.groups
    offsets = model.classes.offsets
    words = groups.words[groups.starts[c] : groups.starts[c + 1]]
    low = offsets[c]
    high = offsets[c + 1]
    if high - low > 1:  # a word that is alone in its class has P(w|c) = 1
        # BLAS is slow if it is to transpose the larger of the two matrices.
        hidden = np.ascontiguousarray(gather(found.hidden, words).T)
        scores = np.dot(model.weights.word_output[low:high], hidden)
        _transpose(scores, scores_of_class(found.word_deltas, groups, model.classes, c))


@njit(cache=True)
def predict_class(model, batch, found, c):
    """Compute P(w|c) and δ_w of a class's words, in static training."""
    _score_class(model, found, c)
    groups = found.groups
    low = model.classes.offsets[c]
    scores = scores_of_class(found.word_deltas, groups, model.classes, c)
    for i in range(scores.shape[0]):
        index = groups.words[groups.starts[c] + i]
        target = batch.targets[index] - low
        found.log_probabilities[index] += softmax_deltas(scores[i], target)


@njit(cache=True)
def _follow_documents(model, batch, found, carried):
    """Let the document vectors learn from their words, in the order of time.

    Adds V_c d_t and V_o[c] d_t to the scores, computes log P from them and turns them into deltas,
    and adds ∂L_t/∂d_t = V_cᵀ δ_c + V_o[c]ᵀ δ_w to d's gradient.
    """
    class_document = model.weights.class_document
    to_documents = np.ascontiguousarray(class_document.T)
    word_document = model.weights.word_document
    of_word = model.classes.of_word
    offsets = model.classes.offsets
    for t in range(batch.first_rows.size - 1):
        at = batch.first_rows[t]
        begin, end = max(at, batch.first_predicted), batch.first_rows[t + 1]
        if begin >= end:
            continue
        documents = carried.vector[begin - at : end - at]
        gradients = carried.gradient[begin - at : end - at]
        class_deltas = found.class_deltas[
            begin - batch.first_predicted : end - batch.first_predicted
        ]
        add_product(documents, class_document, class_deltas)
        for b in range(documents.shape[0]):
            index = begin - batch.first_predicted + b
            target = batch.targets[index]
            c = of_word[target]
            low, high = offsets[c], offsets[c + 1]
            copy(documents[b], found.documents[index])
            log_probability = softmax_deltas(class_deltas[b], c)
            if not model.steps_by_error:
                subtract_column(class_document, c, gradients[b])
            if high - low > 1 and not found.leaves_words:
                first = found.groups.first_scores[index]
                deltas = found.word_deltas[first : first + high - low]
                feed(documents[b], word_document, low, deltas)
                log_probability += softmax_deltas(deltas, target - low)
                if model.steps_by_error:
                    add_document_gradient(word_document, low, deltas, gradients[b])
                else:
                    subtract_column(word_document, target, gradients[b])
            found.log_probabilities[index] = log_probability
        if model.steps_by_error:
            add_product(class_deltas, to_documents, gradients)
        for b in range(begin - at, end - at):
            carried.since_step[b] += 1
            if carried.since_step[b] == model.words_a_step:
                take_step(model, carried, b)


@njit(cache=True)
def take_step(model, carried, b):
    """Set d = ρ d - α Σ ∂L_t/∂d over the words since the last step, and begin a new sum."""
    descend(carried.vector[b], model.document_decay, model.document_rate, carried.gradient[b])
    carried.gradient[b] = 0
    carried.since_step[b] = 0


@njit(cache=True)
def _transpose(source, target):
    """Set target = sourceᵀ."""
    for i in range(target.shape[0]):
        row = target[i]
        for j in range(row.size):
            row[j] = source[j, i]


@njit(cache=True)
def subtract_column(matrix, j, gradient):
    """Set gradient -= matrix[:, j]; (D,)."""
    for i in range(gradient.size):
        gradient[i] -= matrix[i, j]


# Four rows at a time, so that each sum is read and written once for four products.


@njit(cache=True, fastmath=True, error_model="numpy")
def feed(document, matrix, low, inputs):
    """Add the part of d (D,) to a layer's inputs (n,): inputs += V[low : low + n] d.

    `matrix` is Vᵀ, (D, ≥ low + n); if it has no rows, nothing is added.
    """
    rows = matrix.shape[0]
    high = low + inputs.size
    whole = rows - rows % 4
    for i in range(0, whole, 4):
        row0, row1 = matrix[i][low:high], matrix[i + 1][low:high]
        row2, row3 = matrix[i + 2][low:high], matrix[i + 3][low:high]
        d0, d1, d2, d3 = document[i], document[i + 1], document[i + 2], document[i + 3]
        for j in range(inputs.size):
            inputs[j] += d0 * row0[j] + d1 * row1[j] + d2 * row2[j] + d3 * row3[j]
    for i in range(whole, rows):
        row0 = matrix[i][low:high]
        for j in range(inputs.size):
            inputs[j] += document[i] * row0[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def add_document_gradient(matrix, low, deltas, gradient):
    """Add a layer's part, by its deltas δ (n,), to ∂L/∂d (D,): gradient += V[low : low + n]ᵀ δ.

    `matrix` is Vᵀ, (D, ≥ low + n); if it has no rows, nothing is added.
    """
    rows = matrix.shape[0]
    high = low + deltas.size
    whole = rows - rows % 4
    zero = gradient.dtype.type(0)
    for i in range(0, whole, 4):
        row0, row1 = matrix[i][low:high], matrix[i + 1][low:high]
        row2, row3 = matrix[i + 2][low:high], matrix[i + 3][low:high]
        sum0, sum1, sum2, sum3 = zero, zero, zero, zero
        for j in range(deltas.size):
            delta = deltas[j]
            sum0 += delta * row0[j]
            sum1 += delta * row1[j]
            sum2 += delta * row2[j]
            sum3 += delta * row3[j]
        gradient[i] += sum0
        gradient[i + 1] += sum1
        gradient[i + 2] += sum2
        gradient[i + 3] += sum3
    for i in range(whole, rows):
        row0 = matrix[i][low:high]
        total = zero
        for j in range(deltas.size):
            total += deltas[j] * row0[j]
        gradient[i] += total
