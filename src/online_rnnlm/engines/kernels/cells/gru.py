"""The GRU in the kernels (`model.cells.gru`).

r = σ(E_r[w_t] + h_{t-1} U_rᵀ),   z = σ(E_z[w_t] + h_{t-1} U_zᵀ),   q = h_{t-1} U_nᵀ
n = tanh(E_n[w_t] + r q),   h_t = (1 - z) n + z h_{t-1}
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.kernels.activations import logistic, tangent
from online_rnnlm.engines.kernels.blas import multiply_nn
from online_rnnlm.engines.kernels.cells.states import copy_hidden_before, embed, states_before
from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.layout import segments_at, words_at
from online_rnnlm.model.sizes import Sizes

HAS_MEMORY = False
HAS_DELTAS_OF_PRODUCTS = True


class Constants(NamedTuple):
    """The cell has no constants."""


def constants_of(settings: RunSettings) -> Constants:
    """Return the cell's constants."""
    return Constants()


class Scratch(NamedTuple):
    """The arrays that only this cell needs."""

    gates: NDArray[Any]
    """(N, 3M): r, z and n."""
    proposals: NDArray[Any]
    """(N, M): q."""


def allocate(sizes: Sizes, tokens: int, sentences: int, dtype: DTypeLike) -> Scratch:
    """Allocate the arrays that only this cell needs."""
    m = sizes.hidden
    return Scratch(np.zeros((tokens, 3 * m), dtype), np.zeros((tokens, m), dtype))


@kernel()
def run(cell, model, section, has_state, workspace):
    """Compute r, z, n, q and h_t of a section's segments, step by step."""
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    transposed = workspace.recurrent_transposed
    for t in range(section.steps):
        begin, end = words_at(section, t)
        gates = workspace.of_cell.gates[begin:end]
        products = workspace.hidden_inputs[segments_at(section, t)]
        words, places = workspace.inputs[begin:end], workspace.places[begin:end]
        embed(model.weights.embeddings, model.dropout, words, places, gates)
        before = states_before(workspace.hidden_before, workspace.hidden, section, t)
        if t > 0 or has_state:
            multiply_nn(one, before, transposed, zero, products)
        else:
            products[:] = 0
        _open(
            gates,
            products,
            before,
            workspace.of_cell.proposals[begin:end],
            workspace.hidden[begin:end],
        )


@kernel(fastmath=True, error_model="numpy")
def _open(gates, products, before, proposals, hidden):
    """Turn the embeddings (b, 3M) into r, z and n by the `products` h_{t-1} Uᵀ (b, 3M).

    Keeps q in `proposals` and computes h_t.
    """
    size, one = hidden.shape[1], hidden.dtype.type(1)
    for b in range(gates.shape[0]):
        r, z, n = gates[b][:size], gates[b][size : 2 * size], gates[b][2 * size :]
        by_r, by_z = products[b][:size], products[b][size : 2 * size]
        by_n, q, old, h = products[b][2 * size :], proposals[b], before[b], hidden[b]
        for j in range(size):
            r[j] = logistic(r[j] + by_r[j])
            z[j] = logistic(z[j] + by_z[j])
            q[j] = by_n[j]
            n[j] = tangent(n[j] + r[j] * q[j])
            h[j] = (one - z[j]) * n[j] + z[j] * old[j]


@kernel()
def propagate(cell, model, section, workspace):
    """From the last word back, compute the deltas of the gates' inputs and of the products.

    The product q is multiplied by r, so its deltas are those of n's input times r.
    """
    one = workspace.hidden.dtype.type(1)
    for t in range(section.steps - 1, -1, -1):
        begin, end = words_at(section, t)
        gradient, deltas = workspace.hidden_gradient[begin:end], workspace.hidden_deltas[begin:end]
        by_products = workspace.recurrent_deltas[begin:end]
        _pass_back(
            workspace.of_cell.gates[begin:end],
            workspace.of_cell.proposals[begin:end],
            states_before(workspace.hidden_before, workspace.hidden, section, t),
            gradient,
            model.error_clip,
            deltas,
            by_products,
        )
        if t > 0:
            first, _ = words_at(section, t - 1)
            earlier = workspace.hidden_gradient[first : first + end - begin]
            _add_kept(workspace.of_cell.gates[begin:end], gradient, earlier)
            multiply_nn(one, by_products, model.weights.recurrent, one, earlier)
    copy_hidden_before(section, workspace)


@kernel(fastmath=True, error_model="numpy")
def _pass_back(gates, proposals, before, gradient, clip, deltas, by_products):
    """Compute the deltas of the gates' inputs and of the products, both (b, 3M)."""
    size, one = before.shape[1], gradient.dtype.type(1)
    for b in range(gates.shape[0]):
        r, z, n = gates[b][:size], gates[b][size : 2 * size], gates[b][2 * size :]
        by_r, by_z, by_n = deltas[b][:size], deltas[b][size : 2 * size], deltas[b][2 * size :]
        r_product, z_product = by_products[b][:size], by_products[b][size : 2 * size]
        n_product, q, old, by_h = by_products[b][2 * size :], proposals[b], before[b], gradient[b]
        for j in range(size):
            by_n[j] = min(max(by_h[j] * (one - z[j]) * (one - n[j] * n[j]), -clip), clip)
            by_z[j] = min(max(by_h[j] * (old[j] - n[j]) * z[j] * (one - z[j]), -clip), clip)
            by_r[j] = min(max(by_n[j] * q[j] * r[j] * (one - r[j]), -clip), clip)
            r_product[j], z_product[j], n_product[j] = by_r[j], by_z[j], by_n[j] * r[j]


@kernel(fastmath=True, error_model="numpy")
def _add_kept(gates, gradient, earlier):
    """Add to ∂L/∂h_{t-1} the part through h_t = … + z h_{t-1}."""
    size = gradient.shape[1]
    for b in range(gates.shape[0]):
        z, by_h, into = gates[b][size : 2 * size], gradient[b], earlier[b]
        for j in range(size):
            into[j] += by_h[j] * z[j]
