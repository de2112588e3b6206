"""Matrix products on row-major arrays inside numba code, by the BLAS that SciPy brings.

numba's own `np.dot` cannot add to its result, nor read or write a slice of a wider array
without copying. Both are what the kernels live on, so they call the same routine directly.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic
from numba.np.linalg import ensure_blas, get_blas_kind

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


_N = ord("n")
_T = ord("t")


# BLAS counts by columns: a row-major matrix is its transpose there, so the operands change places.


@njit(cache=True)
def multiply_nn(alpha, a, b, beta, c):
    """c ← alpha a b + beta c; rows may be longer than the matrices are wide."""
    if c.size > 0:
        size = c.itemsize
        _xgemm(
            _N, _N, c.shape[1], c.shape[0], a.shape[1], alpha,
            b, b.strides[0] // size, a, a.strides[0] // size, beta, c, c.strides[0] // size,
        )  # fmt: skip


@njit(cache=True)
def multiply_nt(alpha, a, b, beta, c):
    """c ← alpha a bᵀ + beta c; rows may be longer than the matrices are wide."""
    if c.size > 0:
        size = c.itemsize
        _xgemm(
            _T, _N, c.shape[1], c.shape[0], a.shape[1], alpha,
            b, b.strides[0] // size, a, a.strides[0] // size, beta, c, c.strides[0] // size,
        )  # fmt: skip


@njit(cache=True)
def multiply_tn(alpha, a, b, beta, c):
    """c ← alpha aᵀ b + beta c; rows may be longer than the matrices are wide."""
    if c.size > 0:
        size = c.itemsize
        _xgemm(
            _N, _T, c.shape[1], c.shape[0], a.shape[0], alpha,
            b, b.strides[0] // size, a, a.strides[0] // size, beta, c, c.strides[0] // size,
        )  # fmt: skip
