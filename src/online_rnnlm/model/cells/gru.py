"""Gated recurrent units (Cho et al. 2014), with the reset gate after the product.

    x_t = E[w_t] + d_t V_hᵀ,   u_t = h_{t-1} W_hᵀ    3 M elements each: reset, update, new
    r_t = σ(x_r + u_r),   z_t = σ(x_z + u_z)
    n_t = tanh(x_n + r_t ⊙ u_n)
    h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

A word's row of E serves as the bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from online_rnnlm.model.cells import Words
    from online_rnnlm.model.graph import Model
    from online_rnnlm.model.parameters import Parameters
    from online_rnnlm.model.sizes import Sizes

GROUPS = {"embeddings": ("embeddings",), "recurrent": ("recurrent", "hidden_document")}


def shapes(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shapes of E (V, 3 M), W_h (3 M, M) and V_hᵀ (D, 3 M)."""
    v, m, d = sizes.vocabulary, sizes.hidden, sizes.hidden_document
    return {"embeddings": (v, 3 * m), "recurrent": (3 * m, m), "hidden_document": (d, 3 * m)}


def states(weights: Parameters) -> tuple[Any, ...]:
    """The length of h."""
    return (weights.recurrent.shape[1],)


def step(
    weights: Parameters,
    words: Words,
    states: tuple[Any, ...],
    from_document: Any,
    model: Model,
) -> tuple[Any, ...]:
    """Compute h (B, M) after a word."""
    import pytensor.tensor as pt

    (hidden,) = states
    size = weights.recurrent.shape[1]
    inputs = words.embedded + from_document
    from_hidden = hidden @ weights.recurrent.T
    gates = inputs[:, : 2 * size] + from_hidden[:, : 2 * size]
    gates = pt.sigmoid(model.bounded(gates))
    reset, kept = gates[:, :size], gates[:, size:]
    new = inputs[:, 2 * size :] + reset * from_hidden[:, 2 * size :]
    new = pt.tanh(model.bounded(new))
    return ((1 - kept) * new + kept * hidden,)


def multiply_adds(sizes: Sizes) -> int:
    """Multiply-adds of one step: 3 M (M + D)."""
    return 3 * sizes.hidden * (sizes.hidden + sizes.hidden_document)
