"""The output layer's words, cut into tiles: stretches of a class's words, all of one size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.engines.base import Array
from online_rnnlm.engines.lanes import Integers

TILE = 32
"""Words in a tile, S: small tiles waste less of small classes, large ones make large products."""


@dataclass(frozen=True)
class Tiles:
    """The tiles of K classes. The last one has no words: it fills up arrays of fixed sizes."""

    offsets: Integers
    """(K + 1,): class c has the words from offsets[c] to offsets[c + 1] - 1."""

    @cached_property
    def numbers(self) -> Integers:
        """(K,): the number of tiles of each class."""
        return -(-np.diff(self.offsets) // TILE)

    @cached_property
    def first(self) -> Integers:
        """(K,): each class's first tile."""
        return np.cumsum(self.numbers) - self.numbers

    @cached_property
    def empty(self) -> int:
        """The number of the tile without words, which is the last."""
        return int(self.numbers.sum())

    @cached_property
    def words(self) -> Integers:
        """(tiles, S): the words of each tile; V where there is none."""
        classes = np.repeat(np.arange(len(self.numbers)), self.numbers)
        within = np.arange(self.empty) - self.first[classes]
        words = self.offsets[classes, None] + within[:, None] * TILE + np.arange(TILE)
        words = np.where(words < self.offsets[classes + 1, None], words, self.offsets[-1])
        return np.vstack([words, np.full(TILE, self.offsets[-1])])

    @cached_property
    def exists(self) -> NDArray[np.bool_]:
        """(tiles, S): True where there is a word."""
        there: NDArray[np.bool_] = self.words < self.offsets[-1]
        return there

    @cached_property
    def class_of_word(self) -> Integers:
        """(V,): every word's class."""
        return np.repeat(np.arange(len(self.numbers)), np.diff(self.offsets))

    def cut(self, rows: Array, filler: float) -> Array:
        """Cut a matrix with a row for each word, (V, N), into tiles (tiles, S, N)."""
        return np.vstack([rows, np.full_like(rows, filler, shape=(1, rows.shape[1]))])[self.words]

    @cached_property
    def class_of_tile(self) -> Integers:
        """(tiles,): every tile's class; the last tile is empty and is given class 0."""
        return np.append(np.repeat(np.arange(len(self.numbers)), self.numbers), 0)

    def joined(self, tiles: Array) -> Array:
        """Put tiles (tiles, S, N) together to a matrix with a row for each word, (V, N)."""
        return tiles[self.exists]
