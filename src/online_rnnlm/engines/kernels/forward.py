"""Predictions for one batch of a model whose document vector feeds only the output layer.

Hidden states, and the scores without the vector's part, are then matrix products over the whole
batch; only the vector's own recurrence runs word by word. `coupled` is for the other models.
"""

from __future__ import annotations

from numba import njit

from online_rnnlm.engines.kernels.activations import softmax_deltas
from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_nt
from online_rnnlm.engines.kernels.cells import run_cell
from online_rnnlm.engines.kernels.dropout import drop_hidden
from online_rnnlm.engines.kernels.layout import candidates_of, group_by_class
from online_rnnlm.engines.kernels.vectors import add_document_gradient, descend, feed, gather


@njit(cache=True)
def predict_batch(model, steps, tokens, has_state, workspace):
    """Predict every word of a batch that has been laid out.

    Fills the workspace: log-probabilities, hidden states, d before every word and at the end, and
    the deltas of all scores. `has_state` is False if the states before the first words are 0.
    """
    run_cell(model.cell, model, steps, has_state, workspace)
    if model.dropout.hidden > 0:
        workspace.output_inputs[:tokens] = workspace.hidden[:tokens]
        drop_hidden(model.dropout, workspace.places[:tokens], workspace.output_inputs[:tokens])
    score_classes(model.weights, tokens, workspace)
    group_by_class(
        workspace.targets[:tokens],
        model.classes,
        workspace.class_starts,
        workspace.rows_by_class,
        workspace.first_candidates,
    )
    score_words(model.weights, model.classes, workspace)
    follow_documents(model, steps, workspace)


@njit(cache=True)
def score_classes(weights, tokens, workspace):
    """Compute W_c h_t for every word."""
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    transposed = workspace.class_output_transposed
    transposed[:] = weights.class_output.T
    hidden, scores = workspace.output_inputs[:tokens], workspace.class_scores[:tokens]
    multiply_nn(one, hidden, transposed, zero, scores)


@njit(cache=True)
def score_words(weights, classes, workspace):
    """Compute W_o[c] h_t for every word of class c: one product for each class of several words."""
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    for c in range(workspace.class_starts.size - 1):
        begin, end = workspace.class_starts[c], workspace.class_starts[c + 1]
        low, high = classes.offsets[c], classes.offsets[c + 1]
        if end > begin and high - low > 1:
            rows, hidden = workspace.rows_by_class[begin:end], workspace.grouped_hidden[begin:end]
            first = workspace.first_candidates[rows[0]]
            scores = candidates_of(workspace.word_scores, first, rows.size, high - low)
            gather(workspace.output_inputs, rows, hidden)
            multiply_nt(one, hidden, weights.word_output[low:high], zero, scores)


@njit(cache=True)
def follow_documents(model, steps, workspace):
    """Run every segment's document vector through its words, step by step.

    Adds V_c d_t and V_o[c] d_t to the scores, computes log P from them and turns them into deltas,
    and sets d_{t+1} = d_t - α ∂L_t/∂d_t, where ∂L_t/∂d_t = V_cᵀ δ_c + V_o[c]ᵀ δ_w.
    """
    weights, classes = model.weights, model.classes
    learning = workspace.document.shape[1] > 0
    for t in range(steps):
        for row in range(workspace.first_rows[t], workspace.first_rows[t + 1]):
            target = workspace.targets[row]
            c = classes.of_word[target]
            low, high = classes.offsets[c], classes.offsets[c + 1]
            has_choice = high - low > 1
            candidates = slice(
                workspace.first_candidates[row], workspace.first_candidates[row] + high - low
            )
            class_scores = workspace.class_scores[row]
            word_scores = workspace.word_scores[candidates]
            document = workspace.document[row - workspace.first_rows[t]]
            if learning:
                workspace.documents[row] = document
                feed(document, weights.class_document, 0, class_scores)
                if has_choice:
                    feed(document, weights.word_document, low, word_scores)
            log_probability = softmax_deltas(class_scores, c)
            if has_choice:
                log_probability += softmax_deltas(word_scores, target - low)
            workspace.log_probabilities[row] = log_probability
            if learning:
                gradient = workspace.document_gradient[row - workspace.first_rows[t]]
                gradient[:] = 0
                class_deltas = workspace.class_deltas[row]
                add_document_gradient(weights.class_document, 0, class_deltas, gradient)
                if has_choice:
                    word_deltas = workspace.word_deltas[candidates]
                    add_document_gradient(weights.word_document, low, word_deltas, gradient)
                descend(document, model.document_rate, gradient)
