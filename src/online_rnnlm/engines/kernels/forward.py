"""Predictions for one batch: hidden states, scores, and the document vectors as they learn.

The equations are those of `graph`, for a document vector that feeds only the output layer. So
hidden states and their share of all scores are matrix products over the whole batch; only the
vector's own recurrence runs word by word. `coupled` has the other models.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_nt
from online_rnnlm.engines.kernels.elementary import exponential
from online_rnnlm.engines.kernels.layout import gather, group_by_class, lay_out, sort_by_length


@njit(cache=True)
def predict_batch(weights, classes, stream, offsets, batch, rate, word_scores, space):
    """Predict every word of a batch of sentences.

    Sorts `batch` and fills `space`: log-probabilities, and in place of the scores the errors
    P - 1 at the target. Returns steps, tokens and the buffer `word_scores`, grown if it must be.
    """
    sort_by_length(offsets, batch)
    steps, tokens = lay_out(stream, offsets, batch, space.first, space.inputs, space.targets)
    _run_hidden(weights, steps, tokens, space)
    dtype = space.hidden.dtype.type
    class_scores = space.class_scores[:tokens]
    transposed = space.class_output_transposed
    transposed[:] = weights.class_output.T
    multiply_nn(dtype(1), space.hidden[:tokens], transposed, dtype(0), class_scores)
    needed = group_by_class(space.targets[:tokens], classes, space.starts, space.order, space.place)
    if needed > word_scores.size:
        word_scores = np.empty(needed, dtype)
    gather(space.hidden, space.order[:tokens], space.grouped)
    _score_words(weights, classes, word_scores, space)
    space.current[:] = 0
    _follow_documents(weights, classes, rate, steps, word_scores, space)
    return steps, tokens, word_scores


@njit(cache=True)
def _run_hidden(weights, steps, tokens, space):
    hidden = space.hidden
    first = space.first
    one = hidden.dtype.type(1)
    gather(weights.embeddings, space.inputs[:tokens], hidden)
    transposed = space.recurrent
    transposed[:] = weights.recurrent.T
    apply_sigmoid(hidden[: first[1]])
    for t in range(1, steps):
        now = hidden[first[t] : first[t + 1]]
        before = hidden[first[t - 1] : first[t - 1] + now.shape[0]]
        multiply_nn(one, before, transposed, one, now)
        apply_sigmoid(now)


@njit(cache=True, fastmath=True, error_model="numpy")
def apply_sigmoid(values):
    """σ of every element of a matrix, in place."""
    one = values.dtype.type(1)
    for i in range(values.shape[0]):
        row = values[i]
        for j in range(row.size):
            row[j] = one / (one + exponential(-row[j]))


@njit(cache=True)
def _score_words(weights, classes, word_scores, space):
    """W_o[c] h for the words of each target's class; a word alone in its class needs no score."""
    one = space.hidden.dtype.type(1)
    zero = space.hidden.dtype.type(0)
    place = 0
    for c in range(space.starts.size - 1):
        begin, end = space.starts[c], space.starts[c + 1]
        low, high = classes.offsets[c], classes.offsets[c + 1]
        scores = word_scores[place : place + (end - begin) * (high - low)]
        place += scores.size
        if end > begin and high - low > 1:
            scores = scores.reshape(end - begin, high - low)
            multiply_nt(one, space.grouped[begin:end], weights.word_output[low:high], zero, scores)


@njit(cache=True)
def _follow_documents(weights, classes, rate, steps, word_scores, space):
    """Let every sentence's document vector meet its words in time; scores become errors."""
    learning = space.current.shape[1] > 0
    for t in range(steps):
        for row in range(space.first[t], space.first[t + 1]):
            target = space.targets[row]
            c = classes.of_word[target]
            low, high = classes.offsets[c], classes.offsets[c + 1]
            class_errors = space.class_scores[row]
            word_errors = word_scores[space.place[row] : space.place[row] + high - low]
            document = space.current[row - space.first[t]]
            alone = high - low == 1
            if learning:
                space.documents[row] = document
                add_product(document, weights.class_document, 0, class_errors.size, class_errors)
                if not alone:
                    add_product(document, weights.word_document, low, high, word_errors)
            log_probability = to_errors(class_errors, c)
            if not alone:
                log_probability += to_errors(word_errors, target - low)
            space.log_probabilities[row] = log_probability
            if learning:
                slope = space.slope
                slope[:] = 0
                add_slope(weights.class_document, 0, class_errors, slope)
                if not alone:
                    add_slope(weights.word_document, low, word_errors, slope)
                subtract(document, rate, slope)


@njit(cache=True, fastmath=True, error_model="numpy")
def to_errors(scores, target):
    """Turn scores into softmax(scores), less 1 at the target; returns the target's log P."""
    one = scores.dtype.type(1)
    top = scores[0]
    for j in range(scores.size):
        top = max(top, scores[j])
    aim = scores[target] - top
    total = scores.dtype.type(0)
    for j in range(scores.size):
        power = exponential(scores[j] - top)
        scores[j] = power
        total += power
    scale = one / total
    for j in range(scores.size):
        scores[j] *= scale
    scores[target] -= one
    return aim - math.log(total)


@njit(cache=True, fastmath=True, error_model="numpy")
def subtract(vector, rate, slope):
    """One step of gradient descent: vector -= rate slope."""
    for k in range(vector.size):
        vector[k] -= rate * slope[k]


# Four rows at a time, so that each sum is read and written once for four products.
# Slices are cut from single rows: numba knows those to be contiguous, and makes vectors of them.


@njit(cache=True, fastmath=True, error_model="numpy")
def add_product(vector, matrix, low, high, result):
    """result += vector matrix[:, low:high], or nothing if the matrix has no rows."""
    rows = matrix.shape[0]
    whole = rows - rows % 4
    for i in range(0, whole, 4):
        row0, row1 = matrix[i][low:high], matrix[i + 1][low:high]
        row2, row3 = matrix[i + 2][low:high], matrix[i + 3][low:high]
        v0, v1, v2, v3 = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        for j in range(result.size):
            result[j] += v0 * row0[j] + v1 * row1[j] + v2 * row2[j] + v3 * row3[j]
    for i in range(whole, rows):
        row0 = matrix[i][low:high]
        for j in range(result.size):
            result[j] += vector[i] * row0[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def add_slope(matrix, low, errors, slope):
    """slope += matrix[:, low : low + n] errors, or nothing if the matrix has no rows."""
    rows, high = matrix.shape[0], low + errors.size
    whole = rows - rows % 4
    zero = slope.dtype.type(0)
    for i in range(0, whole, 4):
        row0, row1 = matrix[i][low:high], matrix[i + 1][low:high]
        row2, row3 = matrix[i + 2][low:high], matrix[i + 3][low:high]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for j in range(errors.size):
            error = errors[j]
            s0 += error * row0[j]
            s1 += error * row1[j]
            s2 += error * row2[j]
            s3 += error * row3[j]
        slope[i] += s0
        slope[i + 1] += s1
        slope[i + 2] += s2
        slope[i + 3] += s3
    for i in range(whole, rows):
        row0 = matrix[i][low:high]
        s0 = zero
        for j in range(errors.size):
            s0 += errors[j] * row0[j]
        slope[i] += s0
