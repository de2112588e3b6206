"""A cell that is not in the package: a gated unit and a slow context, with two states.

    s_t = 0.9 s_{t-1} + 0.1 B[w_t]                                      C = 2 elements
    z_t, n_t = halves of E[w_t] + h_{t-1} W_hᵀ                           2 M elements
    h_t = σ(z_t) h_{t-1} + (1 - σ(z_t)) tanh(n_t + s_t P + b)           M elements

Its tests copy this file into the package, as `core/cells/leaky.py`.
"""

import numpy as np

GROUPS = {
    "embeddings": ("embeddings", "slow_embeddings"),
    "recurrent": ("recurrent", "from_slow", "bias"),
}
SLOW = 2
KEPT = 0.9


def shapes(sizes):
    v, m = sizes.vocabulary, sizes.hidden
    return {
        "embeddings": (v, 2 * m),
        "recurrent": (2 * m, m),
        "slow_embeddings": (v, SLOW),
        "from_slow": (SLOW, m),
        "bias": (1, m),
    }


def states(weights):
    return weights.from_slow.shape[1], weights.from_slow.shape[0]


def step(weights, words, states, model):
    import pytensor.tensor as pt  # noqa: PLC0415

    hidden, slow = states
    size = weights.from_slow.shape[1]
    kept, added = (np.asarray(share, slow.dtype) for share in (KEPT, 1 - KEPT))
    slow = kept * slow + added * weights.slow_embeddings[words.ids]
    inputs = words.embedded + hidden @ weights.recurrent.T
    into_new = inputs[:, size:] + slow @ weights.from_slow + weights.bias[0]
    keep, new = pt.sigmoid(model.bounded(inputs[:, :size])), pt.tanh(model.bounded(into_new))
    return keep * hidden + (1 - keep) * new, slow


def multiply_adds(sizes):
    return 2 * sizes.hidden**2 + SLOW * sizes.hidden
