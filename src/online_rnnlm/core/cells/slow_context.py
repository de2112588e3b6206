"""The paper's hidden layer beside slow context units (Mikolov et al. 2015, arXiv 1412.7753).

    s_t = γ s_{t-1} + (1 - γ) B[w_t]                     C elements, s_0 = 0
    h_t = σ(E[w_t] + h_{t-1} W_hᵀ + s_t Pᵀ)               M elements

The output layer reads h_t and s_t side by side, so they are one, [h | s]. Likewise [E | B]
and [W_h | P] are one matrix each. γ is `NetworkSettings.context_decay`. The units remember and do
not learn: in testing they are what the document vector is compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from online_rnnlm.core.cells import Words
    from online_rnnlm.core.graph import Model
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.sizes import Sizes


def shapes(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shapes of [E | B] (V, M + C) and [W_h | P] (M, M + C)."""
    v, m = sizes.vocabulary, sizes.hidden
    return {"embeddings": (v, sizes.output), "recurrent": (m, sizes.output)}


def memory_size(_: Parameters) -> int:
    """No memory beside [h | s]."""
    return 0


def step(
    weights: Parameters,
    words: Words,
    hidden: Any,
    memory: Any,
    model: Model,
) -> tuple[Any, Any]:
    """Compute [h | s] (B, M + C) after a word; the memory stays empty."""
    import numpy as np
    import pytensor.tensor as pt

    size = weights.recurrent.shape[0]
    decay = np.asarray(model.network.context_decay, hidden.dtype)
    slow = decay * hidden[:, size:] + (1 - decay) * words.embedded[:, size:]
    read = pt.concatenate([hidden[:, :size], slow], axis=1)
    total = words.embedded[:, :size] + read @ weights.recurrent.T
    return pt.concatenate([pt.sigmoid(model.bounded(total)), slow], axis=1), memory
