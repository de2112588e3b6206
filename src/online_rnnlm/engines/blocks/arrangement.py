"""A batch's words in the orders in which they are computed, in arrays of fixed sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.engines.base import Array
from online_rnnlm.engines.blocks.shapes import ROWS, Shape, Shapes, times_of
from online_rnnlm.engines.blocks.tiles import TILE, Tiles
from online_rnnlm.engines.lanes import NOTHING, Integers


class Arranged(NamedTuple):
    """The words of a batch, and their places in the products.

    Sentences are ordered by length, the longest first. A word's place is a number below N, time
    after time and, within a time, in the order of the sentences; N stands for no word.
    """

    inputs: Array
    """(N,): the previous words."""
    classes: Array
    """(N,): the classes of the words to predict."""
    mask: Array
    """(N,): True where there is a word to predict."""
    target: Array
    """(N,): the word to predict, as its place among all scores of the products, I · R · S."""
    last: Array
    """(B,): the place of each sentence's last word; N for an empty one."""
    rows: Array
    """(I, R): the words of each product's block, by their places."""
    tiles: Array
    """(I,): the tile of each product."""
    pairs: tuple[tuple[Array, ...], ...]
    """For every stretch, of each pair (length, pairs): its sentence, its tile, its row among those
    of all products (I · R), and the target's place in the tile, or S if it is in another one."""


class Arrangement(NamedTuple):
    """A batch in order, and where its words are."""

    shape: Shape
    arrays: Arranged
    order: Integers
    """(B,): the numbers in the batch of the sentences, the longest first."""
    ranks: Integers
    """The sentence of each word, as its place in `order`; all words, time after time."""
    times: Integers
    """The time of each word."""
    places: Integers
    """The place of each word, below N."""


class _Words(NamedTuple):
    """The words of a batch, time after time and, within a time, sentence after sentence."""

    ranks: Integers
    """The sentence of each word, as its place in the order of lengths."""
    times: Integers
    inputs: Array
    targets: Array
    classes: Integers


class _Blocks(NamedTuple):
    """The blocks of words of the same class, and the products of each with its class's tiles."""

    rows: Integers
    """(products, R): the words of each product, by their numbers in `_Words`; -1 for none."""
    tiles: Integers
    """(products,): the tile of each."""
    first_row: Integers
    """Of each word, the row of its first product among all products · R rows; the product with the
    next tile of its class is R rows further."""


@dataclass(frozen=True)
class Arranger:
    """Puts the segments of a text in order, in batches of B."""

    stream: NDArray[np.int32]
    offsets: Integers
    """Segment s predicts stream[offsets[s] + 1 : offsets[s + 1] + 1]."""
    shapes: Shapes

    @property
    def _tiles(self) -> Tiles:
        return self.shapes.tiles

    def arrange(self, segments: Integers) -> Arrangement:
        """Arrange a batch of segments (B,), some of which may be `NOTHING`."""
        ends = self.offsets[segments + 1]
        lengths = np.where(segments == NOTHING, 0, ends - self.offsets[segments])
        order = np.argsort(-lengths, kind="stable")
        words = self._words(self.offsets[segments[order]], lengths[order])
        blocks = self._blocks(words.classes)
        shape = self._shape(words, len(blocks.tiles))
        places = times_of(shape).starts[words.times] + words.ranks
        tile, column = np.divmod(words.targets - self._tiles.offsets[words.classes], TILE)
        target = (blocks.first_row + tile * ROWS) * TILE + column
        last = np.full(len(segments), shape.words, np.int32)
        last[words.ranks] = places  # a sentence's later words come later
        arrays = Arranged(
            inputs=_placed(words.inputs, places, shape.words, 0),
            classes=_placed(words.classes, places, shape.words, 0),
            mask=_placed(np.ones(len(places)), places, shape.words, 0).astype(bool),
            target=_placed(target, places, shape.words, 0),
            last=last,
            rows=_filled(np.append(places, shape.words)[blocks.rows], shape.products, shape.words),
            tiles=_filled(blocks.tiles, shape.products, self._tiles.empty),
            pairs=self._pairs(shape, words, blocks.first_row, tile, column),
        )
        return Arrangement(shape, arrays, order, words.ranks, words.times, places)

    def _words(self, begins: Integers, lengths: Integers) -> _Words:
        """Read sentences that begin at these offsets."""
        ranks = np.repeat(np.arange(len(lengths)), lengths)
        times = np.arange(len(ranks)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        by_time = np.argsort(times, kind="stable")
        ranks, times = ranks[by_time], times[by_time]
        places = begins[ranks] + times
        targets = self.stream[places + 1]
        classes = self._tiles.class_of_word[targets]
        return _Words(ranks, times, self.stream[places], targets, classes)

    def _blocks(self, classes: Integers) -> _Blocks:
        """Put words together by their class; the words of a class fill its blocks in turn."""
        tiles_of = self._tiles.numbers
        by_class = np.argsort(classes, kind="stable")
        counts = np.bincount(classes, minlength=len(tiles_of))
        number, row = np.divmod(_within(counts), ROWS)
        blocks = -(-counts // ROWS)
        block = np.repeat(_begins(blocks), counts) + number  # of each word, by class
        class_of = np.repeat(np.arange(len(blocks)), blocks)  # of each block
        products = tiles_of[class_of]
        members = np.full((len(class_of), ROWS), -1)
        members[block, row] = by_class
        first_row = np.empty(len(classes), np.int64)
        first_row[by_class] = _begins(products)[block] * ROWS + row
        tiles = np.repeat(self._tiles.first[class_of], products) + _within(products)
        return _Blocks(np.repeat(members, products, axis=0), tiles, first_row)

    def _shape(self, words: _Words, products: int) -> Shape:
        """Find the smallest shape that has room for these words and products."""
        length = int(words.times.max(initial=-1)) + 1
        widths = np.bincount(words.times, minlength=length)
        pairs = np.bincount(words.times, self._tiles.numbers[words.classes], length)
        for shape in self.shapes.ladder:
            times = times_of(shape)
            if (
                length <= len(times.widths)
                and (widths <= times.widths[:length]).all()
                and (not self.shapes.learns or (pairs <= times.pairs[:length]).all())
                and products <= shape.products
            ):
                return shape
        return self.shapes.largest(length)

    def _pairs(
        self, shape: Shape, words: _Words, first_row: Integers, tile: Integers, column: Integers
    ) -> tuple[tuple[Array, ...], ...]:
        """Arrange the pairs of a word and a tile, time after time; see `Arranged.pairs`.

        `tile` and `column` are the place of each word's target among the words of its class.
        """
        if not self.shapes.learns:
            return ()
        times, tiles_of = times_of(shape), self._tiles.numbers[words.classes]
        word = np.repeat(np.arange(len(tiles_of)), tiles_of)  # of each pair
        number = _within(tiles_of)  # of its tile in the class
        pairs = np.bincount(words.times, tiles_of, len(times.pairs)).astype(np.int64)
        places = np.repeat(times.first_pairs, pairs) + _within(pairs)
        columns = np.where(number == tile[word], column[word], TILE)
        values = (
            (words.ranks[word], -1),
            (self._tiles.first[words.classes[word]] + number, self._tiles.empty),
            (first_row[word] + number * ROWS, 0),
            (columns, TILE),
        )
        total = int(times.pairs.sum())
        arrays = [_placed(value, places, total, filler) for value, filler in values]
        ends = np.cumsum([stretch.length * stretch.pairs for stretch in shape.stretches])
        parts = (np.split(array, ends[:-1]) for array in arrays)
        return tuple(
            tuple(array.reshape(stretch.length, stretch.pairs) for array in part)
            for *part, stretch in zip(*parts, shape.stretches, strict=True)
        )


def _begins(counts: Integers) -> Integers:
    """The first place of each of consecutive groups of these sizes."""
    return np.cumsum(counts) - counts


def _within(counts: Integers) -> Integers:
    """The numbers, from 0, of the members of consecutive groups of these sizes."""
    return np.arange(counts.sum()) - np.repeat(_begins(counts), counts)


def _placed(values: Array, places: Integers, size: int, filler: int) -> Array:
    """Put values at their places in an array of that size."""
    array = np.full(size, filler, np.int32)
    array[places] = values
    return array


def _filled(values: Array, size: int, filler: int) -> Array:
    """Put values at the beginning of an array of that length."""
    array = np.full((size, *values.shape[1:]), filler, np.int32)
    array[: len(values)] = values
    return array
