"""Predictions for one batch of a model whose document vector feeds the hidden layer.

The equations are those of `graph`. A hidden state waits for the vector, and the vector for the
errors of the word before, back through that word's hidden state. So all runs in time; what the
sentences have at one time is done together, and so are the words of one class.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from online_rnnlm.engines.kernels.backward import add_rows, through_sigmoid
from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_nt
from online_rnnlm.engines.kernels.forward import (
    add_product,
    add_slope,
    apply_sigmoid,
    subtract,
    to_errors,
)
from online_rnnlm.engines.kernels.layout import gather, group_by_class, lay_out, sort_by_length


@njit(cache=True)
def predict_coupled(weights, classes, stream, offsets, batch, rate, error_clip, word_scores, space):
    """Predict every word of a batch of sentences, as `predict_batch` does.

    Leaves in `space.errors`, too, ∂L_t/∂h_t of every word.
    """
    sort_by_length(offsets, batch)
    steps, tokens = lay_out(stream, offsets, batch, space.first, space.inputs, space.targets)
    needed = group_by_class(space.targets[:tokens], classes, space.starts, space.order, space.place)
    if needed > word_scores.size:
        word_scores = np.empty(needed, space.hidden.dtype.type)
    gather(weights.embeddings, space.inputs[:tokens], space.hidden)
    space.recurrent[:] = weights.recurrent.T
    space.class_output_transposed[:] = weights.class_output.T
    space.current[:] = 0
    reached = space.starts[:-1].copy()
    for t in range(steps):
        _run_hidden(weights, t, space)
        _predict_classes(weights, classes, t, space)
        _predict_words(weights, classes, t, reached, word_scores, space)
        _learn(weights, rate, error_clip, t, space)
    return steps, tokens, word_scores


# Parts are inlined before they are compiled: each alone, with all its arrays handed over, would
# take seconds to compile, and again with its callers.


@njit(cache=True, inline="always")
def _run_hidden(weights, t, space):
    """h_t of all sentences that have a word t, from the embeddings that lie in its place."""
    first, one = space.first, space.hidden.dtype.type(1)
    now = space.hidden[first[t] : first[t + 1]]
    documents = space.documents[first[t] : first[t + 1]]
    documents[:] = space.current[: now.shape[0]]
    if t > 0:
        before = space.hidden[first[t - 1] : first[t - 1] + now.shape[0]]
        multiply_nn(one, before, space.recurrent, one, now)
    multiply_nn(one, documents, weights.hidden_document, one, now)
    apply_sigmoid(now)


@njit(cache=True, inline="always")
def _predict_classes(weights, classes, t, space):
    """log P(c), its errors, and what these add to the slopes by h_t and by d_t."""
    one, zero = space.hidden.dtype.type(1), space.hidden.dtype.type(0)
    begin, end = space.first[t], space.first[t + 1]
    class_scores = space.class_scores[begin:end]
    multiply_nn(one, space.hidden[begin:end], space.class_output_transposed, zero, class_scores)
    for row in range(begin, end):
        errors, slope = space.class_scores[row], space.grouped_documents[row - begin]
        add_product(space.documents[row], weights.class_document, 0, errors.size, errors)
        space.log_probabilities[row] = to_errors(errors, classes.of_word[space.targets[row]])
        slope[:] = 0
        add_slope(weights.class_document, 0, errors, slope)
    multiply_nn(one, class_scores, weights.class_output, zero, space.errors[begin:end])


@njit(cache=True, inline="always")
def _predict_words(weights, classes, t, reached, word_scores, space):
    """Class by class, what `_predict_classes` does, for P(w|c).

    In `order` a class's rows come in time's order: those before `reached` are done.
    """
    end = space.first[t + 1]
    for c in range(reached.size):
        start = reached[c]
        stop = start
        while stop < space.starts[c + 1] and space.order[stop] < end:
            stop += 1
        reached[c] = stop
        low, high = classes.offsets[c], classes.offsets[c + 1]
        if stop > start and high - low > 1:
            place = space.place[space.order[start]]
            scores = word_scores[place : place + (stop - start) * (high - low)]
            scores = scores.reshape(stop - start, high - low)
            _predict_class(weights, t, low, start, scores, space)


@njit(cache=True, inline="always")
def _predict_class(weights, t, low, start, scores, space):
    """For words of one class, whose rows `order` has from `start`, as many as `scores` has."""
    one, zero = space.hidden.dtype.type(1), space.hidden.dtype.type(0)
    count, high = scores.shape[0], low + scores.shape[1]
    rows, hidden = space.order[start : start + count], space.grouped[start : start + count]
    output = weights.word_output[low:high]
    gather(space.hidden, rows, hidden)
    multiply_nt(one, hidden, output, zero, scores)
    for i in range(count):
        row, errors = rows[i], scores[i]
        add_product(space.documents[row], weights.word_document, low, high, errors)
        space.log_probabilities[row] += to_errors(errors, space.targets[row] - low)
        slope = space.grouped_documents[row - space.first[t]]
        add_slope(weights.word_document, low, errors, slope)
    parts = space.class_errors[:count]
    multiply_nn(one, scores, output, zero, parts)
    add_rows(parts, rows, space.errors)


@njit(cache=True, inline="always")
def _learn(weights, rate, error_clip, t, space):
    """Add to ∂L_t/∂d_t what comes through h_t; then d's step."""
    one = space.hidden.dtype.type(1)
    begin, end = space.first[t], space.first[t + 1]
    errors, slopes = space.class_errors[: end - begin], space.grouped_documents[: end - begin]
    errors[:] = space.errors[begin:end]
    through_sigmoid(space.hidden[begin:end], errors, error_clip)
    multiply_nt(one, errors, weights.hidden_document, one, slopes)
    for b in range(end - begin):
        subtract(space.current[b], rate, slopes[b])
