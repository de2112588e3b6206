"""The layout of a batch of segments in memory: by time, and grouped by the targets' classes.

Segments are sorted by falling length, so that those that have a word at time t come first, and no
padding is needed. Row first_rows[t] + b of every matrix belongs to word t of segment b.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.arrays import Integers
from online_rnnlm.core.order import NOTHING


class Batch(NamedTuple):
    """The words of B segments, N rows."""

    lanes: Integers
    """(B,): the lanes of the segments, those of the longest first."""
    first_rows: Integers
    """(T + 1,): the first row of each time, and last N."""
    places: Integers
    """(N,): places of the previous words in the text's stream."""
    inputs: Any
    """(N,): previous words."""
    targets: Any
    """(P,): words to predict, from the row `first_predicted` on."""
    first_predicted: int
    """The row of the first word that is predicted, N - P: 0 unless earlier rows are there only so
    that the error can go back through them."""


@njit(cache=True)
def lay_out(text, segments, first_predicted):
    """Lay out a batch; `segments` (lanes,) are those of all lanes, or `NOTHING` for some."""
    lanes = np.flatnonzero(segments != NOTHING)
    begins = text.offsets[segments[lanes]]
    lengths = text.offsets[segments[lanes] + 1] - begins
    longest_first = np.argsort(-lengths, kind="mergesort")  # it keeps the order among equals
    lanes = lanes[longest_first]
    begins = begins[longest_first]
    lengths = lengths[longest_first]
    steps = lengths[0] if lengths.size else 0
    first_rows = np.zeros(steps + 1, np.int64)
    places = np.empty(lengths.sum(), np.int64)
    row = 0
    active = lengths.size
    for t in range(steps):
        while lengths[active - 1] <= t:
            active -= 1
        for b in range(active):
            places[row] = begins[b] + t
            row += 1
        first_rows[t + 1] = row
    targets = text.stream[places[first_predicted:] + 1]
    return Batch(lanes, first_rows, places, text.stream[places], targets, first_predicted)


class ByClass(NamedTuple):
    """A batch's predicted words, P, in the order of their classes."""

    words: Integers
    """(P,): the words' numbers."""
    starts: Integers
    """(K + 1,): class c has words[starts[c] : starts[c + 1]]."""
    first_scores: Integers
    """(P,): the place at which the scores of each word's candidates, the words of its class, begin.
    They follow each other in the order of classes."""
    scores: int
    """The number of scores."""


@njit(cache=True)
def group_by_class(classes, targets):
    """Group the words to predict (P,) by their classes."""
    of_target = classes.of_word[targets]
    words = np.argsort(of_target, kind="mergesort")
    in_order = of_target[words]
    starts = np.searchsorted(in_order, np.arange(classes.offsets.size))
    ends = np.cumsum(classes.offsets[in_order + 1] - classes.offsets[in_order])
    first_scores = np.zeros(targets.size, np.int64)
    first_scores[words[1:]] = ends[:-1]
    return ByClass(words, starts, first_scores, ends[-1] if ends.size else 0)


@njit(cache=True)
def scores_of_class(values, groups, classes, c):
    """The scores or deltas of the words of a class, (n, L), a view of `values` (scores,)."""
    begin, end = groups.starts[c], groups.starts[c + 1]
    size = classes.offsets[c + 1] - classes.offsets[c]
    first = groups.first_scores[groups.words[begin]]
    return values[first : first + (end - begin) * size].reshape(end - begin, size)


@njit(cache=True)
def states_before(first, states, batch, t):
    """The states of the word before, for the segments that have a word t: a view, (b, ·).

    `first` (B, ·) are those before the first words, `states` (N, ·) those after every word.
    """
    active = batch.first_rows[t + 1] - batch.first_rows[t]
    if t == 0:
        return first[:active]
    row = batch.first_rows[t - 1]
    return states[row : row + active]
