"""The paper's hidden layer beside slow context units (Mikolov et al. 2015, arXiv 1412.7753).

    s_t = (1 - a) B[w_t] + a s_{t-1}                        C elements, s_0 = 0
    h_t = σ(E[w_t] + h_{t-1} W_hᵀ + s_t Pᵀ + d_t V_hᵀ)       M elements

The output layer reads h_t and s_t side by side, so they are one state: [h | s]. Likewise [E | B]
and [W_h | P] are one matrix each. The decay a is `Model.context_decay`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from online_rnnlm.model.cells import Words
    from online_rnnlm.model.graph import Model
    from online_rnnlm.model.parameters import Parameters
    from online_rnnlm.model.sizes import Sizes

GROUPS = {"embeddings": ("embeddings",), "recurrent": ("recurrent", "hidden_document")}


def shapes(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shapes of [E | B] (V, M + C), [W_h | P] (M, M + C) and V_hᵀ (D, M)."""
    v, m, d = sizes.vocabulary, sizes.hidden, sizes.hidden_document
    both = m + sizes.context
    return {"embeddings": (v, both), "recurrent": (m, both), "hidden_document": (d, m)}


def states(weights: Parameters) -> tuple[Any, ...]:
    """The length of [h | s]."""
    return (weights.recurrent.shape[1],)


def step(
    weights: Parameters,
    words: Words,
    states: tuple[Any, ...],
    from_document: Any,
    model: Model,
) -> tuple[Any, ...]:
    """Compute [h | s] (B, M + C) after a word."""
    import pytensor.tensor as pt

    (before,) = states
    size = weights.recurrent.shape[0]
    decay = model.context_decay
    kept, added = (np.asarray(share, before.dtype) for share in (decay, 1 - decay))
    slow = added * words.embedded[:, size:] + kept * before[:, size:]
    read = pt.concatenate([before[:, :size], slow], axis=1)
    total = words.embedded[:, :size] + read @ weights.recurrent.T
    total += from_document
    return (pt.concatenate([pt.sigmoid(model.bounded(total)), slow], axis=1),)


def multiply_adds(sizes: Sizes) -> int:
    """Multiply-adds of one step: M (M + C + D)."""
    return sizes.hidden * (sizes.output + sizes.hidden_document)
