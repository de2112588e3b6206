"""Batches of sentences as arrays for JAX, in a few shapes, since XLA compiles a program for each.

The scores of words are computed in large products. Words of a batch that have the same class are
put together in blocks of `ROWS`, and each block is multiplied by the tiles of its class: `TILE`
neighbouring rows of W_o. So weights are read once a block and not once a word. A batch's arrays
are filled up to the sizes of a `Shape` with places that stand for no word, which change no result.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.engines.base import Array
from online_rnnlm.core.graph import Padded
from online_rnnlm.core.lanes import NOTHING, Booleans, Integers

ROWS = 16
"""Words of the same class in a block, R."""
TILE = 32
"""Words in a tile, S: small tiles waste less of small classes, large ones make large products."""
_LENGTHS = 4
"""Lengths that batches are padded to: few, as one compilation takes seconds, on a GPU a minute."""
_SHORTER = 0.6
"""Ratio of a length and the next longer one."""
_DRAWN = 20
"""Number of random batches by which the usual shape is chosen."""
_DEVIATIONS = 2.0
"""Standard deviations above their mean that it leaves room for."""
_LARGER = 1.5
"""Ratio of the room in a shape and in the next smaller one."""


class Shape(NamedTuple):
    """The sizes of a batch's arrays."""

    length: int
    """Number of words of each sentence, T."""
    products: int
    """Number of products of a block of words and a tile, I."""
    pairs: int
    """Number of pairs of a word and a tile of its class at a time, Q; 0 if no vector learns."""


class Batch(NamedTuple):
    """The arrays of a batch of B sentences.

    A word's place is its number t · B + b in the matrices (T, B). A row of the products is a number
    below I · R: a block's word, multiplied by a tile.
    """

    padded: Padded
    """The previous words, the words to predict, and the mask, (T, B)."""
    rows: Array
    """(I, R): the places of the words of each product's block; T · B for none."""
    tiles: Array
    """(I,): the tile of each product."""
    targets: Array
    """(T, B): the words to predict as places among all scores of the products, I · R · S."""
    pairs: Array
    """(T, Q): the rows of the products that have a word of this time; I · R for none."""
    pair_targets: Array
    """(T, B): the words to predict as places among the scores of their time's pairs, Q · S."""


class Tiles:
    """The output layer's words in tiles: S neighbouring words, of which one class's are used.

    The last tile has no word: it fills up arrays.
    """

    def __init__(self, class_offsets: Integers) -> None:
        """Cut classes: class c has the words from offsets[c] to offsets[c + 1] - 1; (K + 1,)."""
        sizes, vocabulary = np.diff(class_offsets), int(class_offsets[-1])
        self.size = min(TILE, vocabulary)
        self.class_offsets = class_offsets
        self.class_of_word = np.repeat(np.arange(len(sizes)), sizes)
        self.numbers = -(-sizes // self.size)
        """(K,): the number of tiles of each class."""
        self.first = _begins(self.numbers)
        """(K,): the first tile of each class."""
        classes = np.repeat(np.arange(len(sizes)), self.numbers)
        low = class_offsets[classes] + _within(self.numbers) * self.size
        high = np.minimum(low + self.size, class_offsets[classes + 1])
        self.starts = np.append(np.minimum(low, vocabulary - self.size), 0)
        """(tiles,): the first word of each tile, so far before the end that S words follow."""
        words = self.starts[:-1, None] + np.arange(self.size)
        exists = (words >= low[:, None]) & (words < high[:, None])
        self.exists: Booleans = np.vstack([exists, np.zeros(self.size, np.bool_)])
        """(tiles, S): True for the words that the tile stands for, each word in one tile."""


class Shapes:
    """The shapes of batches of B segments, by random batches of a training text."""

    def __init__(
        self,
        stream: Array,
        offsets: Integers,
        tiles: Tiles,
        width: int,
        longest: int = 1,
        *,
        learns: bool,
    ) -> None:
        """Draw batches of a text that is cut into segments at these offsets, (segments + 1,).

        `longest` is the length of the longest segment of any other text. Without a document vector
        that learns there are no pairs.
        """
        self.tiles, self.learns, self._width = tiles, learns, width
        lengths = np.diff(offsets)
        longest = max(longest, int(lengths.max(initial=1)))
        shares = (_SHORTER**step for step in range(_LENGTHS))
        self._lengths = sorted({math.ceil(longest * share) for share in shares})
        chance = np.random.default_rng(0)
        drawn = (chance.integers(0, len(lengths), width) for _ in range(_DRAWN))
        words = [_words(stream, offsets, batch, tiles) for batch in drawn]
        products = [len(_blocks(tiles, one.classes)[1]) for one in words]
        pairs = [np.bincount(one.times, tiles.numbers[one.classes]).max() for one in words]
        self._usual = tuple(
            np.mean(found) + _DEVIATIONS * np.std(found) for found in (products, pairs)
        )

    def fitting(self, length: int, products: int, pairs: int) -> Shape:
        """The smallest shape for a batch with these sizes."""
        length = next((one for one in self._lengths if one >= length), length)
        most = int(self.tiles.numbers.max())
        blocks = length * self._width // ROWS + len(self.tiles.numbers)
        room = 1.0
        while True:
            usual = (math.ceil(room * one) for one in self._usual)
            shape = Shape(length, *map(min, usual, (blocks * most, self._width * most)))
            if products <= shape.products and pairs <= shape.pairs:
                return shape if self.learns else shape._replace(pairs=0)
            room *= _LARGER


def batch_of(
    stream: Array, offsets: Integers, segments: Integers, shapes: Shapes, dtype: str
) -> Batch:
    """Put segments (B,) of a text in order, some of which may be `NOTHING`.

    Segment s predicts the words of the stream from offsets[s] + 1 to offsets[s + 1].
    """
    tiles, words = shapes.tiles, _words(stream, offsets, segments, shapes.tiles)
    times, targets, classes = words.times, words.targets, words.classes
    rows, of_products, first_row = _blocks(tiles, classes)
    numbers = tiles.numbers[classes] * shapes.learns  # of each word's pairs
    pairs_at = np.bincount(times, numbers).astype(np.int64)
    length = int(times.max(initial=0)) + 1
    shape = shapes.fitting(length, len(of_products), int(pairs_at.max(initial=0)))

    width = len(segments)
    places, size = times * width + words.lanes, (shape.length, width)
    tile = (targets - tiles.class_offsets[classes]) // tiles.size  # in its class
    column = targets - tiles.starts[tiles.first[classes] + tile]
    word = np.repeat(np.arange(len(times)), numbers)  # of each pair
    pairs = first_row[word] + _within(numbers) * ROWS
    pair = _begins(numbers) - _begins(pairs_at)[times] + tile  # of each word to predict
    pair_places, pair_size = times[word] * shape.pairs + _within(pairs_at), (size[0], shape.pairs)
    nowhere = shape.length * width
    return Batch(
        Padded(
            _placed(words.inputs, places, size),
            _placed(targets, places, size),
            _placed(np.ones(len(times)), places, size).astype(dtype),
        ),
        rows=_filled(np.append(places, nowhere)[rows], shape.products, nowhere),
        tiles=_filled(of_products, shape.products, len(tiles.starts) - 1),
        targets=_placed((first_row + tile * ROWS) * tiles.size + column, places, size),
        pairs=_placed(pairs, pair_places, pair_size, shape.products * ROWS),
        pair_targets=_placed(pair * tiles.size + column, places, size),
    )


class _Words(NamedTuple):
    """The words of a batch, time after time: (N,) each."""

    times: Integers
    lanes: Integers
    """The places in the batch of the words' segments."""
    inputs: Array
    """The previous words."""
    targets: Array
    classes: Integers


def _words(stream: Array, offsets: Integers, segments: Integers, tiles: Tiles) -> _Words:
    begins = offsets[segments]
    lengths = np.where(segments == NOTHING, 0, offsets[segments + 1] - begins)
    times, lanes = np.nonzero(np.arange(lengths.max())[:, None] < lengths)
    places = begins[lanes] + times
    targets = stream[places + 1]
    return _Words(times, lanes, stream[places], targets, tiles.class_of_word[targets])


def _blocks(tiles: Tiles, classes: Integers) -> tuple[Integers, Integers, Integers]:
    """Put words (N,) of these classes into blocks, and each block with every tile of its class.

    Returns the words of each product (products, R), with -1 for none, the tile of each product, and
    of each word the row of its first product; that with the next tile is R rows further.
    """
    by_class = np.argsort(classes, kind="stable")
    counts = np.bincount(classes, minlength=len(tiles.numbers))
    number, row = np.divmod(_within(counts), ROWS)
    blocks = -(-counts // ROWS)
    block = np.repeat(_begins(blocks), counts) + number  # of each word, by class
    class_of = np.repeat(np.arange(len(blocks)), blocks)  # of each block
    products = tiles.numbers[class_of]
    members = np.full((len(class_of), ROWS), -1)
    members[block, row] = by_class
    first_row = np.empty(len(classes), np.int64)
    first_row[by_class] = _begins(products)[block] * ROWS + row
    of_products = np.repeat(tiles.first[class_of], products) + _within(products)
    return np.repeat(members, products, axis=0), of_products, first_row


def _begins(counts: Integers) -> Integers:
    """The first place of each of consecutive groups of these sizes."""
    return np.cumsum(counts) - counts


def _within(counts: Integers) -> Integers:
    """The numbers, from 0, of the members of consecutive groups of these sizes."""
    return np.arange(counts.sum()) - np.repeat(_begins(counts), counts)


def _placed(
    values: NDArray[Any], places: Integers, size: tuple[int, int], filler: int = 0
) -> Array:
    """Put values at their places in a matrix of that size."""
    array = np.full(size, filler, np.int32)
    array.reshape(-1)[places] = values
    return array


def _filled(values: Array, size: int, filler: int) -> Array:
    """Put values at the beginning of an array of that length."""
    array = np.full((size, *values.shape[1:]), filler, np.int32)
    array[: len(values)] = values
    return array
