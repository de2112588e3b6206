"""The model's parameters: names, shapes, initial values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from online_rnnlm.model.sizes import Sizes

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Parameters(NamedTuple):
    """Every parameter, or one thing (a sum of squares, a gradient) for every parameter.

    The document vector's are stored transposed, so that a class of words is a run of memory. They
    have no rows for a layer that it does not feed.
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
    """V_cᵀ, (D, K), or (0, K) if d does not feed the output layer."""
    word_document: Any
    """V_oᵀ, (D, V), or (0, V)."""
    hidden_document: Any
    """V_hᵀ, (D, M), or (0, M) if d does not feed the hidden layer."""


GROUPS = {
    "embeddings": ("embeddings",),
    "recurrent": ("recurrent", "hidden_document"),
    "output": ("class_output", "word_output", "class_document", "word_document"),
}
"""The groups of parameters that can learn during testing, the document vector aside."""


def shapes(sizes: Sizes) -> Parameters:
    """The shape of every parameter."""
    v, m, k = sizes[:3]
    output, hidden = sizes.output_document, sizes.hidden_document
    return Parameters((v, m), (m, m), (k, m), (v, m), (output, k), (output, v), (hidden, m))


def count(sizes: Sizes) -> int:
    """Number of trained values, the document vectors themselves not among them."""
    return sum(rows * columns for rows, columns in shapes(sizes))


def initialise(sizes: Sizes, scale: float, seed: int, dtype: DTypeLike) -> Parameters:
    """Weights drawn from N(0, scale²), the same for the same seed."""
    random = np.random.default_rng([seed, 0])
    return Parameters(*(random.normal(0, scale, shape).astype(dtype) for shape in shapes(sizes)))


def filled(sizes: Sizes, value: float, dtype: DTypeLike) -> Parameters:
    """One value everywhere."""
    return Parameters(*(np.full(shape, value, dtype) for shape in shapes(sizes)))


def without_document(parameters: Parameters) -> Parameters:
    """The same model with D = 0: what a document vector of zeros predicts."""
    return parameters._replace(
        class_document=parameters.class_document[:0],
        word_document=parameters.word_document[:0],
        hidden_document=parameters.hidden_document[:0],
    )


def copy_into(target: Parameters, source: Parameters) -> None:
    """Copy all values, without new memory."""
    for into, values in zip(target, source, strict=True):
        np.copyto(into, values)


def all_finite(parameters: Parameters) -> bool:
    """Whether no weight is NaN or infinite."""
    return all(bool(np.isfinite(array).all()) for array in parameters)


def sizes_of(parameters: Parameters) -> Sizes:
    """The sizes, read off the weights."""
    v, m = parameters.embeddings.shape
    output, k = parameters.class_document.shape
    hidden = parameters.hidden_document.shape[0]
    layer = ("both" if output else "hidden") if hidden else "output"
    return Sizes(v, m, k, max(output, hidden), layer)
