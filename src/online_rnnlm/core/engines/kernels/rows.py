"""Matrix products whose rows are computed each by itself, so that no text changes another's bits.

BLAS chooses how to add up a product by its number of rows, so that the last digits of a word's
probability depend on the words that are scored beside it. Here every element of a product is the
same sum for any number of rows, from k = 0 on, by fused multiplications and additions:

    c[i, j] ← c[i, j] + a[i, k] b[k, j]

Scoring with fixed weights uses them. Where weights learn, large products are BLAS's, which is up to
twice as fast; these serve the document vector, and `step_by_product`, which stores no gradient.
"""

from __future__ import annotations

from online_rnnlm.core.engines.kernels.blas import multiply_nn, multiply_nt
from online_rnnlm.core.engines.kernels.blocks import descent, dots, product
from online_rnnlm.core.engines.kernels.compiled import kernel

_MANY, _FEW = 8, 4
"""The numbers of rows that are computed at once, before those that are left singly."""
_add_many, _add_one = product(_MANY, blocks=2), product(1, blocks=4)
_descend_many, _descend_few, _descend_one = descent(_MANY), descent(_FEW), descent(1)
_add_dots, _add_dot = dots(_FEW), dots(1)


@kernel()
def multiply_rows(a, b, c):
    """Add a b to c (R, n); the matrices may be slices of wider arrays."""
    many = c.shape[0] - c.shape[0] % _MANY
    for i in range(0, many, _MANY):
        _add_many(a, b, c, i)
    for i in range(many, c.shape[0]):
        _add_one(a, b, c, i)


@kernel()
def add_product(by_rows, a, b, c):
    """Add a b to c (R, n), with `by_rows` each row by itself."""
    if by_rows:
        multiply_rows(a, b, c)
    else:
        multiply_nn(c.dtype.type(1), a, b, c.dtype.type(1), c)


@kernel()
def multiply_by_transpose(a, b, transposed, c):
    """Set c ← a bᵀ for b (n, m); if `transposed` has rows, it is bᵀ, and each row is by itself."""
    if transposed.shape[0] > 0:
        c[:] = 0
        multiply_rows(a, transposed, c)
    else:
        multiply_nt(c.dtype.type(1), a, b, c.dtype.type(0), c)


@kernel()
def feed(document, matrix, low, inputs):
    """Add the part of d (D,) to a layer's inputs (n,): inputs += V[low : low + n] d.

    `matrix` is Vᵀ, (D, ≥ low + n); if it has no rows, nothing is added.
    """
    columns = matrix[:, low : low + inputs.size]
    multiply_rows(document.reshape(1, document.size), columns, inputs.reshape(1, inputs.size))


@kernel()
def add_document_gradient(matrix, low, deltas, document_gradient):
    """Add a layer's part, by its deltas δ (n,), to ∂L/∂d (D,).

    document_gradient += V[low : low + n]ᵀ δ.

    `matrix` is Vᵀ, (D, ≥ low + n); if it has no rows, nothing is added.
    """
    columns, rows = matrix[:, low : low + deltas.size], matrix.shape[0]
    few = rows - rows % _FEW
    for i in range(0, few, _FEW):
        _add_dots(columns, deltas, document_gradient, i)
    for i in range(few, rows):
        _add_dot(columns, deltas, document_gradient, i)


@kernel()
def step_by_product(weights, kept, a, b, c, optimizer):
    """Set c ← a w for weights w (R, n); then update w, whose gradient is aᵀ b, by an `Optimizer`.

    `kept` (R, n) are the accumulators; a (k, R) and b (k, n) may be slices of wider arrays. With
    None for c nothing else is computed than the update.
    """
    if c is not None:
        c[:] = 0
    rows = weights.shape[0]
    many, few = rows - rows % _MANY, rows - rows % _FEW
    for i in range(0, many, _MANY):
        _descend_many(weights, kept, a, b, c, optimizer, i)
    for i in range(many, few, _FEW):
        _descend_few(weights, kept, a, b, c, optimizer, i)
    for i in range(few, rows):
        _descend_one(weights, kept, a, b, c, optimizer, i)
