"""An n-gram model with interpolated modified Kneser-Ney smoothing (Chen and Goodman, 1998).

P_k(w | h) = max(c(h w) - D(c(h w)), 0) / c(h) + weight(h) P_{k-1}(w | h without its first word),
weight(h) = (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h), where c(h) = Σ_w c(h w), N1 and N2 are the
numbers of words that follow h with a count of 1 and 2, N3 of those with 3 or more; P_0 is uniform
over the vocabulary. A history not seen in training has weight 1 and no counts.

Counts c are how often an n-gram occurs at the highest order; below it, how many different words
(the begin mark among them) precede the n-gram. A history holds one begin mark where it reaches
the sentence's start and never crosses it; n-grams that begin with the mark keep how often they
occur, as nothing can precede them. The mark is never predicted. All this is as in KenLM's `lmplz`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.arrays import Booleans, Floats, Integers
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.jobs.network import Tested, timed
from online_rnnlm.storage.evaluations import Costs

logger = logging.getLogger(__name__)


NO_NGRAM = -1
"""The id of a history or n-gram that is not in the model; as an index, the array's last entry."""
_NO_KEY = np.iinfo(np.int64).max
_DISCOUNT_WITHOUT_COUNTS = 0.5


def evaluate(corpus: Corpus, testing: TestingSettings) -> Tested:
    """Count the n-grams of `train`, and score the texts. Each order adds one multiply-add."""
    train = corpus.splits["train"]
    model = KneserNey.train(train, corpus.vocabulary_size, testing.kneser_ney_order)
    logger.info("%d parameters", model.parameters)
    texts = {name: corpus.splits[name] for name in corpus.held_out}
    logs, seconds = timed(model.log_probabilities, texts)
    costs = Costs(parameters_touched_per_word=0, multiply_adds_per_word=len(model.levels))
    return Tested(logs, seconds, costs, parameters=model.parameters)


class _Counts(NamedTuple):
    """The distinct n-grams of one order, sorted: `keys` and `counts` int64 (n-grams,)."""

    keys: Integers
    counts: Integers


class _Level(NamedTuple):
    """The n-grams of one order.

    An n-gram's id is its rank in `keys`, its key `history id · V + word`; a history's id is that
    of the n-gram one order lower (0 for the empty history; the begin mark's follows the words').
    `keys` int64 and `discounted` float64, (n-grams + 1,), and `weights` float64 (history ids + 1,)
    end with an entry for n-grams and histories that are not in the model: no key, 0, weight 1.
    """

    keys: Integers
    discounted: Floats
    weights: Floats
    histories: int

    @property
    def ngrams(self) -> int:
        """Number of distinct n-grams."""
        return len(self.keys) - 1

    def find(self, keys: Integers) -> Integers:
        """Ids of the n-grams with these keys, NO_NGRAM for those not in the model."""
        ranks = np.searchsorted(self.keys[:-1], keys)
        return np.where(self.keys[ranks] == keys, ranks, NO_NGRAM)


class KneserNey(NamedTuple):
    """A trained model: a level per order, unigrams first."""

    vocabulary_size: int
    levels: tuple[_Level, ...]

    @classmethod
    def train(cls, split: Split, vocabulary_size: int, order: int) -> KneserNey:
        """Estimate from the counts of a split, which has text; `order` is 1 or more."""
        levels: list[_Level] = []
        history_ids = 1
        for counts in _count(split, vocabulary_size, order):
            level = _level(counts, vocabulary_size, history_ids)
            history_ids = level.ngrams + (0 if levels else 1)  # 1 for the begin mark
            levels.append(level)
        return cls(vocabulary_size, tuple(levels))

    @property
    def parameters(self) -> int:
        """Number of values to store: one for each n-gram seen, and the weight of each history seen.

        All orders are counted, and the empty history is one of the histories.
        """
        return sum(level.ngrams + level.histories for level in self.levels)

    def log_probabilities(self, split: Split) -> Floats:
        """Natural log P(word | its sentence so far) of every token, float64 (tokens,)."""
        targets = split.stream[1:].astype(np.int64)
        starts = _sentence_starts(split)
        probabilities = np.full(len(targets), 1 / self.vocabulary_size)
        histories = np.zeros_like(targets)
        for number, level in enumerate(self.levels):
            # NO_NGRAM as history gives a negative key, which no n-gram has.
            ngrams = level.find(histories * self.vocabulary_size + targets)
            probabilities *= level.weights[histories]
            probabilities += level.discounted[ngrams]
            histories = _next_histories(ngrams, starts, level.ngrams if number == 0 else NO_NGRAM)
        logs: Floats = np.log(probabilities, out=probabilities)
        return logs


def _sentence_starts(split: Split) -> Booleans:
    """True for every target that is its sentence's first, bool (tokens,)."""
    starts = np.zeros(split.tokens, dtype=np.bool_)
    starts[split.offsets[:-1]] = True
    return starts


def _next_histories(ngrams: Integers, starts: Booleans, begin_mark: int) -> Integers:
    """Every target's history at the next order: the n-gram that ends at the word before it.

    A sentence's first word has the begin mark before it, and nothing before that.
    """
    histories = np.empty_like(ngrams)
    histories[1:] = ngrams[:-1]
    histories[starts] = begin_mark
    return histories


def _count(split: Split, vocabulary_size: int, order: int) -> Iterator[_Counts]:
    """The n-grams of every order with the counts that Kneser-Ney smoothing uses."""
    targets = split.stream[1:].astype(np.int64)
    starts = _sentence_starts(split)
    histories = np.zeros_like(targets)
    ngrams = np.empty_like(targets)
    lower: _Counts | None = None
    for number in range(order):
        # At the second order and above, some n-grams would reach over their sentence's start.
        exists = np.flatnonzero(histories != NO_NGRAM)
        keys = histories[exists] * vocabulary_size + targets[exists]
        unique, ranks, occurrences = np.unique(keys, return_inverse=True, return_counts=True)
        if lower is not None:
            yield _continuations(lower, len(unique), ranks, ngrams[exists])
        lower = _Counts(unique, occurrences)
        ngrams = np.full_like(targets, NO_NGRAM)
        ngrams[exists] = ranks
        histories = _next_histories(ngrams, starts, len(unique) if number == 0 else NO_NGRAM)
    if lower is not None:
        yield lower


def _continuations(lower: _Counts, longer: int, ranks: Integers, endings: Integers) -> _Counts:
    """Replace the counts of n-grams by the numbers of different words that precede them.

    `longer` is the number of distinct n-grams one word longer. For each of their occurrences,
    `ranks` is the n-gram's rank among them, and `endings` the id of the n-gram without its first
    word; both (occurrences,).
    """
    ending = np.empty(longer, dtype=np.int64)
    ending[ranks] = endings
    preceding = np.bincount(ending, minlength=len(lower.keys))
    # Only n-grams that begin with the begin mark have nothing before them.
    return _Counts(lower.keys, np.where(preceding > 0, preceding, lower.counts))


def _level(ngrams: _Counts, vocabulary_size: int, history_ids: int) -> _Level:
    histories = ngrams.keys // vocabulary_size
    held_back = np.array(discounts_of(ngrams.counts))[np.minimum(ngrams.counts, 3) - 1]
    totals = np.bincount(histories, weights=ngrams.counts, minlength=history_ids)
    seen = totals > 0
    weights = np.ones(history_ids + 1)
    left = np.bincount(histories, weights=held_back, minlength=history_ids)
    np.divide(left, totals, out=weights[:-1], where=seen)
    return _Level(
        keys=np.append(ngrams.keys, _NO_KEY),
        discounted=np.append((ngrams.counts - held_back) / totals[histories], 0.0),
        weights=weights,
        histories=int(np.count_nonzero(seen)),
    )


def discounts_of(counts: Integers) -> tuple[float, float, float]:
    """D1, D2, D3+ from n_i, the number of n-grams with count i (Chen and Goodman, 1998).

    D_i = i - (i + 1) Y n_{i+1} / n_i with Y = n_1 / (n_1 + 2 n_2), never above i. A discount must
    be positive, so that every history leaves something to the lower order. One that is not, or
    that n_1 = 0 or n_i = 0 leaves without meaning, takes the value of the one before it, and D1
    takes 1/2. As D1 = Y, this is absolute discounting (Ney et al.) where D2 and D3+ both fail.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(np.float64)
    discounts = [_DISCOUNT_WITHOUT_COUNTS]
    for i in (1, 2, 3):
        usable = n[1] > 0 and n[i] > 0
        discount = i - (i + 1) * n[1] / (n[1] + 2 * n[2]) * n[i + 1] / n[i] if usable else 0.0
        discounts.append(float(discount) if discount > 0 else discounts[-1])
    return discounts[1], discounts[2], discounts[3]
