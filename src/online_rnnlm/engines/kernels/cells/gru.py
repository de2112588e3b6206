"""The GRU in the kernels (`model.cells.gru`).

r = σ(E_r[w_t] + h_{t-1} U_rᵀ),   z = σ(E_z[w_t] + h_{t-1} U_zᵀ),   q = h_{t-1} U_nᵀ
n = tanh(E_n[w_t] + r q),   h_t = (1 - z) n + z h_{t-1}
"""

from __future__ import annotations

from typing import Any, NamedTuple

from online_rnnlm.engines.kernels.blas import multiply_nn
from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.data import reals
from online_rnnlm.engines.kernels.dropout import embed
from online_rnnlm.engines.kernels.elementwise import logistic, tangent, thirds
from online_rnnlm.engines.kernels.layout import (
    copy_hidden_before,
    segments_at,
    states_before,
    words_at,
)
from online_rnnlm.engines.kernels.rows import add_product

HAS_MEMORY = False
HAS_DELTAS_OF_PRODUCTS = True


class Scratch(NamedTuple):
    """The arrays that only this cell needs (`workspace`)."""

    gates: Any = reals("N", "E")
    """(N, 3 M): r, z and n."""
    proposals: Any = reals("N", "M")
    """q."""


@kernel()
def run(own, model, section, has_state, workspace):
    """Compute r, z, n, q and h_t of a section's segments, step by step."""
    transposed = workspace.recurrent_transposed
    for t in range(section.steps):
        begin, end = words_at(section, t)
        gates = own.gates[begin:end]
        products = workspace.hidden_inputs[segments_at(section, t)]
        words, places = workspace.inputs[begin:end], workspace.places[begin:end]
        embed(model.weights.embeddings, model.dropout, words, places, gates)
        before = states_before(workspace.hidden_before, workspace.hidden, section, t)
        products[:] = 0
        if t > 0 or has_state:
            add_product(workspace.by_rows, before, transposed, products)
        _open(gates, products, before, own.proposals[begin:end], workspace.hidden[begin:end])


@kernel(fastmath=True, error_model="numpy")
def _open(gates, products, before, proposals, hidden):
    """Turn the embeddings (b, 3M) into r, z and n by the `products` h_{t-1} Uᵀ (b, 3M).

    Keeps q in `proposals` and computes h_t.
    """
    size, one = hidden.shape[1], hidden.dtype.type(1)
    for b in range(gates.shape[0]):
        (r, z, n), (by_r, by_z, by_n) = thirds(gates[b], size), thirds(products[b], size)
        q, old, h = proposals[b], before[b], hidden[b]
        for j in range(size):
            r[j] = logistic(r[j] + by_r[j])
            z[j] = logistic(z[j] + by_z[j])
            q[j] = by_n[j]
            n[j] = tangent(n[j] + r[j] * q[j])
            h[j] = (one - z[j]) * n[j] + z[j] * old[j]


@kernel()
def propagate(own, model, section, workspace):
    """From the last word back, compute the deltas of the gates' inputs and of the products.

    The product q is multiplied by r, so its deltas are those of n's input times r.
    """
    one = workspace.hidden.dtype.type(1)
    for t in range(section.steps - 1, -1, -1):
        begin, end = words_at(section, t)
        gradient, deltas = workspace.hidden_gradient[begin:end], workspace.hidden_deltas[begin:end]
        gates, proposals = own.gates[begin:end], own.proposals[begin:end]
        by_products, clip = workspace.recurrent_deltas[begin:end], model.error_clip
        before = states_before(workspace.hidden_before, workspace.hidden, section, t)
        _pass_back(gates, proposals, before, gradient, clip, deltas, by_products)
        if t > 0:
            first, _ = words_at(section, t - 1)
            earlier = workspace.hidden_gradient[first : first + end - begin]
            _add_kept(gates, gradient, earlier)
            multiply_nn(one, by_products, model.weights.recurrent, one, earlier)
    copy_hidden_before(section, workspace)


@kernel(fastmath=True, error_model="numpy")
def _pass_back(gates, proposals, before, gradient, clip, deltas, by_products):
    """Compute the deltas of the gates' inputs and of the products, both (b, 3M)."""
    size, one = before.shape[1], gradient.dtype.type(1)
    for b in range(gates.shape[0]):
        (r, z, n), (by_r, by_z, by_n) = thirds(gates[b], size), thirds(deltas[b], size)
        r_product, z_product, n_product = thirds(by_products[b], size)
        q, old, by_h = proposals[b], before[b], gradient[b]
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
