"""The order in which a text is read: several units of text side by side, each in a lane.

A lane reads a unit, such as an article, segment after segment, and then takes the next unit. A
batch is the next segment of every lane. From a segment to the next one of its unit, each lane
carries over its state (`carried`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from online_rnnlm.core.arrays import Booleans, Integers
from online_rnnlm.core.text import Split

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule, UnitOfText

SCORING_LANES = 64
"""Number of units of text that are scored side by side; results depend on it only by rounding."""
SENTENCES_A_PART = 4096
"""Number of sentences of a long text that are put in order at once, and that the program `score`
has in memory. Results depend on it only by rounding."""
Item = TypeVar("Item")
NOTHING = -1
"""Marks a lane that has no segment in a batch."""


class Segments(NamedTuple):
    """A split cut into segments, and these put together to units of text."""

    split: Split
    """The split, with its segments as sentences."""
    units: Integers
    """(U + 1,): unit u has the segments from units[u] to units[u + 1] - 1."""

    def lanes(self, wanted: int) -> int:
        """Number of lanes to read in: as many as wanted, but no more than there are units."""
        return min(wanted, len(self.units) - 1)


class Order(NamedTuple):
    """Batches of segments of a split, each with at most one segment for each of B lanes."""

    segments: Integers
    """(N, B): indices of segments, or `NOTHING`."""
    begins: Booleans
    """(N, B): True if a unit of text begins with the segment."""
    first_kept: int = 0
    """Index of the first element of h that is carried over within a unit, as the document vector
    is. Those before it, and with them the memory, are 0 before each segment."""

    @property
    def lanes(self) -> int:
        """B."""
        return int(self.segments.shape[1])

    def part(self, begin: int, end: int) -> Order:
        """Some of the batches."""
        return self._replace(segments=self.segments[begin:end], begins=self.begins[begin:end])


def unit_beginnings(split: Split, unit_of_text: UnitOfText) -> Booleans:
    """True for every sentence (S,) that a unit of text begins with."""
    begins = np.ones(split.sentences, np.bool_)
    if unit_of_text == "stream":
        begins[1:] = False
    elif unit_of_text == "document" and split.articles.size:
        begins[1:] = split.articles[1:] != split.articles[:-1]
    return begins


def parts_of_documents(
    sentences: Iterable[Item],
    document_of: Callable[[Item], object],
    size: int = SENTENCES_A_PART,
) -> Iterator[list[Item]]:
    """Cut a text into parts of about `size` sentences, in which documents stay whole.

    At each multiple of `size`, a part ends with the last document that is complete.
    """
    kept: list[Item] = []
    end = 0  # the number of kept sentences whose documents are complete
    for index, sentence in enumerate(sentences):
        if kept and document_of(sentence) != document_of(kept[-1]):
            end = len(kept)
        kept.append(sentence)
        if index and index % size == 0 and end:
            yield kept[:end]
            kept = kept[end:]
            end = 0
    if kept:
        yield kept


def segments_of(split: Split, network: NetworkSettings, rule: TrainingRule) -> Segments:
    """Cut a split into segments and units as training reads them.

    A segment is a sentence or, if the rule says so, a stretch of a unit's tokens. A stream is cut
    into as many units as a batch has lanes, each begun with a sentence, of about equal length.
    """
    if network.unit_of_text == "stream":
        shares = np.linspace(0, split.tokens, rule.batch_sentences + 1)
        units = np.unique(np.searchsorted(split.offsets, shares))
    else:
        units = np.append(
            np.flatnonzero(unit_beginnings(split, network.unit_of_text)), split.sentences
        )
    if network.unit_of_text == "sentence" or not rule.segment_tokens:
        return Segments(split, units)
    return stretches(split, units, rule.segment_tokens)


def stretches(split: Split, units: Integers, size: int) -> Segments:
    """Cut units (U + 1,) of a split's sentences into stretches of `size` tokens or fewer."""
    borders = split.offsets[units]
    counts = -(-np.diff(borders) // size)
    ends = np.cumsum(counts)
    within = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    begin_of = np.repeat(borders[:-1], counts) + within * size
    return Segments(
        replace(split, offsets=np.append(begin_of, borders[-1]), articles=split.articles[:0]),
        np.append(0, ends),
    )


def side_by_side(units: Integers, order: Integers, lanes: int, first_kept: int = 0) -> Order:
    """Read units (`Segments.units`) in this order, in `lanes` lanes.

    Whenever a lane has read its unit, it takes the next one.
    """
    lengths = units[order + 1] - units[order]
    if (lengths == 1).all():
        return one_by_one(units[order], lanes)
    free = [(0, lane) for lane in range(lanes)]  # when a lane is free, and its index
    places = np.empty((len(order), 2), np.int64)
    for index, length in enumerate(lengths.tolist()):
        time, lane = free[0]
        places[index] = time, lane
        heapq.heapreplace(free, (time + length, lane))
    batches = max(time for time, _ in free)
    segments = np.full((batches, lanes), NOTHING)
    begins = np.zeros((batches, lanes), np.bool_)
    starts = np.cumsum(lengths) - lengths
    within = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    times, of_lane = (np.repeat(column, lengths) for column in places.T)
    segments[times + within, of_lane] = np.repeat(units[order], lengths) + within
    begins[places[:, 0], places[:, 1]] = True
    return Order(segments, begins, first_kept)


def one_by_one(segments: Integers, lanes: int) -> Order:
    """Read units of a single segment in this order: each lane takes a new one for every batch."""
    batches = -(-len(segments) // lanes)
    padding = np.full(batches * lanes - len(segments), NOTHING)
    padded = np.concatenate([segments, padding]).reshape(batches, lanes)
    return Order(padded, padded != NOTHING)


def order_to_train(segments: Segments, rule: TrainingRule, units: Integers) -> Order:
    """The order in which training reads units of text (U,) of its segments."""
    return side_by_side(segments.units, units, segments.lanes(rule.batch_sentences))


def order_to_score(split: Split, network: NetworkSettings, adaptation: Adaptation) -> Order:
    """The order in which a text is scored: units of similar length side by side.

    A stream has a single lane, and so has a text by which weights are updated, unit after unit. A
    long text is put in order part by part, so that a program that has one part in memory gets the
    same bits.
    """
    unit = adaptation.unit_in(network)
    first_kept = adaptation.first_kept_in(network)
    begins = unit_beginnings(split, unit)
    if adaptation.weights or unit == "stream":
        return Order(np.arange(split.sentences)[:, None], begins[:, None], first_kept)
    articles = split.articles if split.articles.size else np.arange(split.sentences)
    lanes = max(1, min(SCORING_LANES, split.sentences))
    parts = [Order(np.zeros((0, lanes), np.int64), np.zeros((0, lanes), np.bool_), first_kept)]
    for part in parts_of_documents(range(split.sentences), articles.__getitem__):
        units = np.append(part[0] + np.flatnonzero(begins[part]), part[-1] + 1)
        lengths = np.diff(split.offsets[units] if unit == "sentence" else units)
        longest_first = np.argsort(-lengths, kind="stable")
        parts.append(side_by_side(units, longest_first, lanes, first_kept))
    return Order(
        np.concatenate([part.segments for part in parts]),
        np.concatenate([part.begins for part in parts]),
        first_kept,
    )
