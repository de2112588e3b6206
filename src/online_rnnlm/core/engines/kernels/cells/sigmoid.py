"""The paper's hidden layer in the kernels: h_t = σ(E[w_t] + h_{t-1} W_hᵀ)."""

from __future__ import annotations

from typing import NamedTuple

from online_rnnlm.core.engines.kernels.blas import multiply_nn
from online_rnnlm.core.engines.kernels.compiled import kernel
from online_rnnlm.core.engines.kernels.elementwise import sigmoid, sigmoid_deltas
from online_rnnlm.core.engines.kernels.layout import (
    copy_hidden_before,
    read_words,
    segments_at,
    words_at,
)

HAS_MEMORY = False


class Scratch(NamedTuple):
    """The cell needs no further arrays."""


@kernel()
def run(own, model, section, has_state, workspace):
    """Compute h_t = σ(E[w_t] + h_{t-1} W_hᵀ) of a section's segments, step by step."""
    every_input, hidden = workspace.hidden_inputs, workspace.hidden
    for t in range(section.steps):
        begin, end = words_at(section, t)
        inputs = every_input[segments_at(section, t)]
        read_words(model, section, t, has_state, inputs, workspace)
        sigmoid(inputs, hidden[begin:end])


@kernel()
def propagate(own, model, section, workspace):
    """From the last word back, compute ∂L/∂h_t = ∂L_t/∂h_t + W_hᵀ δ_h,t+1, and from that δ_h,t."""
    one, recurrent, clip = workspace.hidden.dtype.type(1), model.weights.recurrent, model.error_clip
    hidden, every_delta = workspace.hidden, workspace.hidden_deltas
    every_gradient = workspace.hidden_gradient
    for t in range(section.steps - 1, -1, -1):
        begin, end = words_at(section, t)
        gradient, deltas = every_gradient[begin:end], every_delta[begin:end]
        if t < section.steps - 1:
            after, last = words_at(section, t + 1)
            later = every_delta[after:last]
            multiply_nn(one, later, recurrent, one, gradient[: later.shape[0]])
        sigmoid_deltas(hidden[begin:end], gradient, clip, deltas)
    copy_hidden_before(section, workspace)
