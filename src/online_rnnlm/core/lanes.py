"""The order in which a text is read: several units of text side by side, each in a lane.

A lane reads a unit, such as an article, segment after segment, and then takes the next unit. A
batch is the next segment of every lane. The states and the document vector that are carried
over from a segment to the next one of its unit are kept for each lane (`Carried`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from online_rnnlm.core.arrays import Array, Booleans, Integers
from online_rnnlm.core.cells import load_cell
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import Reading

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

SCORING_LANES = 64
"""Number of units of text that are scored side by side; results depend on it only by rounding."""
SENTENCES_A_CALL = 4096
"""Number of sentences of a long text that are scored in one call: it bounds the memory.
Results depend on it only by rounding."""
Item = TypeVar("Item")
NOTHING = -1
"""The number of a segment in a lane that reads nothing."""


class Segments(NamedTuple):
    """A split cut into segments, and these put together to units of text."""

    offsets: Integers
    """(S + 1,): segment s predicts stream[offsets[s] + 1 : offsets[s + 1] + 1]."""
    units: Integers
    """(U + 1,): unit u has the segments from units[u] to units[u + 1] - 1."""

    def lanes(self, wanted: int) -> int:
        """Number of lanes to read in: as many as wanted, but no more than there are units."""
        return min(wanted, len(self.units) - 1)


class Batches(NamedTuple):
    """Batches of segments, each with at most one segment for each of B lanes."""

    segments: Integers
    """(N, B): numbers of segments, or `NOTHING`."""
    begins: Booleans
    """(N, B): True if a unit of text begins with the segment."""

    def part(self, begin: int, end: int) -> Batches:
        """Some of the batches."""
        return Batches(self.segments[begin:end], self.begins[begin:end])


NO_BATCHES = Batches(np.empty((0, 1), np.int64), np.empty((0, 1), np.bool_))
"""An empty batch, used to compile the kernels."""


class ScoringOrder(NamedTuple):
    """Batches of sentences to score, and the rows of the scores that they belong to."""

    segments: Integers
    """(N, B): numbers of sentences, or `NOTHING`."""
    begins: Booleans
    """(N, B): True if a unit of text begins with the sentence."""
    places: Integers
    """(N, B): the places of the sentences among those that are scored, or `NOTHING`."""


class Carried(NamedTuple):
    """The states and document vectors that B lanes take on from a segment to the next one."""

    states: tuple[Array, ...]
    """The cell's states, h first: (B, ·) each."""
    documents: Array
    """d, (B, D)."""

    @classmethod
    def nothing(cls, weights: Parameters, cell: str, lanes: int) -> Carried:
        """Make states and vectors of 0 for a model with these weights and that cell."""
        dtype = weights.recurrent.dtype
        states = (np.zeros((lanes, int(n)), dtype) for n in load_cell(cell).states(weights))
        return cls(tuple(states), np.zeros((lanes, len(weights.class_document)), dtype))

    def copy(self) -> Carried:
        """Copy all to new arrays, from a GPU, too."""
        return Carried(tuple(map(np.array, self.states)), np.array(self.documents))

    def before(self, begins: Booleans, reading: Reading) -> Carried:
        """The states and d before the next segments: 0 where a unit of text begins, (B,).

        States that are not carried over are 0 before each segment.
        """
        goes_on = ~begins[:, None]
        kept = goes_on & reading.state
        states = tuple(np.where(kept, values, 0).astype(values.dtype) for values in self.states)
        documents = np.where(goes_on, self.documents, 0).astype(self.documents.dtype)
        return Carried(states, documents)


def unit_beginnings(split: Split, sentences: Integers, unit_of_text: str) -> Booleans:
    """True for every sentence (S,) that a unit of text begins with, taken in this order."""
    begins = np.ones(len(sentences), np.bool_)
    if unit_of_text == "stream":
        begins[1:] = False
    elif unit_of_text == "document" and split.articles.size:
        articles = split.articles[sentences]
        begins[1:] = articles[1:] != articles[:-1]
    return begins


def parts_of_documents(
    sentences: Iterable[Item], document_of: Callable[[Item], object], size: int = SENTENCES_A_CALL
) -> Iterator[list[Item]]:
    """Cut a text into parts of about `size` sentences, in which documents stay whole.

    At each multiple of `size`, a part ends with the last document that is complete.
    """
    kept: list[Item] = []
    end = 0  # the number of kept sentences whose documents are complete
    for number, sentence in enumerate(sentences):
        if kept and document_of(sentence) != document_of(kept[-1]):
            end = len(kept)
        kept.append(sentence)
        if number and number % size == 0 and end:
            yield kept[:end]
            kept = kept[end:]
            end = 0
    if kept:
        yield kept


def segments_of(split: Split, settings: RunSettings) -> Segments:
    """Cut a split into segments and units as a run reads them in training.

    A segment is a sentence or, if the settings say so, a stretch of a unit's tokens. A stream is
    cut into as many units as a batch has lanes, each begun with a sentence, of about equal length.
    """
    if settings.unit_of_text == "stream":
        shares = np.linspace(0, split.tokens, settings.batch_sentences + 1)
        units = np.unique(np.searchsorted(split.offsets, shares))
    else:
        begins = unit_beginnings(split, np.arange(split.sentences), settings.unit_of_text)
        units = np.append(np.flatnonzero(begins), split.sentences)
    size = settings.segment_tokens
    if settings.unit_of_text == "sentence" or not size:
        return Segments(split.offsets, units)
    return stretches(split.offsets[units], size)


def stretches(borders: Integers, size: int) -> Segments:
    """Cut units (U) that end at these offsets (U + 1,) into stretches of `size` tokens or fewer."""
    numbers = -(-np.diff(borders) // size)
    ends = np.cumsum(numbers)
    within = np.arange(ends[-1]) - np.repeat(ends - numbers, numbers)
    begin_of = np.repeat(borders[:-1], numbers) + within * size
    return Segments(np.append(begin_of, borders[-1]), np.append(0, ends))


def side_by_side(units: Integers, order: Integers, lanes: int) -> Batches:
    """Read units (`Segments.units`) in this order, in `lanes` lanes.

    Whenever a lane has read its unit, it takes the next one.
    """
    lengths = units[order + 1] - units[order]
    if (lengths == 1).all():
        return one_by_one(units[order], lanes)
    free = [(0, lane) for lane in range(lanes)]  # when a lane is free, and its number
    places = np.empty((len(order), 2), np.int64)
    for number, length in enumerate(lengths.tolist()):
        time, lane = free[0]
        places[number] = time, lane
        heapq.heapreplace(free, (time + length, lane))
    batches = max(time for time, _ in free)
    found = Batches(np.full((batches, lanes), NOTHING), np.zeros((batches, lanes), np.bool_))
    starts = np.cumsum(lengths) - lengths
    within = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    times, of_lane = (np.repeat(column, lengths) for column in places.T)
    found.segments[times + within, of_lane] = np.repeat(units[order], lengths) + within
    found.begins[places[:, 0], places[:, 1]] = True
    return found


def one_by_one(segments: Integers, lanes: int) -> Batches:
    """Read units of a single segment in this order: each lane takes a new one for every batch."""
    batches = -(-len(segments) // lanes)
    padding = np.full(batches * lanes - len(segments), NOTHING)
    numbers = np.concatenate([segments, padding]).reshape(batches, lanes)
    return Batches(numbers, numbers != NOTHING)


def scoring_order(split: Split, sentences: Integers, reading: Reading, lanes: int) -> ScoringOrder:
    """The order in which sentences (S,) are scored: units of similar length side by side."""
    begins = unit_beginnings(split, sentences, reading.unit_of_text)
    units = np.append(np.flatnonzero(begins), len(sentences))
    if reading.unit_of_text == "sentence":
        lengths = split.offsets[sentences + 1] - split.offsets[sentences]
    else:
        lengths = np.diff(units)
    order = np.argsort(-lengths, kind="stable")
    places, begins = side_by_side(units, order, lanes)
    return ScoringOrder(np.where(places == NOTHING, NOTHING, sentences[places]), begins, places)
