"""Gradients of one batch, and the weights' updates, in place.

Every gradient is taken with the weights as they were at the prediction: each is used for
propagating errors before it is changed.
"""

from __future__ import annotations

import math

from numba import njit

from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_tn
from online_rnnlm.engines.kernels.layout import gather


@njit(cache=True)
def update_weights(weights, sums, classes, rule, steps, tokens, word_scores, space):
    """Update all weights from the errors that `predict_batch` has left in `space`.

    `predict_coupled` has left ∂L/∂h in `space.errors`, too: it needs no second time.
    """
    zero = space.hidden.dtype.type(0)
    one = space.hidden.dtype.type(1)
    class_errors = space.class_scores[:tokens]
    if not is_coupled(weights):
        multiply_nn(one, class_errors, weights.class_output, zero, space.errors[:tokens])
    _update_words(weights, sums, classes, rule, tokens, word_scores, space)
    _update_class_layer(weights, sums, rule, class_errors, space)
    _propagate_through_time(weights, rule, steps, space)
    _update_hidden_document(weights, sums, rule, tokens, space)
    _update_recurrent(weights, sums, rule, tokens, space)
    _update_embeddings(weights, sums, rule, tokens, space)


@njit(cache=True)
def is_coupled(weights):
    """Whether d feeds the hidden layer, so that hidden states depend on it."""
    return weights.hidden_document.shape[0] > 0


@njit(cache=True)
def _update_words(weights, sums, classes, rule, tokens, word_scores, space):
    """For each class in turn, add its words' part to ∂L/∂h, then update W_o[c] and V_o[c]."""
    dtype = space.hidden.dtype.type
    gather(space.documents, space.order[:tokens], space.grouped_documents)
    place = 0
    for c in range(space.starts.size - 1):
        begin, end = space.starts[c], space.starts[c + 1]
        low, high = classes.offsets[c], classes.offsets[c + 1]
        scores = word_scores[place : place + (end - begin) * (high - low)]
        place += scores.size
        if end == begin or high - low == 1:
            continue
        errors = scores.reshape(end - begin, high - low)
        output = weights.word_output[low:high]
        if not is_coupled(weights):
            parts = space.class_errors[: end - begin]
            multiply_nn(dtype(1), errors, output, dtype(0), parts)
            add_rows(parts, space.order[begin:end], space.errors)
        gradient = space.word_output[: high - low]
        multiply_tn(dtype(1), errors, space.grouped[begin:end], dtype(0), gradient)
        _update(output, gradient, sums.word_output[low:high], rule)
        if weights.word_document.shape[0] > 0:
            documents = space.grouped_documents[begin:end]
            _update_word_document(weights, sums, rule, documents, errors, low, high, space)


@njit(cache=True)
def _update_word_document(weights, sums, rule, documents, errors, low, high, space):
    dtype = space.hidden.dtype.type
    size = documents.shape[1]
    gradient = space.word_document[: size * (high - low)].reshape(size, high - low)
    multiply_tn(dtype(1), documents, errors, dtype(0), gradient)
    for i in range(size):
        _update_row(
            weights.word_document[i][low:high],
            gradient[i],
            sums.word_document[i][low:high],
            rule,
        )


@njit(cache=True, fastmath=True, error_model="numpy")
def add_rows(source, rows, target):
    """target[rows[r]] += source[r]."""
    for r in range(rows.size):
        into, what = target[rows[r]], source[r]
        for j in range(what.size):
            into[j] += what[j]


@njit(cache=True)
def _update_class_layer(weights, sums, rule, class_errors, space):
    dtype = space.hidden.dtype.type
    tokens = class_errors.shape[0]
    multiply_tn(dtype(1), class_errors, space.hidden[:tokens], dtype(0), space.class_output)
    _update(weights.class_output, space.class_output, sums.class_output, rule)
    if weights.class_document.shape[0] > 0:
        documents = space.documents[:tokens]
        multiply_tn(dtype(1), documents, class_errors, dtype(0), space.class_document)
        _update(weights.class_document, space.class_document, sums.class_document, rule)


@njit(cache=True)
def _propagate_through_time(weights, rule, steps, space):
    """Turn ∂L/∂h in `errors` into the errors at the hidden units' inputs, from the last word."""
    one = space.hidden.dtype.type(1)
    first = space.first
    for t in range(steps - 1, -1, -1):
        now = space.errors[first[t] : first[t + 1]]
        if t < steps - 1:
            later = space.errors[first[t + 1] : first[t + 2]]
            multiply_nn(one, later, weights.recurrent, one, now[: later.shape[0]])
        through_sigmoid(space.hidden[first[t] : first[t + 1]], now, rule.error_clip)


@njit(cache=True, fastmath=True, error_model="numpy")
def through_sigmoid(hidden, errors, clip):
    """Turn ∂L/∂h into the errors at the units' inputs, each held within ±clip."""
    one = hidden.dtype.type(1)
    for i in range(hidden.shape[0]):
        h, row = hidden[i], errors[i]
        for j in range(h.size):
            error = row[j] * h[j] * (one - h[j])
            row[j] = min(max(error, -clip), clip)


@njit(cache=True)
def _update_hidden_document(weights, sums, rule, tokens, space):
    if is_coupled(weights):
        dtype = space.hidden.dtype.type
        documents, errors = space.documents[:tokens], space.errors[:tokens]
        multiply_tn(dtype(1), documents, errors, dtype(0), space.hidden_document)
        _update(weights.hidden_document, space.hidden_document, sums.hidden_document, rule)


@njit(cache=True)
def _update_recurrent(weights, sums, rule, tokens, space):
    """The first words of sentences have no step before them: their rows are left out."""
    dtype = space.hidden.dtype.type
    first = space.first
    t = 1
    while first[t] < tokens:
        before = space.hidden[first[t - 1] : first[t - 1] + first[t + 1] - first[t]]
        space.grouped[first[t] : first[t + 1]] = before
        t += 1
    errors, hidden = space.errors[first[1] : tokens], space.grouped[first[1] : tokens]
    multiply_tn(dtype(1), errors, hidden, dtype(0), space.recurrent)
    _update(weights.recurrent, space.recurrent, sums.recurrent, rule)


@njit(cache=True)
def _update_embeddings(weights, sums, rule, tokens, space):
    """Sum the errors of every distinct previous word, then update its row once."""
    words = space.order
    distinct = 0
    for i in range(tokens):
        word = space.inputs[i]
        slot = space.slots[word]
        if slot < 0:
            space.slots[word] = distinct
            words[distinct] = word
            space.grouped[distinct] = space.errors[i]
            distinct += 1
        else:
            add_rows(space.errors[i : i + 1], space.slots[word : word + 1], space.grouped)
    for slot in range(distinct):
        word = words[slot]
        space.slots[word] = -1
        _update_row(weights.embeddings[word], space.grouped[slot], sums.embeddings[word], rule)


@njit(cache=True)
def _update(weights, gradients, sums, rule):
    """Update a contiguous matrix as one long row."""
    size = weights.size
    _update_row(weights.reshape(size), gradients.reshape(size), sums.reshape(size), rule)


@njit(cache=True, fastmath=True, error_model="numpy")
def _update_row(weights, gradients, sums, rule):
    """One step of SGD or AdaGrad (Duchi et al., 2011) for a row of weights, with its L2 penalty."""
    rate, l2 = rule.learning_rate, rule.l2
    if rule.adagrad:
        for j in range(weights.size):
            gradient = gradients[j] + l2 * weights[j]
            total = sums[j] + gradient * gradient
            sums[j] = total
            weights[j] -= rate * gradient / math.sqrt(total)
    else:
        for j in range(weights.size):
            weights[j] -= rate * (gradients[j] + l2 * weights[j])
