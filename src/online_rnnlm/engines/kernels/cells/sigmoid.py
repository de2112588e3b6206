"""The paper's hidden layer in the kernels: h_t = σ(E[w_t] + h_{t-1} W_hᵀ + d_t V_hᵀ)."""

from __future__ import annotations

from typing import NamedTuple

from numba import njit
from numpy.typing import DTypeLike

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.kernels.activations import sigmoid, sigmoid_deltas
from online_rnnlm.engines.kernels.blas import multiply_nn
from online_rnnlm.engines.kernels.cells.states import copy_hidden_before, embed, hidden_before
from online_rnnlm.model.sizes import Sizes

HAS_MEMORY = False
HAS_DELTAS_OF_PRODUCTS = False


class Constants(NamedTuple):
    """The cell has no constants; d's part of its input is added by `kernels.coupled`."""


def constants_of(settings: RunSettings) -> Constants:
    """Return the cell's constants."""
    return Constants()


class Scratch(NamedTuple):
    """The cell needs no further arrays."""


def allocate(sizes: Sizes, tokens: int, sentences: int, dtype: DTypeLike) -> Scratch:
    """Return the arrays that only this cell needs."""
    return Scratch()


@njit(cache=True)
def run(cell, model, steps, has_state, workspace):
    """Compute h_t = σ(E[w_t] + h_{t-1} W_hᵀ) of all segments, step by step."""
    first_rows, one = workspace.first_rows, workspace.hidden.dtype.type(1)
    transposed = workspace.recurrent_transposed
    transposed[:] = model.weights.recurrent.T
    for t in range(steps):
        begin, end = first_rows[t], first_rows[t + 1]
        inputs = workspace.hidden_inputs[: end - begin]
        embed(model, begin, end, workspace, inputs)
        if t > 0 or has_state:
            multiply_nn(one, hidden_before(workspace, t), transposed, one, inputs)
        sigmoid(inputs, workspace.hidden[begin:end])


@njit(cache=True)
def propagate(cell, model, steps, has_state, workspace):
    """From the last word back, compute ∂L/∂h_t = ∂L_t/∂h_t + W_hᵀ δ_h,t+1, and from that δ_h,t."""
    first_rows, one = workspace.first_rows, workspace.hidden.dtype.type(1)
    for t in range(steps - 1, -1, -1):
        begin, end = first_rows[t], first_rows[t + 1]
        gradient, deltas = workspace.hidden_gradient[begin:end], workspace.hidden_deltas[begin:end]
        if t < steps - 1:
            later = workspace.hidden_deltas[first_rows[t + 1] : first_rows[t + 2]]
            multiply_nn(one, later, model.weights.recurrent, one, gradient[: later.shape[0]])
        sigmoid_deltas(workspace.hidden[begin:end], gradient, model.error_clip, deltas)
    return copy_hidden_before(steps, 0 if has_state else 1, workspace)
