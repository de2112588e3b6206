"""The LSTM in the kernels (`model.cells.lstm`).

(x_i, x_f, x_o, x_g) = E[w_t] + h_{t-1} W_hᵀ,   i, o = σ(x_i, x_o),  f = σ(x_f + 1),  g = tanh(x_g)
c_t = f c_{t-1} + i g,   h_t = o tanh(c_t)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from online_rnnlm.core.cells.lstm import FORGET_BIAS
from online_rnnlm.core.engines.kernels.blas import multiply_nn
from online_rnnlm.core.engines.kernels.compiled import kernel
from online_rnnlm.core.engines.kernels.data import reals
from online_rnnlm.core.engines.kernels.elementwise import fourths, logistic, tangent
from online_rnnlm.core.engines.kernels.layout import (
    copy_hidden_before,
    read_words,
    segments_at,
    states_before,
    words_at,
)

HAS_MEMORY = True


class Scratch(NamedTuple):
    """The arrays that only this cell needs (`workspace`)."""

    gates: Any = reals("N", "E")
    """(N, 4 M): i, f, o and g."""
    memory_gradient: Any = reals("B", "M")
    """∂L/∂c at one time step."""


@kernel()
def run(own, model, section, has_state, workspace):
    """Compute the gates, c_t and h_t of a section's segments, step by step."""
    every_gate, hidden, memory = own.gates, workspace.hidden, workspace.memory
    for t in range(section.steps):
        begin, end = words_at(section, t)
        gates = every_gate[begin:end]
        read_words(model, section, t, has_state, gates, workspace)
        _open(gates, states_before(workspace.memory_before, memory, section, t), memory[begin:end])
        _show(gates, memory[begin:end], hidden[begin:end])


@kernel(fastmath=True, error_model="numpy")
def _open(gates, before, memory):
    """Turn the gates' inputs (b, 4M) into i, f, o and g, and compute c_t = f c_{t-1} + i g."""
    size, bias = memory.shape[1], gates.dtype.type(FORGET_BIAS)
    for b in range(gates.shape[0]):
        i, f, o, g = fourths(gates[b], size)
        old, new = before[b], memory[b]
        for j in range(size):
            i[j] = logistic(i[j])
            f[j] = logistic(f[j] + bias)
            o[j] = logistic(o[j])
            g[j] = tangent(g[j])
            new[j] = f[j] * old[j] + i[j] * g[j]


@kernel(fastmath=True, error_model="numpy")
def _show(gates, memory, hidden):
    """Compute h_t = o tanh(c_t)."""
    size = memory.shape[1]
    for b in range(gates.shape[0]):
        o, c, h = gates[b][2 * size : 3 * size], memory[b], hidden[b]
        for j in range(size):
            h[j] = o[j] * tangent(c[j])


@kernel()
def propagate(own, model, section, workspace):
    """From the last word back, compute the deltas of the gates' inputs."""
    one = workspace.hidden.dtype.type(1)
    for t in range(section.steps - 1, -1, -1):
        begin, end = words_at(section, t)
        gradient, deltas = workspace.hidden_gradient[begin:end], workspace.hidden_deltas[begin:end]
        longer = 0
        if t < section.steps - 1:
            after, last = words_at(section, t + 1)
            later = workspace.hidden_deltas[after:last]
            longer = later.shape[0]
            multiply_nn(one, later, model.weights.recurrent, one, gradient[:longer])
        memory_gradient = own.memory_gradient[segments_at(section, t)]
        memory_gradient[longer:] = 0
        gates, memory, clip = own.gates[begin:end], workspace.memory[begin:end], model.error_clip
        before = states_before(workspace.memory_before, workspace.memory, section, t)
        _pass_back(gates, before, memory, gradient, clip, memory_gradient, deltas)
    copy_hidden_before(section, workspace)


@kernel(fastmath=True, error_model="numpy")
def _pass_back(gates, before, memory, gradient, clip, memory_gradient, deltas):
    """Compute the deltas (b, 4M) of a time step; `memory_gradient` is ∂L/∂c_t from later words.

    It becomes ∂L/∂c_{t-1}.
    """
    size, one = memory.shape[1], gradient.dtype.type(1)
    for b in range(gates.shape[0]):
        (i, f, o, g), (by_i, by_f, by_o, by_g) = fourths(gates[b], size), fourths(deltas[b], size)
        old, c, by_h, by_c = before[b], memory[b], gradient[b], memory_gradient[b]
        for j in range(size):
            shown = tangent(c[j])
            total = by_c[j] + by_h[j] * o[j] * (one - shown * shown)
            by_i[j] = min(max(total * g[j] * i[j] * (one - i[j]), -clip), clip)
            by_f[j] = min(max(total * old[j] * f[j] * (one - f[j]), -clip), clip)
            by_o[j] = min(max(by_h[j] * shown * o[j] * (one - o[j]), -clip), clip)
            by_g[j] = min(max(total * i[j] * (one - g[j] * g[j]), -clip), clip)
            by_c[j] = total * f[j]
