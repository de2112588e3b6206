"""Gradients that go back through the updates of the document vector.

A word's update is d_{t+1} = d_t - α g_t, where g_t = V_cᵀ δ_c + V_o[c]ᵀ δ_w depends on d_t and on
the weights. Let λ_t = ∂L/∂d_t, L being the loss of all words of the batch. For both softmaxes, each
with its own V and δ, and from the last word back to the first:

    ε_t = δ_t - α S_t V λ_{t+1}             S = ∂p/∂(scores) = diag(p) - p pᵀ, p = δ + 1[target]
    λ_t = λ_{t+1} + V_cᵀ ε_c + V_o[c]ᵀ ε_w

ε is the derivative of L by the scores: it takes the place of δ in the gradients of all weights.
V is also a factor of g_t itself, so that

    ∂L/∂V = Σ ε_t d_tᵀ - α Σ δ_t λ_{t+1}ᵀ

λ is 0 after the batch's last words: the batches that follow count as constants.
"""

from __future__ import annotations

from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.elementwise import copy, copy_rows
from online_rnnlm.engines.kernels.layout import rows_of, segments_at, words_at
from online_rnnlm.engines.kernels.rows import add_document_gradient, feed


@kernel()
def go_back_through_documents(model, section, workspace):
    """Turn δ of all scores of a section into ε, word by word from the last; keep δ and λ."""
    weights, classes, rate = model.weights, model.classes, model.document_rate
    products = workspace.later_scores
    first, last = rows_of(section)
    copy_rows(workspace.class_deltas[first:last], workspace.own_class_deltas[first:last])
    workspace.later_gradient[segments_at(section, 0)] = 0
    for t in range(section.steps - 1, -1, -1):
        begin, end = words_at(section, t)
        for row in range(begin, end):
            gradient = workspace.later_gradient[section.first + row - begin]
            later = workspace.later_gradients[row]
            copy(gradient, later)
            target = workspace.targets[row]
            c = classes.of_word[target]
            low, high = classes.offsets[c], classes.offsets[c + 1]
            deltas = workspace.class_deltas[row]
            _turn(weights.class_document, 0, c, deltas, rate, later, products)
            add_document_gradient(weights.class_document, 0, deltas, gradient)
            if high - low > 1:
                first = workspace.first_candidates[row]
                deltas = workspace.word_deltas[first : first + high - low]
                copy(deltas, workspace.own_word_deltas[first : first + high - low])
                _turn(weights.word_document, low, target - low, deltas, rate, later, products)
                add_document_gradient(weights.word_document, low, deltas, gradient)


@kernel(fastmath=True, error_model="numpy")
def _turn(matrix, low, target, deltas, rate, later, products):
    """Turn a softmax's deltas δ (n,) into ε = δ - α S V λ, in place.

    `matrix` is Vᵀ, whose columns for these scores begin at `low`; `rate` is α, `later` λ (D,), and
    `target` the place of the predicted class or word. `products` is memory for V λ.
    """
    products = products[: deltas.size]
    products[:] = 0
    feed(later, matrix, low, products)
    one, mean = deltas.dtype.type(1), deltas.dtype.type(0)
    deltas[target] += one  # p
    for j in range(deltas.size):
        mean += deltas[j] * products[j]
    for j in range(deltas.size):
        deltas[j] -= rate * deltas[j] * (products[j] - mean)
    deltas[target] -= one
