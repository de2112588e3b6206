"""The hidden layer: the sigmoid units of the paper, slow context units, the LSTM (`core.cells`).

x_t = E[w_t] + h_{t-1} W_hᵀ
h_t = σ(x_t)                                          sigmoid
s_t = γ s_{t-1} + (1 - γ) B[w_t]                      slow context: x_t has s_t Pᵀ, too
(x_i, x_f, x_o, x_g) = x_t                            LSTM
i, o = σ(x_i), σ(x_o),  f = σ(x_f + 1),  g = tanh(x_g)
c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.carried import Carried
from online_rnnlm.core.cells.lstm import FORGET_BIAS
from online_rnnlm.core.engines.kernels.dropout import EMBEDDINGS, drop
from online_rnnlm.core.engines.kernels.elementwise import (
    add_product,
    copy,
    gather,
    logistic,
    tangent,
)
from online_rnnlm.core.engines.kernels.layout import states_before


class States(NamedTuple):
    """The states of a batch's words, N rows."""

    before: Carried
    """The state before the first words."""
    hidden: Any
    """(N, M): h, or (N, M + C): h and s."""
    memory: Any
    """(N, M): c of an LSTM; (N, 0) for sigmoid units."""
    gates: Any
    """(N, 4 M): i, f, o and g of an LSTM; of other cells their inputs, as wide as `hidden`."""


@njit(cache=True)
def run_cell(model, batch, before):
    """Compute the states of all words, step by step."""
    weights = model.weights
    first_rows = batch.first_rows
    context = context_units(weights)
    gates = gather(weights.embeddings, batch.inputs)
    drop(model.dropout.key, EMBEDDINGS, model.dropout.embeddings, batch.places, gates)
    hidden = np.empty((batch.inputs.size, before.hidden.shape[1]), gates.dtype)
    memory = np.empty((batch.inputs.size, before.memory.shape[1]), gates.dtype)
    # BLAS is slow with a transposed matrix, but a copy takes longer than the product of one row.
    alone = batch.lanes.size == 1
    rows = 0 if alone else weights.recurrent.shape[0]
    recurrent = np.ascontiguousarray(weights.recurrent[:rows].T)
    for t in range(first_rows.size - 1):
        begin, end = first_rows[t], first_rows[t + 1]
        old = states_before(before.hidden, hidden, batch, t)
        if context > 0:
            old = _remember(old, gates[begin:end], context, model.context_decay)
        if alone:
            add_product(old, weights.recurrent.T, gates[begin:end])
        else:
            add_product(old, recurrent, gates[begin:end])
        if model.is_lstm:
            old = states_before(before.memory, memory, batch, t)
            _run_lstm(gates[begin:end], old, memory[begin:end], hidden[begin:end])
        else:
            _run_sigmoid(gates[begin:end], hidden[begin:end], hidden.shape[1] - context)
            if context > 0:
                size = hidden.shape[1] - context
                for row in range(begin, end):
                    copy(old[row - begin][size:], hidden[row][size:])
    return States(before, hidden, memory, gates)


@njit(cache=True)
def context_units(weights):
    """C, the number of slow context units."""
    return weights.embeddings.shape[1] - weights.recurrent.shape[0]


@njit(cache=True, fastmath=True, error_model="numpy")
def _remember(old, inputs, context, decay):
    """Return h_{t-1} and s_t side by side, from h_{t-1} and s_{t-1}; all are (b, M + C).

    Of the inputs, the last C are B[w_t].
    """
    read = old.copy()
    one = read.dtype.type(1)
    for b in range(read.shape[0]):
        x = inputs[b]
        values = read[b]
        for j in range(values.size - context, values.size):
            values[j] = decay * values[j] + (one - decay) * x[j]
    return read


@njit(cache=True, fastmath=True, error_model="numpy")
def _run_sigmoid(inputs, hidden, size):
    """Set h = σ(inputs) in the first `size` columns; both are (b, M), or (b, M + C)."""
    for b in range(hidden.shape[0]):
        x, h = inputs[b], hidden[b]
        for j in range(size):
            h[j] = logistic(x[j])


@njit(cache=True, fastmath=True, error_model="numpy")
def _run_lstm(gates, old, memory, hidden):
    """Turn the gates' inputs (b, 4 M) into i, f, o and g; compute c and h, (b, M), from old c."""
    size = hidden.shape[1]
    bias = gates.dtype.type(FORGET_BIAS)
    for b in range(hidden.shape[0]):
        i, f = gates[b][:size], gates[b][size : 2 * size]
        o, g = gates[b][2 * size : 3 * size], gates[b][3 * size :]
        before = old[b]
        c = memory[b]
        h = hidden[b]
        for j in range(size):
            i[j] = logistic(i[j])
            f[j] = logistic(f[j] + bias)
            o[j] = logistic(o[j])
            g[j] = tangent(g[j])
            c[j] = f[j] * before[j] + i[j] * g[j]
        for j in range(size):
            h[j] = o[j] * tangent(c[j])


@njit(cache=True)
def go_back_through_cell(model, batch, states, gradient):
    """From the last word back, compute the deltas of x_t, (N, ·), which E and W_h learn from.

    `gradient` (N, M) is ∂L_t/∂h_t, and becomes ∂L/∂h_t = ∂L_t/∂h_t + W_hᵀ δ_{t+1}. The states
    before the first words count as constants.
    """
    first_rows = batch.first_rows
    clip = model.error_clip
    deltas = np.empty_like(states.gates)
    by_memory = np.zeros_like(states.before.memory)  # ∂L/∂c_t of each segment, from later words
    context = context_units(model.weights)
    for t in range(first_rows.size - 2, -1, -1):
        begin, end = first_rows[t], first_rows[t + 1]
        if t < first_rows.size - 2 and context == 0:
            later = deltas[end : first_rows[t + 2]]
            longer = gradient[begin : begin + later.shape[0]]
            add_product(later, model.weights.recurrent, longer)
        now = slice(begin, end)
        if model.is_lstm:
            old = states_before(states.before.memory, states.memory, batch, t)
            memory = states.memory[now]
            _set_lstm_deltas(
                states.gates[now], old, memory, gradient[now], by_memory, clip, deltas[now]
            )
        else:
            size = gradient.shape[1] - context
            _set_sigmoid_deltas(states.hidden[now], gradient[now], clip, deltas[now], size)
        if context > 0:
            inputs = np.ascontiguousarray(deltas[now][:, : gradient.shape[1] - context])
            through = np.dot(inputs, model.weights.recurrent)
            earlier = gradient[first_rows[t - 1] if t > 0 else 0 : begin]
            _go_back_through_context(
                gradient[now], through, context, model.context_decay, deltas[now], earlier
            )
    return deltas


@njit(cache=True, fastmath=True, error_model="numpy")
def _set_sigmoid_deltas(hidden, gradient, clip, deltas, size):
    """Set deltas = gradient ⊙ h ⊙ (1 - h), each limited to ±clip, in the first `size` columns.

    All are (b, M), or (b, M + C).
    """
    one = hidden.dtype.type(1)
    for b in range(hidden.shape[0]):
        h = hidden[b]
        row = gradient[b]
        result = deltas[b]
        for j in range(size):
            result[j] = min(max(row[j] * h[j] * (one - h[j]), -clip), clip)


@njit(cache=True, fastmath=True, error_model="numpy")
def _go_back_through_context(gradient, through, context, decay, deltas, earlier):
    """Compute the deltas of B[w_t], and add to the gradients by the states a word earlier.

    ∂L/∂s_t = ∂L_t/∂s_t + Pᵀ δ_t + γ ∂L/∂s_{t+1}, of which B[w_t] gets 1 - γ. `gradient`, `through`,
    which is δ_t (W_h, P), and `deltas` are (b, M + C), `earlier` (≥ b, M + C); before the first
    words it has no rows.
    """
    one = gradient.dtype.type(1)
    for b in range(gradient.shape[0]):
        row = gradient[b]
        back = through[b]
        result = deltas[b]
        first = row.size - context
        for j in range(first, row.size):
            row[j] += back[j]
            result[j] = (one - decay) * row[j]
        if b < earlier.shape[0]:
            before = earlier[b]
            for j in range(first):
                before[j] += back[j]
            for j in range(first, row.size):
                before[j] += decay * row[j]


@njit(cache=True, fastmath=True, error_model="numpy")
def _set_lstm_deltas(gates, old, memory, gradient, by_memory, clip, deltas):
    """Set the deltas (b, 4 M) of the gates' inputs, each limited to ±clip.

    `by_memory` (≥ b, M) is ∂L/∂c_t from later words, and becomes ∂L/∂c_{t-1}.
    """
    size = memory.shape[1]
    one = gradient.dtype.type(1)
    for b in range(memory.shape[0]):
        i, f = gates[b][:size], gates[b][size : 2 * size]
        o, g = gates[b][2 * size : 3 * size], gates[b][3 * size :]
        by_i, by_f = deltas[b][:size], deltas[b][size : 2 * size]
        by_o, by_g = deltas[b][2 * size : 3 * size], deltas[b][3 * size :]
        before = old[b]
        c = memory[b]
        by_h = gradient[b]
        by_c = by_memory[b]
        for j in range(size):
            shown = tangent(c[j])
            total = by_c[j] + by_h[j] * o[j] * (one - shown * shown)
            by_i[j] = min(max(total * g[j] * i[j] * (one - i[j]), -clip), clip)
            by_f[j] = min(max(total * before[j] * f[j] * (one - f[j]), -clip), clip)
            by_o[j] = min(max(by_h[j] * shown * o[j] * (one - o[j]), -clip), clip)
            by_g[j] = min(max(total * i[j] * (one - g[j] * g[j]), -clip), clip)
            by_c[j] = total * f[j]


@njit(cache=True)
def hidden_states_before(batch, states, context):
    """The values that W_h and P are multiplied by at each word: h before it, and s after it.

    The result is as wide as `hidden`.
    """
    found = states.hidden.copy()
    size = found.shape[1] - context
    for t in range(batch.first_rows.size - 1):
        before = states_before(states.before.hidden, states.hidden, batch, t)
        for b in range(before.shape[0]):
            copy(before[b][:size], found[batch.first_rows[t] + b][:size])
    return found
