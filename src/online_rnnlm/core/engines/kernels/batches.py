"""The loops over batches: training, and scoring while the document vector alone is updated."""

from __future__ import annotations

from numba import njit

from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.cells import run_cell
from online_rnnlm.core.engines.kernels.elementwise import copy, gather
from online_rnnlm.core.engines.kernels.forward import predict, take_step
from online_rnnlm.core.engines.kernels.layout import lay_out


@njit(cache=True, nogil=True)
def train_batches(model, learning, text, order, carried):
    """Update the weights in place, by an update for each batch of a `core.order.Order`.

    The state of the lanes is read from `carried`, and left there. Returns the log-probability of
    all words, Σ -L_t.
    """
    total = 0.0
    leaves_words = model.weights.class_document.shape[0] == 0
    for n in range(order.segments.shape[0]):
        batch = lay_out(text, order.segments[n], 0)
        states, _, found = read_batch(model, batch, order, n, carried, leaves_words)
        update_weights(model, learning, batch, states, found)
        total += found.log_probabilities.sum()
    return total


@njit(cache=True, nogil=True)
def score_batches(model, text, order, carried, scores):
    """Fill `scores`, an `engines.base.Scores`, for the segments of a `core.order.Order`.

    The state of the lanes is read from `carried`, and left there.
    """
    for n in range(order.segments.shape[0]):
        batch = lay_out(text, order.segments[n], 0)
        states, vectors, found = read_batch(model, batch, order, n, carried, False)
        segments = order.segments[n][batch.lanes]
        first_rows = batch.first_rows
        for t in range(first_rows.size - 1):
            for row in range(first_rows[t], first_rows[t + 1]):
                word = text.offsets[segments[row - first_rows[t]]] + t
                scores.log_probabilities[word] = found.log_probabilities[row]
                if scores.hidden_states.shape[0] > 0:
                    copy(states.hidden[row], scores.hidden_states[word])
        for b in range(segments.size):
            copy(vectors[b], scores.document_vectors[segments[b]])


@njit(cache=True)
def read_batch(model, batch, order, n, carried, leaves_words):
    """Predict batch n of an order; the state of the lanes is read from `carried`, and left there.

    `leaves_words` is that of `predict`. Returns the states of the batch's words, d after its
    segments, and its predictions.
    """
    begin_segments(carried, order, n)
    segments = Carried(
        gather(carried.hidden, batch.lanes),
        gather(carried.memory, batch.lanes),
        gather(carried.vector, batch.lanes),
        gather(carried.gradient, batch.lanes),
        carried.since_step[batch.lanes],
    )
    states = run_cell(model, batch, segments)
    found = predict(model, batch, states, segments, leaves_words)
    if model.words_a_step == 0:
        for b in range(batch.lanes.size):
            take_step(model, segments, b)
    _leave(carried, batch, states, segments)
    return states, segments.vector, found


@njit(cache=True)
def begin_segments(carried, order, n):
    """Set to 0 what the segments of batch n do not take over from those before (`Carried.before`).

    That is all in the lanes where a unit of text begins, and in the others h before `first_kept`,
    and with it the memory.
    """
    for lane in range(order.segments.shape[1]):
        begins = order.begins[n, lane]
        first_kept = carried.hidden.shape[1] if begins else order.first_kept
        carried.hidden[lane][:first_kept] = 0
        if first_kept > 0:
            carried.memory[lane] = 0
        if begins:
            carried.vector[lane] = 0
            carried.gradient[lane] = 0
            carried.since_step[lane] = 0


@njit(cache=True)
def _leave(carried, batch, states, segments):
    """Copy to the lanes the state after their segments."""
    first_rows = batch.first_rows
    t = first_rows.size - 2
    for b in range(batch.lanes.size):  # the longest first
        while first_rows[t + 1] - first_rows[t] <= b:
            t -= 1
        lane = batch.lanes[b]
        copy(states.hidden[first_rows[t] + b], carried.hidden[lane])
        copy(states.memory[first_rows[t] + b], carried.memory[lane])
        copy(segments.vector[b], carried.vector[lane])
        copy(segments.gradient[b], carried.gradient[lane])
        carried.since_step[lane] = segments.since_step[b]
