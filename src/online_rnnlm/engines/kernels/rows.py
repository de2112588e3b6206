"""Matrix products whose rows are computed each by itself, so that no text changes another's bits.

BLAS chooses how to add up a product by its number of rows, so that the last digits of a word's
probability depend on the words that are scored beside it. Here every element of a product is the
same sum for any number of rows, from k = 0 on, by fused multiplications and additions:

    c[i, j] ← c[i, j] + a[i, k] b[k, j]

Scoring uses them. Training, in which large products are up to twice as fast by BLAS, does not.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from online_rnnlm.engines.kernels.blas import multiply_nn, multiply_nt
from online_rnnlm.engines.kernels.compiled import kernel

_ROWS, _COLUMNS = 8, 16
"""The rows and columns of a block of c, which a processor holds in its registers."""


def _block(rows: int, *, whole: bool) -> Any:
    """Make a function that adds a b to a block of c, of fewer columns if it is not `whole`."""

    @intrinsic
    def add_block(typing_context, a, b, c, row, column):
        signature = types.void(a, b, c, types.intp, types.intp)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            *_, row, column = arguments
            kinds = signature.args[:3]
            left, right, sums = (
                _Matrix(builder, context.make_array(kind)(context, builder, argument), whole=whole)
                for kind, argument in zip(kinds, arguments, strict=False)
            )
            places = [builder.add(row, row.type(number)) for number in range(rows)]
            kept = [
                cgutils.alloca_once_value(builder, sums.load(place, column)) for place in places
            ]
            with cgutils.for_range(builder, builder.extract_value(right.array.shape, 0)) as loop:
                factors = right.load(loop.index, column)
                for place, total in zip(places, kept, strict=True):
                    factor = _spread(builder, left.element(place, loop.index), factors.type)
                    builder.store(right.call("fma", factor, factors, builder.load(total)), total)
            for place, total in zip(places, kept, strict=True):
                sums.store(builder.load(total), place, column)

        return signature, generate

    return add_block


class _Matrix:
    """A matrix whose elements are read and written by 16, or by those of its columns that exist."""

    def __init__(self, builder: Any, array: Any, *, whole: bool) -> None:
        self._builder, self.array, self._whole = builder, array, whole
        self._real = array.data.type.pointee
        self._vector = ir.VectorType(self._real, _COLUMNS)
        self._size = 4 if isinstance(self._real, ir.FloatType) else 8

    def _place(self, row: Any, column: Any) -> Any:
        builder, stride = self._builder, self._builder.extract_value(self.array.strides, 0)
        offset = builder.add(
            builder.mul(row, builder.sdiv(stride, stride.type(self._size))), column
        )
        return builder.gep(self.array.data, [offset])

    def element(self, row: Any, column: Any) -> Any:
        """Read an element."""
        return self._builder.load(self._place(row, column))

    def load(self, row: Any, column: Any) -> Any:
        """Read the elements from a column on."""
        place = self._builder.bitcast(self._place(row, column), self._vector.as_pointer())
        if self._whole:
            return self._builder.load(place, align=self._size)
        nothing = ir.Constant(self._vector, None)
        return self.call("masked.load", place, self._align, self._mask(column), nothing)

    def store(self, values: Any, row: Any, column: Any) -> None:
        """Write the elements from a column on."""
        place = self._builder.bitcast(self._place(row, column), self._vector.as_pointer())
        if self._whole:
            self._builder.store(values, place, align=self._size)
        else:
            self.call("masked.store", values, place, self._align, self._mask(column))

    @property
    def _align(self) -> Any:
        return ir.IntType(32)(self._size)

    def _mask(self, column: Any) -> Any:
        """The lanes whose columns exist."""
        numbers = ir.Constant(ir.VectorType(column.type, _COLUMNS), [*range(_COLUMNS)])
        exist = self._builder.sub(self._builder.extract_value(self.array.shape, 1), column)
        return self._builder.icmp_signed("<", numbers, _spread(self._builder, exist, numbers.type))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of LLVM's for vectors of the matrix's elements."""
        pointers = ".p0" if name.startswith("masked") else ""
        result = ir.VoidType() if name.endswith("store") else self._vector
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.{name}.v{_COLUMNS}f{8 * self._size}{pointers}"
        function = cgutils.get_or_insert_function(self._builder.module, kind, name)
        return self._builder.call(function, arguments)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector of which every element is that value."""
    place = ir.IntType(32)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, place(0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(place, _COLUMNS), None))


_add_block, _add_narrow_block = _block(_ROWS, whole=True), _block(_ROWS, whole=False)
_add_row, _add_narrow_row = _block(1, whole=True), _block(1, whole=False)


@kernel()
def multiply_rows(a, b, c):
    """Add a b to c (R, n); the matrices may be slices of wider arrays."""
    rows, columns = c.shape[0], c.shape[1]
    in_blocks, whole = rows - rows % _ROWS, columns - columns % _COLUMNS
    for j in range(0, whole, _COLUMNS):
        for i in range(0, in_blocks, _ROWS):
            _add_block(a, b, c, i, j)
        for i in range(in_blocks, rows):
            _add_row(a, b, c, i, j)
    if whole < columns:
        for i in range(0, in_blocks, _ROWS):
            _add_narrow_block(a, b, c, i, whole)
        for i in range(in_blocks, rows):
            _add_narrow_row(a, b, c, i, whole)


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
