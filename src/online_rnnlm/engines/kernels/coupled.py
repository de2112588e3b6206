"""Predictions for one batch of a model whose document vector feeds the hidden layer.

A hidden state depends on the vector, and the vector on the deltas of the word before, propagated
through that word's hidden state. So all is computed step by step in time. Within a step, all
sentences are computed together, and so are all words of one class.
"""

from __future__ import annotations

from numba import njit

from online_rnnlm.engines.kernels.activations import sigmoid, sigmoid_deltas, softmax_deltas
from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_nt
from online_rnnlm.engines.kernels.cells.states import hidden_before
from online_rnnlm.engines.kernels.layout import candidates_of, group_by_class
from online_rnnlm.engines.kernels.vectors import (
    add_document_gradient,
    add_rows,
    descend,
    feed,
    gather,
)


@njit(cache=True)
def predict_coupled(model, steps, tokens, has_state, workspace):
    """Predict every word of a batch that has been laid out, as `predict_batch` does.

    Also leaves ∂L_t/∂h_t of every word in `workspace.hidden_gradient`.
    """
    group_by_class(
        workspace.targets[:tokens],
        model.classes,
        workspace.class_starts,
        workspace.rows_by_class,
        workspace.first_candidates,
    )
    workspace.recurrent_transposed[:] = model.weights.recurrent.T
    workspace.class_output_transposed[:] = model.weights.class_output.T
    predicted = workspace.class_starts[:-1].copy()
    for t in range(steps):
        _run_hidden_states(model.weights, t, has_state, workspace)
        _predict_classes(model, t, workspace)
        _predict_words(model, t, predicted, workspace)
        _update_documents(model, t, workspace)


# These parts are inlined before they are compiled. Each as a function of its own, with all its
# arrays as arguments, would take seconds to compile, and again with its callers.


@njit(cache=True, inline="always")
def _run_hidden_states(weights, t, has_state, workspace):
    """Compute h_t = σ(E[w_t] + h_{t-1} W_hᵀ + d_t V_hᵀ) of all sentences that have a word t."""
    first_rows, one = workspace.first_rows, workspace.hidden.dtype.type(1)
    begin, end = first_rows[t], first_rows[t + 1]
    inputs, documents = workspace.hidden_inputs[: end - begin], workspace.documents[begin:end]
    gather(weights.embeddings, workspace.inputs[begin:end], inputs)
    documents[:] = workspace.document[: end - begin]
    if t > 0 or has_state:
        before = hidden_before(workspace, t)
        multiply_nn(one, before, workspace.recurrent_transposed, one, inputs)
    multiply_nn(one, documents, weights.hidden_document, one, inputs)
    sigmoid(inputs, workspace.hidden[begin:end])


@njit(cache=True, inline="always")
def _predict_classes(model, t, workspace):
    """Compute log P(c) = log softmax(W_c h_t + V_c d_t)[c], and δ_c.

    Sets ∂L_t/∂h_t to W_cᵀ δ_c and ∂L_t/∂d_t to V_cᵀ δ_c; `_predict_words` adds to both.
    """
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    weights = model.weights
    begin, end = workspace.first_rows[t], workspace.first_rows[t + 1]
    hidden, class_scores = workspace.hidden[begin:end], workspace.class_scores[begin:end]
    multiply_nn(one, hidden, workspace.class_output_transposed, zero, class_scores)
    for row in range(begin, end):
        scores = workspace.class_scores[row]
        c = model.classes.of_word[workspace.targets[row]]
        feed(workspace.documents[row], weights.class_document, 0, scores)
        workspace.log_probabilities[row] = softmax_deltas(scores, c)
        gradient = workspace.document_gradient[row - begin]
        gradient[:] = 0
        class_deltas = workspace.class_deltas[row]
        add_document_gradient(weights.class_document, 0, class_deltas, gradient)
    deltas, hidden_gradient = (
        workspace.class_deltas[begin:end],
        workspace.hidden_gradient[begin:end],
    )
    multiply_nn(one, deltas, weights.class_output, zero, hidden_gradient)


@njit(cache=True, inline="always")
def _predict_words(model, t, predicted, workspace):
    """Do for P(w|c), class by class, what `_predict_classes` does for P(c).

    In `rows_by_class` the rows of a class are ordered by time: those before predicted[c] are done.
    """
    classes, rows_by_class = model.classes, workspace.rows_by_class
    end = workspace.first_rows[t + 1]
    for c in range(predicted.size):
        start = predicted[c]
        stop = start
        while stop < workspace.class_starts[c + 1] and rows_by_class[stop] < end:
            stop += 1
        predicted[c] = stop
        if stop > start and classes.offsets[c + 1] - classes.offsets[c] > 1:
            _predict_class(model, t, c, start, stop, workspace)


@njit(cache=True, inline="always")
def _predict_class(model, t, c, start, stop, workspace):
    """Compute log P(w|c) = log softmax(W_o[c] h_t + V_o[c] d_t)[w], and δ_w, for rows of class c.

    The rows are rows_by_class[start:stop]. Adds W_o[c]ᵀ δ_w to ∂L_t/∂h_t and V_o[c]ᵀ δ_w to
    ∂L_t/∂d_t.
    """
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    weights = model.weights
    low, high = model.classes.offsets[c], model.classes.offsets[c + 1]
    output, rows = weights.word_output[low:high], workspace.rows_by_class[start:stop]
    first = workspace.first_candidates[rows[0]]
    word_scores = candidates_of(workspace.word_scores, first, rows.size, high - low)
    word_deltas = candidates_of(workspace.word_deltas, first, rows.size, high - low)
    hidden = workspace.grouped_hidden[start:stop]
    gather(workspace.hidden, rows, hidden)
    multiply_nt(one, hidden, output, zero, word_scores)
    for i in range(rows.size):
        row, scores = rows[i], word_scores[i]
        feed(workspace.documents[row], weights.word_document, low, scores)
        log_probability = softmax_deltas(scores, workspace.targets[row] - low)
        workspace.log_probabilities[row] += log_probability
        gradient = workspace.document_gradient[row - workspace.first_rows[t]]
        add_document_gradient(weights.word_document, low, word_deltas[i], gradient)
    of_class = workspace.hidden_gradient_of_class[: rows.size]
    multiply_nn(one, word_deltas, output, zero, of_class)
    add_rows(of_class, rows, workspace.hidden_gradient)


@njit(cache=True, inline="always")
def _update_documents(model, t, workspace):
    """Set d_{t+1} = d_t - α ∂L_t/∂d_t, for all sentences that have a word t.

    First adds to ∂L_t/∂d_t the part through h_t: V_hᵀ clip(∂L_t/∂h_t ⊙ h_t ⊙ (1 - h_t)).
    """
    one = workspace.hidden.dtype.type(1)
    begin, end = workspace.first_rows[t], workspace.first_rows[t + 1]
    deltas, gradient = workspace.step_deltas[: end - begin], workspace.document_gradient
    hidden, hidden_gradient = workspace.hidden[begin:end], workspace.hidden_gradient[begin:end]
    sigmoid_deltas(hidden, hidden_gradient, model.error_clip, deltas)
    multiply_nt(one, deltas, model.weights.hidden_document, one, gradient[: end - begin])
    for b in range(end - begin):
        descend(workspace.document[b], model.document_rate, gradient[b])
