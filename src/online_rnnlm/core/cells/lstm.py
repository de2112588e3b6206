"""Long short-term memory (Hochreiter and Schmidhuber 1997), with a forget gate.

    x_t = E[w_t] + h_{t-1} W_hᵀ                      4 M elements: x_i, x_f, x_o, x_g
    c_t = σ(x_f + 1) c_{t-1} + σ(x_i) tanh(x_g)      c_0 = 0
    h_t = σ(x_o) tanh(c_t)

The gates do not see c, and a word's row of E serves as their bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from online_rnnlm.core.cells import Words
    from online_rnnlm.core.graph import Model
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.sizes import Sizes

FORGET_BIAS = 1.0
"""Added to the forget gate's input, so that c is kept at first (Jozefowicz et al. 2015)."""


def shapes(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shapes of E (V, 4 M) and W_h (4 M, M)."""
    v, m = sizes.vocabulary, sizes.hidden
    return {"embeddings": (v, 4 * m), "recurrent": (4 * m, m)}


def memory_size(weights: Parameters) -> Any:
    """The length of c."""
    return weights.recurrent.shape[1]


def step(
    weights: Parameters,
    words: Words,
    hidden: Any,
    memory: Any,
    model: Model,
) -> tuple[Any, Any]:
    """Compute h and c, both (B, M), after a word."""
    import numpy as np
    import pytensor.tensor as pt

    size = weights.recurrent.shape[1]
    inputs = model.bounded(words.embedded + hidden @ weights.recurrent.T)
    into, forget, out, new = (inputs[:, k * size : (k + 1) * size] for k in range(4))
    kept = pt.sigmoid(forget + np.asarray(FORGET_BIAS, forget.dtype)) * memory
    memory = kept + pt.sigmoid(into) * pt.tanh(new)
    return pt.sigmoid(out) * pt.tanh(memory), memory
