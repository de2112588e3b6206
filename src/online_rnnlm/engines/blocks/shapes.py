"""The sizes of a batch's arrays: a short ladder of them, for one of which XLA compiles a program.

The smallest shape has room for nearly all batches, by the lengths and words of the training text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from online_rnnlm.engines.base import Array
from online_rnnlm.engines.blocks.products import AT_A_TIME
from online_rnnlm.engines.blocks.tiles import Tiles
from online_rnnlm.engines.lanes import Integers

ROWS = 16
"""Words of the same class in a block, R."""
MAX_SHAPES = 8
"""Most compilations of training, and of scoring: one takes seconds, on a GPU up to a minute."""
_GROWTH = 1.6
"""Ratio of the room in a shape and in the next smaller one."""
_HALVINGS = 5
"""Most steps in which the sentences read side by side become fewer."""
_DEVIATIONS = 4.0
"""Standard deviations above the mean that the smallest shape leaves room for."""


class Stretch(NamedTuple):
    """A stretch of time, in which equally many sentences are read side by side."""

    length: int
    """Number of words of a sentence."""
    width: int
    """Number of sentences."""
    pairs: int
    """Number of pairs of a word and a tile of its class, at a time."""


class Shape(NamedTuple):
    """The sizes of a batch's arrays."""

    stretches: tuple[Stretch, ...]
    products: int
    """Number of products of a block of words and a tile, I."""

    @property
    def words(self) -> int:
        """Number of places for words, N."""
        return sum(stretch.length * stretch.width for stretch in self.stretches)


class Times(NamedTuple):
    """A shape's sizes at each time of its stretches, (T,)."""

    widths: Integers
    starts: Integers
    """The place of the first sentence's word."""
    pairs: Integers
    first_pairs: Integers
    """The place of the first pair among those of all times."""


@cache
def times_of(shape: Shape) -> Times:
    """Return a shape's sizes at each time."""
    lengths = [stretch.length for stretch in shape.stretches]
    widths, pairs = (
        np.repeat(np.array(sizes, np.int64), lengths)
        for sizes in ([s.width for s in shape.stretches], [s.pairs for s in shape.stretches])
    )
    return Times(widths, np.cumsum(widths) - widths, pairs, np.cumsum(pairs) - pairs)


@dataclass(frozen=True)
class Shapes:
    """Makes the shapes of a corpus's batches from the lengths and words of its training text."""

    lengths: Integers
    """The lengths of its segments."""
    labels: Integers
    """The classes of its words."""
    longest: int
    """The length of the longest segment of any text."""
    tiles: Tiles
    width: int
    """Number of segments in a batch, B."""
    learns: bool
    """True if there is a document vector: only then there are pairs."""

    @cached_property
    def ladder(self) -> list[Shape]:
        """The shapes from the smallest to one into which every batch fits."""
        times = np.arange(self.longest)[:, None]
        read = (self.lengths > times).mean(axis=1)  # share of the segments, for every time
        spread = np.sqrt(self.width * read * (1 - read))
        active = self.width * read + _DEVIATIONS * spread
        rooms = [_GROWTH**step for step in range(MAX_SHAPES - 1)]
        shapes = [self._shape(_in_halves(room * active, self.width), room) for room in rooms]
        return list(dict.fromkeys([*shapes, self.largest(self.longest)]))

    def largest(self, longest: int) -> Shape:
        """The shape into which every batch fits whose segments are no longer than that."""
        return self._shape(np.full(longest, self.width), np.inf)

    @cached_property
    def _tiles_of_a_word(self) -> tuple[float, float]:
        """Mean and standard deviation of the number of tiles of a word's class."""
        numbers = self.tiles.numbers[self.labels]
        return float(numbers.mean()), float(numbers.std())

    def _shape(self, widths: Integers, room: float) -> Shape:
        """Make the shape with these numbers of sentences, (T,), and room for so many products."""
        most = int(self.tiles.numbers.max())
        mean, spread = self._tiles_of_a_word

        def wanted(words: float) -> float:
            return room * float(words * mean + _DEVIATIONS * np.sqrt(words) * spread)

        stretches = []
        for width in sorted(set(widths.tolist()), reverse=True):
            pairs = int(min(width * most, np.ceil(wanted(width)))) if self.learns else 0
            stretches.append(Stretch(int((widths == width).sum()), width, pairs))
        places = int(widths.sum())
        words = min(places, self.width * self.lengths.mean())
        # Each class has a block that is not full.
        products = wanted(words) / ROWS + self.tiles.empty
        limit = (places // ROWS + len(self.tiles.numbers)) * most
        parts = np.ceil(min(limit, products) / AT_A_TIME)
        return Shape(tuple(stretches), int(parts) * AT_A_TIME)


def _in_halves(active: Array, width: int) -> Integers:
    """Round numbers of sentences (T,) up to the width, its half, its quarter and so on."""
    halves = np.array([-(-width // 2**step) for step in range(_HALVINGS, -1, -1)])
    places = np.searchsorted(halves, np.minimum(active, width))
    return np.maximum.accumulate(halves[places][::-1])[::-1]
