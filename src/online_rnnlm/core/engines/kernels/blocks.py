"""Functions for numba code that compute several rows of a matrix at once, 16 columns at a time.

A processor holds such a block in its registers. Columns that do not exist are neither read nor
written; numba's loops take a row's last columns singly, which is slow if the row is short.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_COLUMNS = 16


def product(rows: int, blocks: int = 1) -> Any:
    """Make a function that adds rows of a b to those of c, several blocks of them at a time.

    Each element's sum is from k = 0 on, by fused multiplications and additions.
    """

    @intrinsic
    def add_product(typing_context, a, b, c, row):
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            left, right, sums = _matrices(context, builder, (a, b, c), arguments)
            all_rows = _following(builder, arguments[3], rows)

            def add(first: Any) -> None:
                columns = _following(builder, first, blocks, _COLUMNS)
                places = [*itertools.product(all_rows, columns)]
                totals = [sums.variable(sums.load(*place)) for place in places]
                with cgutils.for_range(builder, right.rows) as loop:
                    factors = [right.load(loop.index, column) for column in columns]
                    elements = [left.spread(one, loop.index) for one in all_rows]
                    for total, pair in zip(
                        totals, itertools.product(elements, factors), strict=True
                    ):
                        sums.add_product(*pair, total)
                for place, total in zip(places, totals, strict=True):
                    sums.store(builder.load(total), *place)

            sums.by_columns(add, blocks, left, right)

        return types.void(a, b, c, types.intp), generate

    return add_product


def descent(rows: int) -> Any:
    """Make a function that adds a w to c for some rows of w, and then updates these by `_step`.

    The gradient of w is aᵀ b; c may be None.
    """

    @intrinsic
    def descend(typing_context, weights, kept, a, b, c, optimizer, row):
        kinds = [kind for kind in (weights, kept, a, b, c) if not isinstance(kind, types.NoneType)]

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            matrices = _matrices(context, builder, kinds, arguments)
            own, sums, left, right, *products = matrices
            *_, optimizer, row = arguments
            places = _following(builder, row, rows)

            def update(column: Any) -> None:
                old = [own.load(place, column) for place in places]
                totals = [own.variable() for _ in places]
                for place in places:
                    own.prefetch(builder.add(place, row.type(rows)), column)
                    sums.prefetch(builder.add(place, row.type(rows)), column)
                with cgutils.for_range(builder, right.rows) as loop:
                    factors = right.load(loop.index, column)
                    elements = [left.spread(loop.index, place) for place in places]
                    for element, total in zip(elements, totals, strict=True):
                        own.add_product(element, factors, total)
                    for matrix in products:
                        found = matrix.load(loop.index, column)
                        for element, values in zip(elements, old, strict=True):
                            found = own.fma(element, values, found)
                        matrix.store(found, loop.index, column)
                for place, total in zip(places, totals, strict=True):
                    _step(own, sums, builder.load(total), optimizer, (place, column))

            own.by_columns(update, 1, *matrices)

        return types.void(weights, kept, a, b, c, optimizer, types.intp), generate

    return descend


@intrinsic
def step(typing_context, weights, kept, gradient, optimizer):
    """Update a vector of weights by `_step`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        own, sums, by = _matrices(context, builder, signature.args[:3], arguments)

        def update(column: Any) -> None:
            _step(own, sums, by.load(None, column), arguments[3], (None, column))

        own.by_columns(update, 1, sums, by)

    return types.void(weights, kept, gradient, optimizer), generate


def dots(rows: int) -> Any:
    """Make a function that adds the products of some rows of a matrix with v (n,) to sums."""

    @intrinsic
    def add_dots(typing_context, matrix, v, sums, row):
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
            left, right, found = _matrices(context, builder, (matrix, v, sums), arguments)
            places = _following(builder, arguments[3], rows)
            totals = [right.variable() for _ in places]

            def add(column: Any) -> None:
                factors = right.load(None, column)
                for place, total in zip(places, totals, strict=True):
                    right.add_product(left.load(place, column), factors, total)

            right.by_columns(add, 1, left)
            for place, total in zip(places, totals, strict=True):
                found.add_sum(builder.load(total), place)

        return types.void(matrix, v, sums, types.intp), generate

    return add_dots


def _step(weights: _Matrix, kept: _Matrix, gradient: Any, optimizer: Any, place: Any) -> None:
    """Emit one step of AdaGrad or of plain descent, of 16 elements.

    AdaGrad (Duchi et al., 2011): G += g², w -= rate g / √G; else w -= rate g, where g = ∂L/∂w.
    `kept` are the accumulators, G.
    """
    builder = weights.builder
    adagrad, rate = (builder.extract_value(optimizer, number) for number in range(2))
    rate = _spread(builder, rate, weights.vector)
    old, before = weights.load(*place), kept.load(*place)
    total = weights.fma(gradient, gradient, before)
    root = weights.call("sqrt", total, fastmath=("fast",))
    scaled = builder.fdiv(gradient, root, flags=("fast",))
    kept.store(builder.select(adagrad, total, before), *place)
    change = builder.fmul(rate, builder.select(adagrad, scaled, gradient))
    weights.store(builder.fsub(old, change), *place)


def _matrices(context: Any, builder: Any, kinds: Any, arguments: Any) -> list[_Matrix]:
    """The first arguments of a function: arrays of these types of numba's."""
    return [
        _Matrix(builder, context.make_array(kind)(context, builder, argument), kind.ndim)
        for kind, argument in zip(kinds, arguments, strict=False)
    ]


def _following(builder: Any, first: Any, number: int, apart: int = 1) -> list[Any]:
    """Return a number of places, the first one and those after it, each `apart` from the last."""
    return [builder.add(first, first.type(one * apart)) for one in range(number)]


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector of which every element is that value."""
    place = ir.IntType(32)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, place(0))
    shape = ir.Constant(ir.VectorType(place, _COLUMNS), None)
    return builder.shuffle_vector(single, single, shape)


class _Matrix:
    """A matrix, or a vector, whose elements are read and written by 16, or by those that exist."""

    def __init__(self, builder: Any, array: Any, dimensions: int) -> None:
        self.builder, self._array = builder, array
        self._is_vector, self._whole = dimensions == 1, True
        self._real = array.data.type.pointee
        self._size = 4 if isinstance(self._real, ir.FloatType) else 8
        self.vector = ir.VectorType(self._real, _COLUMNS)
        self.rows = builder.extract_value(array.shape, 0)
        self._columns = builder.extract_value(array.shape, dimensions - 1)

    def by_columns(self, emit: Callable[[Any], None], blocks: int, *others: _Matrix) -> None:
        """Emit code for all columns of this matrix and of others, some blocks of them at a time.

        `emit` emits what is to be done with the columns from one on.
        """
        builder, size = self.builder, self._columns.type(blocks * _COLUMNS)
        number = builder.sdiv(self._columns, size)
        with cgutils.for_range(builder, number) as loop:
            emit(builder.mul(loop.index, size))
        rest = builder.mul(number, size)
        for matrix in (self, *others):
            matrix._whole = False
        with builder.if_then(builder.icmp_signed("<", rest, self._columns)):
            emit(rest)

    def load(self, row: Any, column: Any) -> Any:
        """Read the elements from a column on; those that do not exist are 0."""
        place = self.builder.bitcast(self._place(row, column), self.vector.as_pointer())
        if self._whole:
            return self.builder.load(place, align=self._size)
        align, nothing = ir.IntType(32)(self._size), ir.Constant(self.vector, None)
        return self.call("masked.load", place, align, self._exist(column), nothing)

    def store(self, values: Any, row: Any, column: Any) -> None:
        """Write the elements from a column on."""
        place = self.builder.bitcast(self._place(row, column), self.vector.as_pointer())
        if self._whole:
            self.builder.store(values, place, align=self._size)
        else:
            align = ir.IntType(32)(self._size)
            self.call("masked.store", values, place, align, self._exist(column))

    def spread(self, row: Any, column: Any) -> Any:
        """Return a vector of which every element is that one."""
        return _spread(self.builder, self.builder.load(self._place(row, column)), self.vector)

    def prefetch(self, row: Any, column: Any) -> None:
        """Let the processor fetch what is at a place, which need not exist."""
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = self.builder.bitcast(self._place(row, column), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        self.builder.call(function, [place, number(1), number(3), number(1)])

    def variable(self, start: Any = None) -> Any:
        """Return memory for 16 elements, which are 0 unless a start is given."""
        memory = cgutils.alloca_once(self.builder, self.vector)
        self.builder.store(ir.Constant(self.vector, None) if start is None else start, memory)
        return memory

    def add_product(self, x: Any, y: Any, total: Any) -> None:
        """Add x y to a variable."""
        self.builder.store(self.fma(x, y, self.builder.load(total)), total)

    def add_sum(self, values: Any, place: Any) -> None:
        """Add the sum of all values, which are added in pairs, to an element of the vector."""
        kind = ir.FunctionType(self._real, [self._real, self.vector])
        name = f"llvm.vector.reduce.fadd.v{_COLUMNS}f{8 * self._size}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        zero = ir.Constant(self._real, -0.0)
        total = self.builder.call(function, [zero, values], fastmath=("reassoc",))
        element = self._place(None, place)
        self.builder.store(self.builder.fadd(self.builder.load(element), total), element)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """Compute x y + z."""
        return self.call("fma", x, y, z)

    def call(self, name: str, *arguments: Any, fastmath: tuple[str, ...] = ()) -> Any:
        """Call a function of LLVM's for vectors of the matrix's elements."""
        pointers = ".p0" if name.startswith("masked") else ""
        result = ir.VoidType() if name.endswith("store") else self.vector
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.{name}.v{_COLUMNS}f{8 * self._size}{pointers}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments, fastmath=fastmath)

    def _place(self, row: Any, column: Any) -> Any:
        builder, offset = self.builder, column
        if not self._is_vector:
            stride = builder.extract_value(self._array.strides, 0)
            elements = builder.sdiv(stride, stride.type(self._size))
            offset = builder.add(builder.mul(row, elements), column)
        return builder.gep(self._array.data, [offset])

    def _exist(self, column: Any) -> Any:
        """The lanes whose columns exist."""
        numbers = ir.Constant(ir.VectorType(column.type, _COLUMNS), [*range(_COLUMNS)])
        exist = self.builder.sub(self._columns, column)
        return self.builder.icmp_signed("<", numbers, _spread(self.builder, exist, numbers.type))
