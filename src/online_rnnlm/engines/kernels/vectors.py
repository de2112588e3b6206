"""Row-wise operations: copying, gathering and adding rows, products with one vector, descent."""

from __future__ import annotations

from online_rnnlm.engines.kernels.compiled import kernel

# An assignment between arrays would bring numba's messages for arrays of different shapes, which
# take seconds to compile.


@kernel()
def copy(source, target):
    """Set target (n,) = source, which may have more elements."""
    for j in range(target.size):
        target[j] = source[j]


@kernel()
def copy_rows(source, target):
    """Set target = source, a matrix of as many rows, which may have more columns."""
    for r in range(target.shape[0]):
        copy(source[r], target[r])


@kernel()
def transpose(source, target):
    """Set target = sourceᵀ."""
    for i in range(target.shape[0]):
        row = target[i]
        for j in range(row.size):
            row[j] = source[j, i]


@kernel()
def gather(source, rows, target):
    """Set target[r] = source[rows[r]]."""
    for r in range(rows.size):
        copy(source[rows[r]], target[r])


@kernel()
def add_rows(source, rows, target):
    """Set target[rows[r]] += source[r]."""
    for r in range(rows.size):
        add(source[r], target[rows[r]])


@kernel(fastmath=True, error_model="numpy")
def add(source, target):
    """Set target += source; both (n,)."""
    for j in range(target.size):
        target[j] += source[j]


@kernel(fastmath=True, error_model="numpy")
def descend(vector, rate, gradient):
    """Take one step of gradient descent: vector -= rate gradient; both (n,)."""
    for k in range(vector.size):
        vector[k] -= rate * gradient[k]


# Four rows are taken at a time, so that each sum is read and written once for four products. Slices
# are cut from single rows, as numba knows these to be contiguous and so uses vector instructions.


@kernel(fastmath=True, error_model="numpy")
def feed(document, matrix, low, inputs):
    """Add the part of d (D,) to a layer's inputs (n,): inputs += V[low : low + n] d.

    `matrix` is Vᵀ, (D, ≥ low + n); if it has no rows, nothing is added.
    """
    rows, high = matrix.shape[0], low + inputs.size
    whole = rows - rows % 4
    for i in range(0, whole, 4):
        row0, row1 = matrix[i][low:high], matrix[i + 1][low:high]
        row2, row3 = matrix[i + 2][low:high], matrix[i + 3][low:high]
        d0, d1, d2, d3 = document[i], document[i + 1], document[i + 2], document[i + 3]
        for j in range(inputs.size):
            inputs[j] += d0 * row0[j] + d1 * row1[j] + d2 * row2[j] + d3 * row3[j]
    for i in range(whole, rows):
        row0 = matrix[i][low:high]
        for j in range(inputs.size):
            inputs[j] += document[i] * row0[j]


@kernel(fastmath=True, error_model="numpy")
def add_document_gradient(matrix, low, deltas, document_gradient):
    """Add a layer's part, by its deltas δ (n,), to ∂L/∂d (D,).

    document_gradient += V[low : low + n]ᵀ δ.

    `matrix` is Vᵀ, (D, ≥ low + n); if it has no rows, nothing is added.
    """
    rows, high = matrix.shape[0], low + deltas.size
    whole = rows - rows % 4
    zero = document_gradient.dtype.type(0)
    for i in range(0, whole, 4):
        row0, row1 = matrix[i][low:high], matrix[i + 1][low:high]
        row2, row3 = matrix[i + 2][low:high], matrix[i + 3][low:high]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for j in range(deltas.size):
            delta = deltas[j]
            s0 += delta * row0[j]
            s1 += delta * row1[j]
            s2 += delta * row2[j]
            s3 += delta * row3[j]
        document_gradient[i] += s0
        document_gradient[i + 1] += s1
        document_gradient[i + 2] += s2
        document_gradient[i + 3] += s3
    for i in range(whole, rows):
        row0 = matrix[i][low:high]
        s0 = zero
        for j in range(deltas.size):
            s0 += deltas[j] * row0[j]
        document_gradient[i] += s0
