"""Gradients of one batch, and the updates of the weights, in place.

All gradients are those of the weights that made the predictions: deltas are propagated through each
matrix before it is updated.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from online_rnnlm.core.engines.kernels.cells import (
    context_units,
    go_back_through_cell,
    hidden_states_before,
)
from online_rnnlm.core.engines.kernels.deferred import Factors, defer, deferred_of, take_all
from online_rnnlm.core.engines.kernels.dropout import EMBEDDINGS, HIDDEN, drop
from online_rnnlm.core.engines.kernels.elementwise import add, copy, gather
from online_rnnlm.core.engines.kernels.forward import predict_class
from online_rnnlm.core.engines.kernels.layout import scores_of_class
from online_rnnlm.core.engines.kernels.learning import learn_by_product, step


@njit(cache=True)
def update_weights(model, learning, batch, states, found):
    """Update the weights that learn, by the deltas that `predict` has left."""
    weights = model.weights
    dropout = model.dropout
    goes_back = learning.embeddings or learning.recurrent
    gradient = np.zeros_like(states.hidden)  # ∂L_t/∂h_t
    predicted = gradient[batch.first_predicted :]
    if goes_back:
        np.dot(found.class_deltas, weights.class_output, predicted)
    if learning.output:  # now, while the processor's cache has its factors
        _update_class_output(weights, learning, found)
    _go_through_classes(model, learning, batch, found, predicted)
    if goes_back:
        places = batch.places[batch.first_predicted :]
        drop(dropout.key, HIDDEN, dropout.hidden, places, predicted)
        deltas = go_back_through_cell(model, batch, states, gradient)
        if learning.recurrent:
            read = hidden_states_before(batch, states, context_units(weights))
            inputs = deltas
            if context_units(weights) > 0:
                inputs = np.ascontiguousarray(deltas[:, : weights.recurrent.shape[0]])
            learn_by_product(weights.recurrent, learning.sums.recurrent, inputs, read, learning)
        if learning.embeddings:
            drop(dropout.key, EMBEDDINGS, dropout.embeddings, batch.places, deltas)
            _update_embeddings(weights, learning, batch, deltas)


@njit(cache=True)
def _go_through_classes(model, learning, batch, found, gradient):
    """For every class c add W_o[c]ᵀ δ_w to ∂L_t/∂h_t of its words, and update its weights."""
    weights = model.weights
    classes = model.classes
    groups = found.groups
    for c in range(classes.offsets.size - 1):
        begin, end = groups.starts[c], groups.starts[c + 1]
        low, high = classes.offsets[c], classes.offsets[c + 1]
        if begin == end or high - low == 1:
            continue
        words = groups.words[begin:end]
        if found.leaves_words:
            predict_class(model, batch, found, c)
        deltas = scores_of_class(found.word_deltas, groups, classes, c)
        if learning.embeddings or learning.recurrent:
            product = np.dot(deltas, weights.word_output[low:high])
            for i in range(words.size):
                add(product[i], gradient[words[i]])
        if learning.output:
            factors = Factors(deltas, gather(found.hidden, words), gather(found.documents, words))
            _learn_from(model, learning, c, factors)


@njit(cache=True)
def _learn_from(model, learning, c, factors):
    """Update W_o[c] and V_o[c], or defer the update if there are too few words."""
    deferred = learning.deferred
    classes = model.classes
    if deferred.counts[c] + factors.deltas.shape[0] < learning.rare_class_words:
        defer(deferred, classes, c, factors)
    elif deferred.counts[c] > 0:
        _update_class(model, learning, c, take_all(deferred, classes, c, factors))
    else:
        _update_class(model, learning, c, factors)


@njit(cache=True)
def apply_deferred(model, learning):
    """Apply all deferred updates; none are left."""
    for c in range(learning.deferred.counts.size):
        if learning.deferred.counts[c] > 0:
            _update_class(model, learning, c, deferred_of(learning.deferred, model.classes, c))
            learning.deferred.counts[c] = 0


@njit(cache=True)
def _update_class(model, learning, c, factors):
    """Update W_o[c] by Σ δ_w hᵀ, and V_o[c]ᵀ by Σ d δ_wᵀ."""
    weights = model.weights
    sums = learning.sums
    rule = learning.rule
    rate = learning.learning_rate
    low, high = model.classes.offsets[c], model.classes.offsets[c + 1]
    output = weights.word_output[low:high]
    output_sums = sums.word_output[low:high]
    learn_by_product(output, output_sums, factors.deltas, factors.hidden, learning)
    gradient = np.dot(factors.documents.T, factors.deltas)
    for i in range(gradient.shape[0]):
        columns = weights.word_document[i][low:high]
        step(columns, gradient[i], sums.word_document[i][low:high], rule, rate)


@njit(cache=True)
def _update_class_output(weights, learning, found):
    """Update W_c by Σ δ_c hᵀ, and V_cᵀ by Σ d δ_cᵀ."""
    sums = learning.sums
    deltas = found.class_deltas
    learn_by_product(weights.class_output, sums.class_output, deltas, found.hidden, learning)
    documents = found.documents
    learn_by_product(weights.class_document, sums.class_document, documents, deltas, learning)


@njit(cache=True)
def _update_embeddings(weights, learning, batch, deltas):
    """Update E[w] of each previous word w by the sum of the deltas (N, ·) of the words after it."""
    rule = learning.rule
    rate = learning.learning_rate
    embeddings = weights.embeddings
    sums = learning.sums.embeddings
    rows = np.argsort(batch.inputs, kind="mergesort")  # all rows of a word follow each other
    gradient = np.empty(deltas.shape[1], deltas.dtype)
    for i in range(rows.size):
        word = batch.inputs[rows[i]]
        if i == 0 or word != batch.inputs[rows[i - 1]]:
            copy(deltas[rows[i]], gradient)
        else:
            add(deltas[rows[i]], gradient)
        if i + 1 == rows.size or word != batch.inputs[rows[i + 1]]:
            step(embeddings[word], gradient, sums[word], rule, rate)
