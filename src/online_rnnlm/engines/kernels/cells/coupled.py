"""The paper's hidden layer, fed by the vector: h_t = σ(E[w_t] + h_{t-1} W_hᵀ + d_t V_hᵀ).

A hidden state depends on the vector, and the vector on the deltas of the word before, propagated
through that word's hidden state. So `predict_coupled` computes all step by step in time. Within a
step, all sentences are computed together, and so are all words of one class.
"""

from __future__ import annotations

from typing import NamedTuple

from online_rnnlm.engines.kernels.cells.sigmoid import (
    HAS_DELTAS_OF_PRODUCTS,
    HAS_MEMORY,
    propagate,
    run,
)
from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.data import end_word
from online_rnnlm.engines.kernels.elementwise import (
    add_rows,
    copy_rows,
    gather,
    predict_with_vector,
    sigmoid,
    sigmoid_deltas,
)
from online_rnnlm.engines.kernels.layout import (
    candidates_of,
    segments_at,
    states_before,
    transposed_outputs,
    words_at,
)
from online_rnnlm.engines.kernels.rows import (
    add_document_gradient,
    add_product,
    multiply_by_transpose,
)

__all__ = ["HAS_DELTAS_OF_PRODUCTS", "HAS_MEMORY", "Scratch", "predict_coupled", "propagate", "run"]


class Scratch(NamedTuple):
    """The cell needs no further arrays."""


@kernel()
def predict_coupled(own, model, section, has_state, workspace):
    """Predict every word of a section: leave what the functions of `forward` leave.

    Also leaves ∂L_t/∂h_t of every word in `workspace.hidden_gradient`.
    """
    predicted = workspace.first_places
    _find_first_places(section, predicted, workspace)
    for t in range(section.steps):
        _run_hidden_states(model.weights, section, t, has_state, workspace)
        _predict_classes(model, section, t, workspace)
        _predict_words(model, section, t, predicted, workspace)
        _update_documents(model, section, t, workspace)


@kernel()
def _find_first_places(section, places, workspace):
    """Find the first place in `rows_by_class` of each class's rows in the section or after it."""
    for c in range(places.size):
        places[c] = workspace.class_starts[c]
        while (
            places[c] < workspace.class_starts[c + 1]
            and workspace.rows_by_class[places[c]] < section.first_rows[0]
        ):
            places[c] += 1


# These parts are inlined before they are compiled. Each as a function of its own, with all its
# arrays as arguments, would take seconds to compile, and again with its callers.


@kernel(inline="always")
def _run_hidden_states(weights, section, t, has_state, workspace):
    """Compute h_t = σ(E[w_t] + h_{t-1} W_hᵀ + d_t V_hᵀ) of all sentences that have a word t."""
    (begin, end), at = words_at(section, t), segments_at(section, t)
    inputs, documents = workspace.hidden_inputs[at], workspace.documents[begin:end]
    gather(weights.embeddings, workspace.inputs[begin:end], inputs)
    copy_rows(workspace.document[at], documents)
    if t > 0 or has_state:
        before = states_before(workspace.hidden_before, workspace.hidden, section, t)
        add_product(workspace.by_rows, before, workspace.recurrent_transposed, inputs)
    add_product(workspace.by_rows, documents, weights.hidden_document, inputs)
    sigmoid(inputs, workspace.hidden[begin:end])


@kernel(inline="always")
def _predict_classes(model, section, t, workspace):
    """Compute log P(c) = log softmax(W_c h_t + V_c d_t)[c], and δ_c.

    Sets ∂L_t/∂h_t to W_cᵀ δ_c and adds V_cᵀ δ_c to ∂L_t/∂d_t; `_predict_words` adds to both.
    """
    weights, (begin, end) = model.weights, words_at(section, t)
    hidden, class_scores = workspace.hidden[begin:end], workspace.class_scores[begin:end]
    class_scores[:] = 0
    add_product(workspace.by_rows, hidden, workspace.class_output_transposed, class_scores)
    for row in range(begin, end):
        scores = workspace.class_scores[row]
        c = model.classes.of_word[workspace.targets[row]]
        gradient = workspace.document_gradient[section.first + row - begin]
        workspace.log_probabilities[row] = predict_with_vector(
            scores, c, workspace.documents[row], weights.class_document, 0, gradient
        )
    deltas, gradient = workspace.class_deltas[begin:end], workspace.hidden_gradient[begin:end]
    gradient[:] = 0
    add_product(workspace.by_rows, deltas, weights.class_output, gradient)


@kernel(inline="always")
def _predict_words(model, section, t, predicted, workspace):
    """Do for P(w|c), class by class, what `_predict_classes` does for P(c).

    In `rows_by_class` the section's rows of a class are ordered by time: those before predicted[c]
    are done.
    """
    classes, rows_by_class = model.classes, workspace.rows_by_class
    _, end = words_at(section, t)
    for c in range(predicted.size):
        start = predicted[c]
        stop = start
        while stop < workspace.class_starts[c + 1] and rows_by_class[stop] < end:
            stop += 1
        predicted[c] = stop
        if stop > start and classes.offsets[c + 1] - classes.offsets[c] > 1:
            _predict_class(model, section, t, c, start, stop, workspace)


@kernel(inline="always")
def _predict_class(model, section, t, c, start, stop, workspace):
    """Compute log P(w|c) = log softmax(W_o[c] h_t + V_o[c] d_t)[w], and δ_w, for rows of class c.

    The rows are rows_by_class[start:stop]. Adds W_o[c]ᵀ δ_w to ∂L_t/∂h_t and V_o[c]ᵀ δ_w to
    ∂L_t/∂d_t.
    """
    weights = model.weights
    low, high = model.classes.offsets[c], model.classes.offsets[c + 1]
    output, rows = weights.word_output[low:high], workspace.rows_by_class[start:stop]
    first = workspace.first_candidates[rows[0]]
    word_scores = candidates_of(workspace.word_scores, first, rows.size, high - low)
    word_deltas = candidates_of(workspace.word_deltas, first, rows.size, high - low)
    hidden = workspace.grouped_hidden[start:stop]
    gather(workspace.hidden, rows, hidden)
    multiply_by_transpose(hidden, output, transposed_outputs(workspace, low, high), word_scores)
    for i in range(rows.size):
        row, scores = rows[i], word_scores[i]
        gradient = workspace.document_gradient[section.first + row - words_at(section, t)[0]]
        within, document = workspace.targets[row] - low, workspace.documents[row]
        workspace.log_probabilities[row] += predict_with_vector(
            scores, within, document, weights.word_document, low, gradient
        )
    of_class = workspace.grouped_hidden_gradient[start:stop]
    of_class[:] = 0
    add_product(workspace.by_rows, word_deltas, output, of_class)
    add_rows(of_class, rows, workspace.hidden_gradient)


@kernel(inline="always")
def _update_documents(model, section, t, workspace):
    """Set d_{t+1} = d_t - α ∂L_t/∂d_t if a step is due, for all sentences that have a word t.

    First adds to ∂L_t/∂d_t the part through h_t: V_hᵀ clip(∂L_t/∂h_t ⊙ h_t ⊙ (1 - h_t)).
    """
    (begin, end), at = words_at(section, t), segments_at(section, t)
    deltas, gradient = workspace.step_deltas[at], workspace.document_gradient[at]
    hidden, hidden_gradient = workspace.hidden[begin:end], workspace.hidden_gradient[begin:end]
    sigmoid_deltas(hidden, hidden_gradient, model.error_clip, deltas)
    for b in range(end - begin):
        add_document_gradient(model.weights.hidden_document, 0, deltas[b], gradient[b])
    for b in range(section.first, section.first + end - begin):
        end_word(model, b, workspace)
