"""The model's parameters: names, shapes, initial values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from online_rnnlm.core.sizes import Sizes, shapes_by_name

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Parameters(NamedTuple):
    """All parameters, or one value (a sum of squares, a gradient) for each of them.

    The cell decides the shapes of `embeddings` and `recurrent`; those given here are the sigmoid
    cell's. With C slow context units, W_c and W_o have M + C columns. The matrices that d is
    multiplied by are stored transposed, so that the words of a class lie side by side in memory. A
    static network's have no rows.
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


BY_PART: dict[str, tuple[str, ...]] = {
    "embeddings": ("embeddings",),
    "recurrent": ("recurrent",),
    "output": ("class_output", "word_output", "class_document", "word_document"),
}
"""The names of the parameters in each group that can be updated in testing
(`adaptation.WEIGHTS`)."""


def shapes(sizes: Sizes) -> Parameters:
    """The shape of every parameter."""
    return Parameters(**shapes_by_name(sizes))


def initialise(sizes: Sizes, scale: float, seed: int, dtype: DTypeLike) -> Parameters:
    """Draw weights from N(0, scale²), the same for the same seed."""
    random = np.random.default_rng([seed, 0])
    drawn = (random.normal(0, scale, shape).astype(dtype) for shape in shapes(sizes))
    return Parameters(*drawn)


def filled(sizes: Sizes, value: float, dtype: DTypeLike) -> Parameters:
    """Parameters that all have one value."""
    return Parameters(*(np.full(shape, value, dtype) for shape in shapes(sizes)))


def without_document(parameters: Parameters) -> Parameters:
    """The same model with D = 0: it predicts as a document vector of zeros does."""
    return parameters._replace(
        class_document=parameters.class_document[:0],
        word_document=parameters.word_document[:0],
    )


def without_rows(parameters: Parameters) -> Parameters:
    """Parameters with the same columns, and no rows."""
    return Parameters(*(array[:0] for array in parameters))


def copy(parameters: Parameters) -> Parameters:
    """Copy all values to new arrays, from a GPU, too."""
    return Parameters(*map(np.array, parameters))


def copy_into(target: Parameters, source: Parameters) -> None:
    """Copy all values into existing arrays."""
    for into, values in zip(target, source, strict=True):
        np.copyto(into, values)


def all_finite(parameters: Parameters) -> bool:
    """True if no weight is NaN or infinite."""
    return all(bool(np.isfinite(array).all()) for array in parameters)
