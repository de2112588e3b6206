"""Slow context units beside the paper's hidden layer, in the kernels (`model.cells.slow_context`).

    s_t = (1 - a) B[w_t] + a s_{t-1},   h_t = σ(A[w_t] + h_{t-1} W_hᵀ + s_t Pᵀ)

A row of the hidden states is (h_t, s_t), a row of E (A, B)[w], and the recurrent matrix (W_h, P).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from online_rnnlm.engines.kernels.blas import multiply_nn
from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.data import reals
from online_rnnlm.engines.kernels.dropout import embed
from online_rnnlm.engines.kernels.elementwise import copy, copy_rows, sigmoid, sigmoid_deltas
from online_rnnlm.engines.kernels.layout import segments_at, states_before, words_at
from online_rnnlm.engines.kernels.rows import add_product

HAS_MEMORY = False
HAS_DELTAS_OF_PRODUCTS = True


class Scratch(NamedTuple):
    """The arrays that only this cell needs (`workspace`)."""

    embedded: Any = reals("B", "H")
    """Rows of E, or gradients, at one time step."""


@kernel()
def run(own, model, section, has_state, workspace):
    """Compute (h_t, s_t) of a section's segments; leaves (h_{t-1}, s_t) in `previous_hidden`."""
    size = model.weights.recurrent.shape[0]
    transposed = workspace.recurrent_transposed
    for t in range(section.steps):
        begin, end = words_at(section, t)
        at = segments_at(section, t)
        embedded, inputs = own.embedded[at], workspace.hidden_inputs[at]
        words, places = workspace.inputs[begin:end], workspace.places[begin:end]
        embed(model.weights.embeddings, model.dropout, words, places, embedded)
        before, seen = workspace.previous_hidden[begin:end], workspace.hidden[begin:end]
        copy_rows(states_before(workspace.hidden_before, workspace.hidden, section, t), before)
        _forget(embedded, before, model.context_decay, size)
        copy_rows(embedded, inputs)  # of which the first columns
        add_product(workspace.by_rows, before, transposed, inputs)
        sigmoid(inputs, seen)
        for b in range(end - begin):
            copy(before[b][size:], seen[b][size:])


@kernel(fastmath=True, error_model="numpy")
def _forget(embedded, context, decay, size):
    """Set s ← (1 - a) B[w] + a s, in the columns from `size` on."""
    one = embedded.dtype.type(1)
    for b in range(embedded.shape[0]):
        new, row = embedded[b], context[b]
        for j in range(size, row.size):
            row[j] = (one - decay) * new[j] + decay * row[j]


@kernel()
def propagate(own, model, section, workspace):
    """From the last word back, compute δ_h,t and ∂L/∂s_t.

    ∂L/∂h_t = ∂L_t/∂h_t + W_hᵀ δ_h,t+1 and ∂L/∂s_t = ∂L_t/∂s_t + Pᵀ δ_h,t + a ∂L/∂s_t+1.
    """
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    recurrent = model.weights.recurrent
    for t in range(section.steps - 1, -1, -1):
        begin, end = words_at(section, t)
        hidden, gradient = workspace.hidden[begin:end], workspace.hidden_gradient[begin:end]
        deltas, by_words = workspace.recurrent_deltas[begin:end], workspace.hidden_deltas[begin:end]
        through = own.embedded[segments_at(section, t)]
        sigmoid_deltas(hidden, gradient, model.error_clip, deltas)
        multiply_nn(one, deltas, recurrent, zero, through)
        earlier = workspace.hidden_gradient[words_at(section, t - 1)[0] if t > 0 else begin :]
        _pass_back(deltas, through, gradient, model.context_decay, t > 0, by_words, earlier)


@kernel(fastmath=True, error_model="numpy")
def _pass_back(deltas, through, gradient, decay, has_earlier, by_words, earlier):
    """Fill the deltas of E's rows, (δ_h, (1 - a) ∂L/∂s_t), and add to the gradient a word earlier.

    `through` (b, M + C) is δ_h (W_h, P).
    """
    size, one = deltas.shape[1], gradient.dtype.type(1)
    for b in range(deltas.shape[0]):
        row, back, out = gradient[b], through[b], by_words[b]
        for j in range(size):
            out[j] = deltas[b, j]
        for j in range(size, row.size):
            total = row[j] + back[j]
            out[j] = (one - decay) * total
            if has_earlier:
                earlier[b, j] += decay * total
        if has_earlier:
            for j in range(size):
                earlier[b, j] += back[j]
