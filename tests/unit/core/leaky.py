"""A cell that is not in the package: a gated unit and a slow context, with a memory.

    s_t = 0.9 s_{t-1} + 0.1 B[w_t]                                      C = 2 elements
    z_t, n_t = halves of E[w_t] + h_{t-1} W_hᵀ                           2 M elements
    h_t = σ(z_t) h_{t-1} + (1 - σ(z_t)) tanh(n_t + s_t P)               M elements

E and B are columns of `embeddings`, W_h and P rows of `recurrent`. The fixture `leaky_in_package`
adds it to the package, as `core/cells/leaky.py`.
"""

import numpy as np

SLOW = 2
KEPT = 0.9


def shapes(sizes):
    v = sizes.vocabulary
    m = sizes.hidden
    return {"embeddings": (v, 2 * m + SLOW), "recurrent": (2 * m + SLOW, m)}


def memory_size(_):
    return SLOW


def step(weights, words, hidden, slow, model):
    import pytensor.tensor as pt  # noqa: PLC0415

    size = weights.recurrent.shape[1]
    kept, added = (np.asarray(share, slow.dtype) for share in (KEPT, 1 - KEPT))
    slow = kept * slow + added * words.embedded[:, 2 * size :]
    inputs = words.embedded[:, : 2 * size] + hidden @ weights.recurrent[: 2 * size].T
    into_new = inputs[:, size:] + slow @ weights.recurrent[2 * size :]
    keep = pt.sigmoid(model.bounded(inputs[:, :size]))
    new = pt.tanh(model.bounded(into_new))
    return keep * hidden + (1 - keep) * new, slow
