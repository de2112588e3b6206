"""The loops over batches: training, and scoring sentences."""

from __future__ import annotations

import numpy as np
from numba import njit

from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.cells import run_cell
from online_rnnlm.core.engines.kernels.data import Lanes
from online_rnnlm.core.engines.kernels.elementwise import copy
from online_rnnlm.core.engines.kernels.forward import predict, take_step
from online_rnnlm.core.engines.kernels.layout import lay_out


@njit(cache=True, nogil=True)
def train_batches(model, learning, text, batches, lanes):
    """Update the weights in place from `batches`, with one update per batch.

    `batches` are `core.lanes.Batches`: for N batches of up to B segments, the numbers of the
    segments and whether a unit of text begins with each, both (N, B). States and vectors are read
    from `lanes`, and left there. Returns the log-probability of all words, Σ -L_t.
    """
    total = 0.0
    leaves_words = model.weights.class_document.shape[0] == 0
    for n in range(batches.segments.shape[0]):
        batch = lay_out(text, batches.segments[n], 0)
        states, _, found = read_batch(model, batch, batches.begins[n], lanes, leaves_words)
        update_weights(model, learning, batch, states, found)
        total += found.log_probabilities.sum()
    return total


@njit(cache=True)
def read_batch(model, batch, begins, lanes, leaves_words):
    """Predict a batch; what is carried over is read from `lanes`, and left there.

    `begins` (lanes,) are True where a unit of text begins; `leaves_words` is that of `predict`.
    Returns the batch's states, the document vectors after its segments, and its predictions.
    """
    segments = _take_up(lanes, begins, batch)
    states = run_cell(model, batch, segments)
    found = predict(model, batch, states, segments, leaves_words)
    if model.words_a_step == 0:
        for b in range(batch.lanes.size):
            take_step(segments, b, model.document_rate)
    _leave(lanes, batch, states, segments)
    return states, segments.documents, found


@njit(cache=True)
def _take_up(lanes, begins, batch):
    """The states and vectors before the segments of a batch: those of their lanes, or 0."""
    size = batch.lanes.size
    dtype = lanes.hidden.dtype
    segments = Lanes(
        np.zeros((size, lanes.hidden.shape[1]), dtype),
        np.zeros((size, lanes.memory.shape[1]), dtype),
        np.zeros((size, lanes.documents.shape[1]), dtype),
        np.zeros((size, lanes.documents.shape[1]), dtype),
        np.zeros(size, np.int64),
        lanes.keeps_state,
    )
    for b in range(size):
        lane = batch.lanes[b]
        if lanes.keeps_state and not begins[lane]:
            copy(lanes.hidden[lane], segments.hidden[b])
            copy(lanes.memory[lane], segments.memory[b])
        if not begins[lane]:
            copy(lanes.documents[lane], segments.documents[b])
            copy(lanes.gradients[lane], segments.gradients[b])
            segments.words[b] = lanes.words[lane]
    return segments


@njit(cache=True)
def _leave(lanes, batch, states, segments):
    """Copy to the lanes the states and the vectors after their segments."""
    first_rows = batch.first_rows
    for t in range(first_rows.size - 1):
        for row in range(first_rows[t], first_rows[t + 1]):  # the last one of a segment stays
            lane = batch.lanes[row - first_rows[t]]
            if lanes.keeps_state:
                copy(states.hidden[row], lanes.hidden[lane])
                copy(states.memory[row], lanes.memory[lane])
    for b in range(batch.lanes.size):
        lane = batch.lanes[b]
        copy(segments.documents[b], lanes.documents[lane])
        copy(segments.gradients[b], lanes.gradients[lane])
        lanes.words[lane] = segments.words[b]


@njit(cache=True, nogil=True)
def score_sentences(model, text, order, lanes, first_words, scores):
    """Fill `scores`, an `engines.base.Scores`, for sentences in a `core.lanes.ScoringOrder`.

    The log P of the words of the sentence at place s are
    log_probabilities[first_words[s] : first_words[s + 1]]. The h that they were predicted from are
    the same rows of `hidden_states`, if that has rows, and d at the sentence's end is
    document_vectors[s].
    """
    for n in range(order.segments.shape[0]):
        batch = lay_out(text, order.segments[n], 0)
        states, documents, found = read_batch(model, batch, order.begins[n], lanes, False)
        places = order.places[n][batch.lanes]
        first_rows = batch.first_rows
        for t in range(first_rows.size - 1):
            for row in range(first_rows[t], first_rows[t + 1]):
                word = first_words[places[row - first_rows[t]]] + t
                scores.log_probabilities[word] = found.log_probabilities[row]
                if scores.hidden_states.shape[0] > 0:
                    copy(states.hidden[row], scores.hidden_states[word])
        for b in range(places.size):
            copy(documents[b], scores.document_vectors[places[b]])
