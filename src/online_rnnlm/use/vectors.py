"""Vectors that are compared by the angle between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def unit_vectors(vectors: NDArray[np.floating]) -> Vectors:
    """Return vectors (N, D), each divided by its length; one of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def nearest(vectors: Vectors, query: Vectors, number: int) -> list[tuple[int, float]]:
    """Return the places of the vectors with the highest cosines to another one, and the cosines.

    All are of length 1: (S, D) and (D,). The highest comes first; of equal ones, the first.
    """
    cosines = np.clip(vectors @ query, -1, 1)  # rounding may exceed them
    best = np.argsort(-cosines, kind="stable")[:number].tolist()
    return [(place, float(cosines[place])) for place in best]
