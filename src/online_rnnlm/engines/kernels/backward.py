"""Gradients of one batch, and the updates of the weights, in place.

All gradients are those of the weights that made the predictions: deltas are propagated through each
matrix before it is updated. The type of `optimizer` chooses the rule of the updates (`rules`);
`accumulators` hold what the rule keeps for each weight.
"""

from __future__ import annotations

from numba import njit

from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_tn
from online_rnnlm.engines.kernels.cells import propagate_through_cell
from online_rnnlm.engines.kernels.data import feeds_hidden_layer
from online_rnnlm.engines.kernels.dropout import drop_embeddings, drop_hidden
from online_rnnlm.engines.kernels.layout import candidates_of
from online_rnnlm.engines.kernels.rules import step_row
from online_rnnlm.engines.kernels.vectors import add_rows, gather


@njit(cache=True)
def update_weights(model, accumulators, optimizer, steps, tokens, lanes, workspace):
    """Update all weights from the deltas that `predict_batch` or `predict_coupled` has left.

    `steps` and `tokens` are the time steps and the words of the batch. The states before its first
    words count as constants.
    """
    weights = model.weights
    if not feeds_hidden_layer(weights):  # else `predict_coupled` has computed ∂L_t/∂h_t
        start_hidden_gradient(weights, tokens, workspace)
    update_words(model, accumulators, optimizer, workspace)
    update_class_layer(model, accumulators, optimizer, tokens, workspace)
    drop_hidden(model.dropout, workspace.places[:tokens], workspace.hidden_gradient[:tokens])
    first = propagate_through_cell(model.cell, model, steps, lanes.keeps_state, workspace)
    _update_hidden_document(weights, accumulators, optimizer, tokens, workspace)
    update_recurrent(weights, accumulators, optimizer, slice(first, tokens), workspace)
    drop_embeddings(model.dropout, workspace.places[:tokens], workspace.hidden_deltas[:tokens])
    update_embeddings(weights, accumulators, optimizer, tokens, workspace)


@njit(cache=True)
def start_hidden_gradient(weights, tokens, workspace):
    """Set ∂L_t/∂h_t = W_cᵀ δ_c; `update_words` adds the part of the words' scores."""
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    deltas, gradient = workspace.class_deltas[:tokens], workspace.hidden_gradient[:tokens]
    multiply_nn(one, deltas, weights.class_output, zero, gradient)


@njit(cache=True)
def update_words(model, accumulators, optimizer, workspace):
    """For each class c in turn, add W_o[c]ᵀ δ_w to ∂L_t/∂h_t, then update W_o[c] and V_o[c].

    ∂L/∂W_o[c] = Σ δ_w hᵀ and ∂L/∂V_o[c]ᵀ = Σ d δ_wᵀ over the rows of that class.
    """
    weights, classes = model.weights, model.classes
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    for c in range(workspace.class_starts.size - 1):
        begin, end = workspace.class_starts[c], workspace.class_starts[c + 1]
        low, high = classes.offsets[c], classes.offsets[c + 1]
        if end == begin or high - low == 1:
            continue
        rows, output = workspace.rows_by_class[begin:end], weights.word_output[low:high]
        first = workspace.first_candidates[rows[0]]
        deltas = candidates_of(workspace.word_deltas, first, rows.size, high - low)
        if not feeds_hidden_layer(weights):
            of_class = workspace.hidden_gradient_of_class[: rows.size]
            multiply_nn(one, deltas, output, zero, of_class)
            add_rows(of_class, rows, workspace.hidden_gradient)
        gradient = workspace.gradients.word_output[: high - low]
        multiply_tn(one, deltas, workspace.grouped_hidden[begin:end], zero, gradient)
        _update(output, gradient, accumulators.word_output[low:high], optimizer)
        if weights.word_document.shape[0] > 0:
            documents = workspace.documents_of_class[: rows.size]
            gather(workspace.documents, rows, documents)
            gradient = workspace.gradients.word_document[: documents.shape[1] * (high - low)]
            gradient = gradient.reshape(documents.shape[1], high - low)
            multiply_tn(one, documents, deltas, zero, gradient)
            if model.goes_through:  # -α Σ λ δ_wᵀ: d's updates are products with V_o
                first_deltas = candidates_of(
                    workspace.through.word_deltas, first, rows.size, high - low
                )
                gather(workspace.through.later_gradients, rows, documents)
                multiply_tn(-model.document_rate, documents, first_deltas, one, gradient)
            _update_word_document(weights, accumulators, optimizer, gradient, low)


@njit(cache=True)
def _update_word_document(weights, accumulators, optimizer, gradient, low):
    """Update V_o[c] by its transposed gradient, c being the class whose first word is `low`."""
    size, words = gradient.shape
    for i in range(size):
        step_row(
            weights.word_document[i][low : low + words],
            gradient[i],
            accumulators.word_document[i][low : low + words],
            optimizer,
        )


@njit(cache=True)
def update_class_layer(model, accumulators, optimizer, tokens, workspace):
    """Update W_c by ∂L/∂W_c = Σ δ_c hᵀ, and V_c by ∂L/∂V_cᵀ = Σ d δ_cᵀ."""
    weights = model.weights
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    deltas, gradients = workspace.class_deltas[:tokens], workspace.gradients
    multiply_tn(one, deltas, workspace.output_inputs[:tokens], zero, gradients.class_output)
    _update(weights.class_output, gradients.class_output, accumulators.class_output, optimizer)
    if weights.class_document.shape[0] > 0:
        gradient, documents = gradients.class_document, workspace.documents[:tokens]
        multiply_tn(one, documents, deltas, zero, gradient)
        if model.goes_through:  # -α Σ λ δ_cᵀ: d's updates are products with V_c
            later = workspace.through.later_gradients[:tokens]
            first_deltas = workspace.through.class_deltas[:tokens]
            multiply_tn(-model.document_rate, later, first_deltas, one, gradient)
        _update(weights.class_document, gradient, accumulators.class_document, optimizer)


@njit(cache=True)
def _update_hidden_document(weights, accumulators, optimizer, tokens, workspace):
    """Update V_h by ∂L/∂V_hᵀ = Σ d δ_hᵀ."""
    if feeds_hidden_layer(weights):
        one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
        documents, deltas = workspace.documents[:tokens], workspace.hidden_deltas[:tokens]
        gradient = workspace.gradients.hidden_document
        multiply_tn(one, documents, deltas, zero, gradient)
        _update(weights.hidden_document, gradient, accumulators.hidden_document, optimizer)


@njit(cache=True)
def update_recurrent(weights, accumulators, optimizer, rows, workspace):
    """Update W_h by ∂L/∂W_h = Σ δ_h,t h_{t-1}ᵀ over these rows; the others add nothing."""
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    deltas, before = workspace.recurrent_deltas[rows], workspace.previous_hidden[rows]
    gradient = workspace.gradients.recurrent
    multiply_tn(one, deltas, before, zero, gradient)
    _update(weights.recurrent, gradient, accumulators.recurrent, optimizer)


@njit(cache=True)
def update_embeddings(weights, accumulators, optimizer, tokens, workspace):
    """Update E[w] once for each w, by ∂L/∂E[w] = Σ δ_h over the words that follow w.

    `next_rows` links the rows of each w, from `first_row_of[w]` to -1.
    """
    inputs, deltas = workspace.inputs, workspace.hidden_deltas
    first_row_of, next_rows = workspace.first_row_of, workspace.next_rows
    for row in range(tokens - 1, -1, -1):
        next_rows[row] = first_row_of[inputs[row]]
        first_row_of[inputs[row]] = row
    for row in range(tokens):
        word = inputs[row]
        if first_row_of[word] == row:  # else the word has been updated already
            first_row_of[word] = -1
            gradient = workspace.gradients.embeddings
            _sum_chain(deltas, row, next_rows, gradient)
            step_row(weights.embeddings[word], gradient, accumulators.embeddings[word], optimizer)


@njit(cache=True, fastmath=True, error_model="numpy")
def _sum_chain(rows, first, following, total):
    """Set total = rows[first] + rows[following[first]] + …, until -1 follows."""
    total[:] = rows[first]
    i = following[first]
    while i >= 0:
        row = rows[i]
        for j in range(total.size):
            total[j] += row[j]
        i = following[i]


@njit(cache=True)
def _update(weights, gradient, accumulators, optimizer):
    """Update a contiguous matrix as one long row."""
    size = weights.size
    step_row(weights.reshape(size), gradient.reshape(size), accumulators.reshape(size), optimizer)
