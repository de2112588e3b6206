"""The model's parameters: names, shapes, initial values, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.runs import replacing

Array = NDArray[Any]


class Sizes(NamedTuple):
    """The sizes that decide every parameter's shape."""

    vocabulary: int
    """V, words."""
    hidden: int
    """M, hidden units."""
    classes: int
    """K, word classes."""
    document: int
    """D, length of the document vector; 0 is the static baseline."""


class Parameters(NamedTuple):
    """Every parameter, or one thing (a sum of squares, a gradient) for every parameter.

    The document vector's two are stored transposed, so that a class of words is a run of memory.
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


GROUPS = {
    "embeddings": ("embeddings",),
    "recurrent": ("recurrent",),
    "output": ("class_output", "word_output", "class_document", "word_document"),
}
"""The groups of parameters that can learn during testing, the document vector aside."""


def shapes(sizes: Sizes) -> Parameters:
    """The shape of every parameter."""
    v, m, k, d = sizes
    return Parameters((v, m), (m, m), (k, m), (v, m), (d, k), (d, v))


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


def copy_into(target: Parameters, source: Parameters) -> None:
    """Copy all values, without new memory."""
    for into, values in zip(target, source, strict=True):
        np.copyto(into, values)


def all_finite(parameters: Parameters) -> bool:
    """Whether no weight is NaN or infinite."""
    return all(bool(np.isfinite(array).all()) for array in parameters)


def save(parameters: Parameters, path: Path) -> None:
    """Write the weights by name into an `.npz` file, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **parameters._asdict())


def read(path: Path) -> Parameters:
    """Read weights that `save` wrote."""
    with np.load(path) as file:
        return Parameters(**{name: file[name] for name in Parameters._fields})


def sizes_of(parameters: Parameters) -> Sizes:
    """The sizes, read off the weights."""
    v, m = parameters.embeddings.shape
    d, k = parameters.class_document.shape
    return Sizes(v, m, k, d)
