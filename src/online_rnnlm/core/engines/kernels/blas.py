"""Matrix products on row-major arrays inside numba code, by SciPy's BLAS.

numba's own `np.dot` cannot add to its result, and copies slices of wider arrays to read or write
them. The kernels do both all the time, so they call the routine behind it directly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic
from numba.np.linalg import ensure_blas, get_blas_kind

from online_rnnlm.core.engines.kernels.compiled import kernel

_CHAR = ir.IntType(8)
_POINTER = ir.IntType(8).as_pointer()


@intrinsic
def _xgemm(typing_context, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    ensure_blas()
    kind = get_blas_kind(c.dtype)
    size = types.intp
    signature = types.intc(
        types.int8, types.int8, size, size, size, c.dtype, a, size, b, size, c.dtype, c, size
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = context.get_value_type(types.intp)
        parameters = [_CHAR, _CHAR, _CHAR, wide, wide, wide, _POINTER, _POINTER, wide]
        parameters += [_POINTER, wide, _POINTER, _POINTER, wide]
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), parameters), "numba_xxgemm"
        )

        def pointer(value: Any) -> Any:
            return builder.bitcast(value, _POINTER)

        def data(index: int) -> Any:
            array_type = signature.args[index]
            array = context.make_array(array_type)(context, builder, arguments[index])
            return pointer(array.data)

        def slot(index: int) -> Any:
            return pointer(cgutils.alloca_once_value(builder, arguments[index]))

        ta, tb, m, n, k, _, _, lda, _, ldb, _, _, ldc = arguments
        shape = [ir.Constant(_CHAR, ord(kind)), ta, tb, m, n, k]
        operands = [slot(5), data(6), lda, data(8), ldb, slot(10), data(11), ldc]
        result = builder.call(function, [*shape, *operands])
        return impl_ret_untracked(context, builder, signature.return_type, result)

    return signature, generate


_N = np.int8(ord("n"))
_T = np.int8(ord("t"))

# OpenBLAS multiplies small matrices without first copying them into an order of its own, up to a
# number of products that is lower if the right matrix is transposed. This is up to four times as
# fast, so larger products are cut into pieces of that size.
_SMALL = 1_000_000
_SMALL_TRANSPOSED = 100_000
_THIN = 16
_WIDE = 64

# BLAS is column-major: it reads a row-major matrix as its transpose, so the operands are swapped.


@kernel()
def _stride(matrix):
    return matrix.strides[0] // matrix.itemsize


@kernel()
def _piece(whole, products, limit, least):
    """The size of a piece of `whole` that stays within the limit, at `products` for each row."""
    return max(min(whole, max(limit // max(products, 1), least)), 1)


@kernel()
def _pieces(rows, inner, columns):
    """The rows and the inner size of the pieces of a product; one of the two is not divided."""
    if rows * columns * _THIN <= _SMALL:
        return rows, _piece(inner, rows * columns, _SMALL, _THIN)
    return _piece(rows, inner * columns, _SMALL, _THIN), max(inner, 1)


@kernel()
def multiply_nn(alpha, a, b, beta, c):
    """Set c ← alpha a b + beta c; the matrices may be slices of wider arrays."""
    _multiply_in_pieces(_N, alpha, a, b, beta, c)


@kernel()
def multiply_tn(alpha, a, b, beta, c):
    """Set c ← alpha aᵀ b + beta c; the matrices may be slices of wider arrays."""
    _multiply_in_pieces(_T, alpha, a, b, beta, c)


@kernel()
def _multiply_in_pieces(form, alpha, a, b, beta, c):
    """Set c ← alpha a b + beta c; by the form `_T`, aᵀ takes the place of a."""
    rows, inner, columns = c.shape[0], b.shape[0], c.shape[1]
    if c.size == 0:
        return
    sa, sb, sc = _stride(a), _stride(b), _stride(c)
    high, deep = _pieces(rows, inner, columns)
    for i in range(0, rows, high):
        part, keep = c[i : i + high], beta
        for j in range(0, max(inner, 1), deep):
            right = b[j : j + deep]
            left = a[j : j + deep, i : i + high] if form == _T else a[i : i + high, j : j + deep]
            n, k = part.shape[0], right.shape[0]
            _xgemm(_N, form, columns, n, k, alpha, right, sb, left, sa, keep, part, sc)
            keep = c.dtype.type(1)


@kernel()
def multiply_nt(alpha, a, b, beta, c):
    """Set c ← alpha a bᵀ + beta c; the matrices may be slices of wider arrays."""
    rows, inner, columns = c.shape[0], a.shape[1], c.shape[1]
    if c.size == 0:
        return
    sa, sb, sc = _stride(a), _stride(b), _stride(c)
    limit = _SMALL_TRANSPOSED if rows <= _WIDE else rows * inner * columns
    wide = _piece(columns, rows * inner, limit, _THIN)
    for i in range(0, columns, wide):
        right, part = b[i : i + wide], c[:, i : i + wide]
        n = part.shape[1]
        _xgemm(_T, _N, n, rows, inner, alpha, right, sb, a, sa, beta, part, sc)
