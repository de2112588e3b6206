"""The paper's hidden layer: h_t = σ(E[w_t] + h_{t-1} W_hᵀ)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from online_rnnlm.core.cells import Words
    from online_rnnlm.core.graph import Model
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.sizes import Sizes


def shapes(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shapes of E (V, M) and W_h (M, M)."""
    v, m = sizes.vocabulary, sizes.hidden
    return {"embeddings": (v, m), "recurrent": (m, m)}


def memory_size(_: Parameters) -> int:
    """No memory beside h."""
    return 0


def step(
    weights: Parameters,
    words: Words,
    hidden: Any,
    memory: Any,
    model: Model,
) -> tuple[Any, Any]:
    """Compute h (B, M) after a word; the memory stays empty."""
    import pytensor.tensor as pt

    total = words.embedded + hidden @ weights.recurrent.T
    return pt.sigmoid(model.bounded(total)), memory
