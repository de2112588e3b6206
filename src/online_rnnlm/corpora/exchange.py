"""Word classes by the exchange algorithm (Kneser and Ney, 1993; Martin, Liermann and Ney, 1998).

A class bigram model is P(w | v) = P(c(w) | c(v)) P(w | c(w)) for the word w after the word v, where
c(w) is the class of w. If a word of class c' follows one of class c N(c, c') times, and N(c) words
of the text are of class c, the log-likelihood of the text depends on the classes by

    Σ N(c, c') ln N(c, c') - 2 Σ N(c) ln N(c).

A sweep moves each word in turn, `</s>` and then the most frequent words first, to the class in
which this is largest. Sweeps are repeated until few words still move. A word that is alone in its
class stays there, so no class becomes empty. A sentence is read as `</s> w1 … wn </s>`: it begins
anew, as it does for the network, and nothing is counted across its ends.

Every term n ln n is rounded to a multiple of 1 / `UNIT`. So all sums are exact: the order of their
terms does not matter, and gains that are equal are equal to the last bit.
"""

from __future__ import annotations

import logging
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

logger = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]

UNIT = 1 << 24
"""The number of parts into which 1 is divided; an int64 holds the sums of 8 billion tokens."""
MOST_SWEEPS = 30
ENOUGH_MOVED = 0.001
"""The share of the words that a sweep has to move for another one to follow."""
_KEPT_TERMS = 1 << 20
"""Number of terms n ln n that are computed once; those of larger n are computed each time."""


class Neighbours(NamedTuple):
    """The words on one side of each word w: entries `starts[w]` to `starts[w + 1] - 1`.

    A word is no neighbour of itself.
    """

    starts: Ints
    """(V + 1,)"""
    words: Ints
    """(pairs,): the words beside it."""
    counts: Ints
    """(pairs,): how often they stand there."""


class Bigrams(NamedTuple):
    """The counts of the bigrams of a text, over a vocabulary of V words."""

    after: Neighbours
    """The words that follow each word."""
    before: Neighbours
    """The words that precede each word."""
    repeated: Ints
    """(V,): how often each word follows itself."""
    counts: Ints
    """(V,): how often each word occurs."""


class Classes(NamedTuple):
    """A division of V words into K classes, and its counts; moves of words change all arrays."""

    of_word: Ints
    """(V,): each word's class."""
    sizes: Ints
    """(K,): number of words."""
    counts: Ints
    """(K,): N(c)."""
    pairs: Ints
    """(K, K): N(c, c'), where c' follows c."""
    transposed: Ints
    """(K, K): the transpose of `pairs`: loops read rows faster than columns."""


def exchange_classes(bigrams: Bigrams, number: int) -> Ints:
    """Divide the words into a number of classes, none of them empty; return every word's class.

    At first, word w is in class w mod `number`. On Wikipedia text this ends with a higher
    likelihood than a start from classes by frequency.
    """
    words = np.arange(bigrams.counts.size)
    classes, terms = divide(bigrams, words % number), first_terms(_KEPT_TERMS)
    for sweep in range(1, MOST_SWEEPS + 1):
        moved, gain = exchange_words(words, bigrams, classes, terms)
        logger.info("sweep %d moved %d words: log-likelihood +%.1f", sweep, moved, gain / UNIT)
        if moved < ENOUGH_MOVED * words.size:
            break
    return classes.of_word


def bigrams_of(stream: npt.NDArray[np.int32], words: int) -> Bigrams:
    """Count the bigrams of sentences that stand one after another, `</s>` around each of them."""
    keys, counts = np.unique(stream[:-1].astype(np.int64) * words + stream[1:], return_counts=True)
    first, second = np.divmod(keys, words)
    same = first == second
    repeated = np.zeros(words, np.int64)
    repeated[first[same]] = counts[same]
    pairs = (first[~same], second[~same], counts[~same])
    return Bigrams(
        after=_neighbours(*pairs, words),
        before=_neighbours(pairs[1], pairs[0], pairs[2], words),
        repeated=repeated,
        counts=np.bincount(stream[1:], minlength=words),
    )


def _neighbours(of: Ints, beside: Ints, counts: Ints, words: int) -> Neighbours:
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.arange(words + 1))
    return Neighbours(starts, beside[order], counts[order])


def divide(bigrams: Bigrams, of_word: Ints) -> Classes:
    """Divide the words into classes, of which each has a word, and count them."""
    number = int(of_word.max()) + 1
    after = bigrams.after
    pairs = np.zeros((number, number), np.int64)
    np.add.at(
        pairs, (np.repeat(of_word, np.diff(after.starts)), of_word[after.words]), after.counts
    )
    np.add.at(pairs, (of_word, of_word), bigrams.repeated)
    counts = np.zeros(number, np.int64)
    np.add.at(counts, of_word, bigrams.counts)
    sizes = np.bincount(of_word, minlength=number)
    return Classes(of_word.copy(), sizes, counts, pairs, pairs.T.copy())


@njit(cache=True)
def exchange_words(words: Ints, bigrams: Bigrams, classes: Classes, terms: Ints) -> tuple[int, int]:
    """Move each of these words to the best class, or leave it where it is; change `classes`.

    Of classes that are equally good, a word's own one is taken, or else the first. Returns how many
    words have moved, and the gain of log-likelihood times `UNIT`. `terms` is from `first_terms`.
    """
    after, before, gains = np.zeros((3, classes.sizes.size), np.int64)
    moved = gained = 0
    for word in words:
        own = classes.of_word[word]
        if classes.sizes[own] == 1:
            continue
        _count_classes(word, bigrams.after, classes, after)
        _count_classes(word, bigrams.before, classes, before)
        _add(word, own, -1, bigrams, classes, after, before)
        _fill_gains(
            bigrams.counts[word], bigrams.repeated[word], classes, terms, after, before, gains
        )
        best = np.argmax(gains)
        if gains[best] == gains[own]:
            best = own
        _add(word, best, 1, bigrams, classes, after, before)
        moved += best != own
        gained += gains[best] - gains[own]
    return moved, gained


@njit(cache=True)
def _count_classes(word: int, neighbours: Neighbours, classes: Classes, found: Ints) -> None:
    """Count the classes of a word's neighbours into `found` (K,)."""
    found[:] = 0
    for place in range(neighbours.starts[word], neighbours.starts[word + 1]):
        found[classes.of_word[neighbours.words[place]]] += neighbours.counts[place]


@njit(cache=True)
def _add(
    word: int, c: int, sign: int, bigrams: Bigrams, classes: Classes, after: Ints, before: Ints
) -> None:
    """Add a word to class c, or take it away if `sign` is -1."""
    classes.of_word[word] = c
    classes.sizes[c] += sign
    classes.counts[c] += sign * bigrams.counts[word]
    for other in range(after.size):
        classes.pairs[c, other] += sign * after[other]
        classes.transposed[other, c] += sign * after[other]
        classes.pairs[other, c] += sign * before[other]
        classes.transposed[c, other] += sign * before[other]
    classes.pairs[c, c] += sign * bigrams.repeated[word]
    classes.transposed[c, c] += sign * bigrams.repeated[word]


@njit(cache=True)
def _fill_gains(
    count: int, repeated: int, classes: Classes, terms: Ints, after: Ints, before: Ints, gains: Ints
) -> None:
    """Compute the gain (K,) of adding to each class a word that is in none, without a constant."""
    for c in range(gains.size):
        within = classes.pairs[c, c]
        gains[c] = (
            _term(within + after[c] + before[c] + repeated, terms)
            - _term(within + after[c], terms)
            - _term(within + before[c], terms)
            + _term(within, terms)
            - 2 * (_term(classes.counts[c] + count, terms) - _term(classes.counts[c], terms))
        )
    # The pairs of a class with itself have been corrected in advance.
    for other in range(gains.size):
        if after[other]:
            _add_gains(classes.transposed[other], after[other], terms, gains)
        if before[other]:
            _add_gains(classes.pairs[other], before[other], terms, gains)


@njit(cache=True)
def _add_gains(pairs: Ints, more: int, terms: Ints, gains: Ints) -> None:
    for c in range(gains.size):
        gains[c] += _term(pairs[c] + more, terms) - _term(pairs[c], terms)


@njit(cache=True)
def first_terms(number: int) -> Ints:
    """The terms n ln n for n below a number, int64, times `UNIT`."""
    terms = np.empty(number, np.int64)
    for n in range(number):
        terms[n] = _computed_term(n)
    return terms


@njit(cache=True)
def _term(n: int, terms: Ints) -> int:
    """The term n ln n times `UNIT`; `terms` has those of small n."""
    return int(terms[n]) if n < terms.size else int(_computed_term(n))


@njit(cache=True)
def _computed_term(n: int) -> int:
    return math.floor(n * math.log(n) * UNIT + 0.5) if n > 1 else 0
