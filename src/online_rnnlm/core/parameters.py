"""The model's parameters: names, shapes, initial values."""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from online_rnnlm.core.sizes import Sizes, shapes_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import DTypeLike

    from online_rnnlm.core.cells import Cell


class Parameters(NamedTuple):
    """All parameters, or one value (a sum of squares, a gradient) for each of them.

    The cell decides the shapes of `embeddings` and `recurrent`; those given here are the sigmoid
    cell's. Parameters that only one cell has follow in more fields (`named`). The matrices that d
    is multiplied by are stored transposed, so that the words of a class lie side by side in memory.
    A static network's have no rows.
    """

    embeddings: Any
    """E, (V, M): a row for every previous word."""
    recurrent: Any
    """W_h, (M, M)."""
    class_output: Any
    """W_c, (K, M)."""
    word_output: Any
    """W_o, (V, M): a row for every predicted word."""
    class_document: Any
    """V_cᵀ, (D, K)."""
    word_document: Any
    """V_oᵀ, (D, V)."""


_OUTPUT = ("class_output", "word_output", "class_document", "word_document")


def groups_of(cell: Cell) -> dict[str, tuple[str, ...]]:
    """The names of a model's parameters, by their group."""
    return {**cell.GROUPS, "output": _OUTPUT}


def named(values: Mapping[str, Any]) -> Parameters:
    """Make parameters from values by name; those that only one cell has come last, in order."""
    own = tuple(name for name in values if name not in Parameters._fields)
    return _with_fields(own)(**values)


def like(parameters: Parameters, values: Iterable[Any]) -> Parameters:
    """Make parameters with the same names from other values, in the same order."""
    return type(parameters)._make(values)


def under(prefix: str, values: Mapping[str, Any]) -> Parameters:
    """Make parameters from the values whose names begin with a prefix."""
    names = [name for name in values if name.startswith(prefix)]
    return named({name[len(prefix) :]: values[name] for name in names})


@lru_cache
def _with_fields(own: tuple[str, ...]) -> type[Parameters]:
    """`Parameters` with more fields; without more, the class itself, which the kernels know."""
    if not own:
        return Parameters
    return cast("type[Parameters]", namedtuple("Parameters", Parameters._fields + own))


def shapes(sizes: Sizes) -> Parameters:
    """The shape of every parameter."""
    return named(shapes_by_name(sizes))


def initialise(sizes: Sizes, scale: float, seed: int, dtype: DTypeLike) -> Parameters:
    """Draw weights from N(0, scale²), the same for the same seed."""
    random = np.random.default_rng([seed, 0])
    every = shapes(sizes)
    return like(every, (random.normal(0, scale, shape).astype(dtype) for shape in every))


def filled(sizes: Sizes, value: float, dtype: DTypeLike) -> Parameters:
    """Parameters that all have one value."""
    every = shapes(sizes)
    return like(every, (np.full(shape, value, dtype) for shape in every))


def without_document(parameters: Parameters) -> Parameters:
    """The same model with D = 0: it predicts as a document vector of zeros does."""
    return parameters._replace(
        class_document=parameters.class_document[:0],
        word_document=parameters.word_document[:0],
    )


def copy_into(target: Parameters, source: Parameters) -> None:
    """Copy all values into existing arrays."""
    for into, values in zip(target, source, strict=True):
        np.copyto(into, values)


def all_finite(parameters: Parameters) -> bool:
    """True if no weight is NaN or infinite."""
    return all(bool(np.isfinite(array).all()) for array in parameters)
