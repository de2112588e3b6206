"""Learning from a window of words: gradients of their loss, and plain steps of what learns.

All gradients are taken before any of the weights changes. The rows of large matrices that learn are
copied into memory of their own. To return to the trained weights, when a unit of text ends, it is
enough to mark these rows as not learnt.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.engines.kernels.blas import multiply_nn, multiply_tn
from online_rnnlm.core.engines.kernels.compiled import kernel, view
from online_rnnlm.core.engines.kernels.data import Classes
from online_rnnlm.core.engines.kernels.elementwise import (
    copy,
    copy_rows,
    descend,
    sigmoid_deltas,
)
from online_rnnlm.core.engines.kernels.rows import add_document_gradient
from online_rnnlm.core.parameters import Parameters


class CopyOnWriteWeights(NamedTuple):
    """Trained weights, and copies of those that have learnt since a unit of text began."""

    learnt: Parameters
    """The current small matrices; of E, W_o and V_o only the rows or columns that have learnt."""
    trained: Parameters
    """The weights that every unit of text begins with."""
    learnt_words: NDArray[np.bool_]
    """(V,): True if the word's row of E has learnt."""
    learnt_classes: NDArray[np.bool_]
    """(K,): True if the rows of W_o and the columns of V_oᵀ of the class's words have learnt."""


class Learning(NamedTuple):
    """The weights that learn during testing, when, and at which rates; reals have their dtype."""

    embeddings: bool
    recurrent: bool
    """W_h."""
    output: bool
    """W_c, W_o, V_c and V_o."""
    after_sentence: bool
    """True if they learn after every sentence, False after every word."""
    carries_state: bool
    """True if the hidden state lives on from one sentence of a unit to the next."""
    bptt_steps: int
    """Number of hidden states that a word's loss is propagated through."""
    learning_rate: np.floating
    document_rate: np.floating
    error_clip: np.floating
    """Bound on the deltas of the hidden units; infinite for no bound."""


class LearningModel(NamedTuple):
    """A model that predicts words and learns from them."""

    weights: CopyOnWriteWeights
    classes: Classes
    learning: Learning


class Window(NamedTuple):
    """The last n words read, of which either the last one or all are scored."""

    inputs: Any
    """(n,): previous words."""
    targets: Any
    """(n,): words to predict."""
    hidden: Any
    """(n + 1, M): h before the first word, and of every word."""
    documents: Any
    """(n, D): d before every word."""
    scored: int
    """Index of the first word that is scored."""


@kernel()
def forget(weights):
    """Return to the trained weights."""
    weights.learnt_words[:] = False
    weights.learnt_classes[:] = False
    learnt, trained = weights.learnt, weights.trained
    copy_rows(trained.recurrent, learnt.recurrent)
    copy_rows(trained.class_output, learnt.class_output)
    copy_rows(trained.class_document, learnt.class_document)


@view
def embedding_of(weights, word):
    """A word's current row of E, (M,)."""
    if weights.learnt_words[word]:
        return weights.learnt.embeddings[word]
    return weights.trained.embeddings[word]


@view
def outputs_of(weights, classes, c):
    """The current W_o[c], (L, M), and a V_oᵀ, (D, V), whose columns of class c are current."""
    low, high = classes.offsets[c], classes.offsets[c + 1]
    if weights.learnt_classes[c]:
        return weights.learnt.word_output[low:high], weights.learnt.word_document
    return weights.trained.word_output[low:high], weights.trained.word_document


@kernel()
def complete(weights, classes):
    """Copy the trained weights that have not learnt into `learnt`, so that it has all weights."""
    learnt, trained = weights.learnt, weights.trained
    for word in range(weights.learnt_words.size):
        if not weights.learnt_words[word]:
            copy(trained.embeddings[word], learnt.embeddings[word])
    for c in range(weights.learnt_classes.size):
        if not weights.learnt_classes[c]:
            low, high = classes.offsets[c], classes.offsets[c + 1]
            copy_rows(trained.word_output[low:high], learnt.word_output[low:high])
            for i in range(learnt.word_document.shape[0]):
                copy(trained.word_document[i][low:high], learnt.word_document[i][low:high])


@kernel(forceinline=True)
def learn(model, window, workspace):
    """Take one step of all that learns, from the deltas that scoring the window has left."""
    learning, learnt = model.learning, model.weights.learnt
    hidden_layer_learns = learning.embeddings or learning.recurrent
    document_learns = learning.document_rate != 0
    if hidden_layer_learns:
        _differentiate_by_hidden(model, window, workspace)
        _propagate_through_time(model, window, workspace)
    if document_learns:
        _differentiate_by_document(model, window, workspace)
    if learning.output:
        _update_output(model, window, workspace)
    if learning.recurrent:
        _update_recurrent(learnt, learning.learning_rate, window, workspace.hidden_deltas)
    if learning.embeddings:
        _update_embeddings(model, window, workspace.hidden_deltas)
    if document_learns:
        document, gradient = workspace.document[0], workspace.document_gradient[0]
        descend(document, learning.document_rate, gradient)


@view
def _word_deltas(classes, window, workspace, j):
    """The class c of word j's target, the first word of c, and δ_w.

    For a word that is alone in its class δ_w is an empty array.
    """
    c = classes.of_word[window.targets[j]]
    low, high = classes.offsets[c], classes.offsets[c + 1]
    size = high - low if high - low > 1 else 0
    first = workspace.first_candidates[j]
    return c, low, workspace.word_deltas[first : first + size]


@kernel(forceinline=True)
def _differentiate_by_hidden(model, window, workspace):
    """Compute ∂L_j/∂h_j = W_cᵀ δ_c + W_o[c]ᵀ δ_w of every word j that is scored."""
    weights, gradient = model.weights, workspace.hidden_gradient
    one, zero = gradient.dtype.type(1), gradient.dtype.type(0)
    rows = slice(window.scored, window.targets.size)
    class_deltas = workspace.class_deltas[rows]
    multiply_nn(one, class_deltas, weights.learnt.class_output, zero, gradient[rows])
    for j in range(window.scored, window.targets.size):
        c, _, deltas = _word_deltas(model.classes, window, workspace, j)
        if deltas.size > 0:
            output, _ = outputs_of(weights, model.classes, c)
            deltas = deltas.reshape(1, deltas.size)
            multiply_nn(one, deltas, output, one, gradient[j : j + 1])


@kernel(forceinline=True)
def _differentiate_by_document(model, window, workspace):
    """Compute the document gradient, Σ ∂L_j/∂d_j over the words j that are scored.

    ∂L_j/∂d_j = V_cᵀ δ_c + V_o[c]ᵀ δ_w.
    """
    weights, learnt = model.weights, model.weights.learnt
    gradient = workspace.document_gradient[0]
    gradient[:] = 0
    for j in range(window.scored, window.targets.size):
        add_document_gradient(learnt.class_document, 0, workspace.class_deltas[j], gradient)
        c, low, deltas = _word_deltas(model.classes, window, workspace, j)
        if deltas.size > 0:
            _, word_document = outputs_of(weights, model.classes, c)
            add_document_gradient(word_document, low, deltas, gradient)


@kernel(forceinline=True)
def _propagate_through_time(model, window, workspace):
    """From the last word back, compute δ_h,j and ∂L/∂h_{j-1} = ∂L_{j-1}/∂h_{j-1} + W_hᵀ δ_h,j.

    L is the loss of the words that are scored: for words before them ∂L_{j-1}/∂h_{j-1} is left out.
    """
    gradient, all_deltas = workspace.hidden_gradient, workspace.hidden_deltas
    one, zero = gradient.dtype.type(1), gradient.dtype.type(0)
    clip, recurrent = model.learning.error_clip, model.weights.learnt.recurrent
    for j in range(window.targets.size - 1, -1, -1):
        deltas = all_deltas[j : j + 1]
        sigmoid_deltas(window.hidden[j + 1 : j + 2], gradient[j : j + 1], clip, deltas)
        if j > 0:
            keep = one if j > window.scored else zero
            multiply_nn(one, deltas, recurrent, keep, gradient[j - 1 : j])


@kernel(forceinline=True)
def _update_output(model, window, workspace):
    """Take steps of W_c, V_c, W_o[c] and V_o[c] by -δ_c hᵀ, -δ_c dᵀ, -δ_w hᵀ and -δ_w dᵀ."""
    weights, rate = model.weights, model.learning.learning_rate
    learnt, trained = weights.learnt, weights.trained
    for j in range(window.scored, window.targets.size):
        hidden, document = window.hidden[j + 1], window.documents[j]
        deltas = workspace.class_deltas[j]
        output, columns = learnt.class_output, learnt.class_document
        _descend_rows(output, output, False, rate, deltas, hidden)
        _descend_columns(columns, columns, False, rate, document, deltas, 0)
        c, low, deltas = _word_deltas(model.classes, window, workspace, j)
        if deltas.size > 0:
            new = not weights.learnt_classes[c]
            rows = learnt.word_output[low : low + deltas.size]
            before = trained.word_output[low : low + deltas.size]
            _descend_rows(rows, before, new, rate, deltas, hidden)
            columns, before = learnt.word_document, trained.word_document
            _descend_columns(columns, before, new, rate, document, deltas, low)
            weights.learnt_classes[c] = True


@kernel(forceinline=True)
def _update_recurrent(learnt, rate, window, deltas):
    """Take a step of W_h by -Σ δ_h,j h_{j-1}ᵀ."""
    one, size = deltas.dtype.type(1), window.inputs.size
    multiply_tn(-rate, deltas[:size], window.hidden[:size], one, learnt.recurrent)


@kernel(forceinline=True)
def _update_embeddings(model, window, deltas):
    """Take steps of E[w_j] by -δ_h,j."""
    weights = model.weights
    for j in range(window.inputs.size):
        word = window.inputs[j]
        row = weights.learnt.embeddings[word]
        if not weights.learnt_words[word]:
            copy(weights.trained.embeddings[word], row)
            weights.learnt_words[word] = True
        descend(row, model.learning.learning_rate, deltas[j])


# Rows or columns are `new` if they have not learnt in this unit of text yet: their values are still
# those of `before`. This case has a loop of its own, so that both loops compile to plain vector
# instructions.


@kernel(fastmath=True, error_model="numpy")
def _descend_rows(matrix, before, new, rate, deltas, inputs):
    """Set matrix -= rate δ xᵀ, with a row for each of the deltas δ; x (n,) are the inputs."""
    if new:
        for i in range(deltas.size):
            row, old = matrix[i], before[i]
            factor = rate * deltas[i]
            for j in range(inputs.size):
                row[j] = old[j] - factor * inputs[j]
    else:
        for i in range(deltas.size):
            row = matrix[i]
            factor = rate * deltas[i]
            for j in range(inputs.size):
                row[j] -= factor * inputs[j]


@kernel(fastmath=True, error_model="numpy")
def _descend_columns(matrix, before, new, rate, document, deltas, low):
    """Set matrix[:, low : low + n] -= rate d δᵀ; the matrix (D, ≥ low + n) may have no rows."""
    high = low + deltas.size
    for i in range(matrix.shape[0]):
        row = matrix[i][low:high]
        factor = rate * document[i]
        if new:
            old = before[i][low:high]
            for j in range(deltas.size):
                row[j] = old[j] - factor * deltas[j]
        else:
            for j in range(deltas.size):
                row[j] -= factor * deltas[j]
