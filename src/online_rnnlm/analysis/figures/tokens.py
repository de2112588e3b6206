"""Groups of test tokens, by position or by word, with each group's perplexity and interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from online_rnnlm.analysis.comparison import Side
from online_rnnlm.analysis.pieces import Pieces
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import bootstrap_interval
from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN, Split, Vocabulary
from online_rnnlm.errors import UserError
from online_rnnlm.storage.scores import token_scores

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

POSITIONS = ((1, "1"), (2, "2"), (3, "3–4"), (5, "5–8"), (9, "9–16"), (17, "17–32"), (33, "33 +"))
"""The first position, from 1, of each group of positions in a sentence, or of sentences in an
article, and the group's name."""
BANDS = ((10, "10 most frequent"), (100, "next 100"), (1000, "next 1,000"))
"""The number of words in each band of word frequency, and the band's name."""
_RESAMPLES = 2000
_SEED = 1


@dataclass(frozen=True)
class Groups:
    """A text's tokens in groups.

    `group` (tokens,): the number of each token's group in `names`; `piece` (tokens,): the number,
    from 0, of the piece of text that a bootstrap draws it with.
    """

    names: Sequence[str]
    group: Ints
    piece: Ints

    def sums(self, values: Floats) -> Floats:
        """(pieces, groups): the sum of the tokens' values (tokens,) by piece and group."""
        shape = (int(self.piece.max()) + 1, len(self.names))
        cells = np.ravel_multi_index((self.piece, self.group), shape)
        sums = np.bincount(cells, values.astype(np.float64), math.prod(shape))
        return np.asarray(sums, dtype=np.float64).reshape(shape)

    @property
    def shares(self) -> Floats:
        """(groups,): the share of the tokens in each group."""
        counts = np.bincount(self.group, minlength=len(self.names))
        return np.asarray(counts / len(self.group), dtype=np.float64)


@dataclass(frozen=True)
class Means:
    """A mean for each group that has tokens, and the bounds of its 95 % interval.

    `present` holds the numbers of these groups; the other arrays have its shape.
    """

    present: Ints
    mean: Floats
    low: Floats
    high: Floats

    def perplexity(self) -> Means:
        """exp(-mean): perplexities if the means are of log P, their ratios if they are of gains."""
        return Means(self.present, np.exp(-self.mean), np.exp(-self.high), np.exp(-self.low))


def _sentences(split: Split) -> Ints:
    """The number of every token's sentence."""
    return np.repeat(np.arange(split.sentences), np.diff(split.offsets))


def by_position(split: Split, pieces: Pieces) -> Groups:
    """Group tokens by their position in the sentence."""
    sentence = _sentences(split)
    return _by_count(np.arange(split.tokens) - split.offsets[sentence] + 1, sentence, pieces)


def by_distance(split: Split, pieces: Pieces) -> Groups:
    """Group tokens by the place of their sentence among those of its article."""
    place = pd.Series(split.articles).groupby(split.articles).cumcount().to_numpy() + 1
    sentence = _sentences(split)
    return _by_count(place[sentence], sentence, pieces)


def _by_count(count: Ints, sentence: Ints, pieces: Pieces) -> Groups:
    """Group tokens (tokens,) by a number from 1 on; `sentence` is that of each."""
    starts = [start for start, _ in POSITIONS]
    group = np.searchsorted(starts, count, side="right") - 1
    return Groups([name for _, name in POSITIONS], group, pieces.number[sentence])


def by_frequency(split: Split, vocabulary: Vocabulary, pieces: Pieces) -> Groups:
    """Group tokens by their word's frequency in `train`; `</s>` and `<unk>` are separate groups."""
    special = [SENTENCE_END, UNKNOWN]
    names = [*special, *(name for _, name in BANDS), "the rest"]
    of_word = np.empty(len(vocabulary.words), dtype=np.int64)
    ids = [vocabulary.words.index(word) for word in special]
    of_word[ids] = range(len(special))
    others = np.delete(np.arange(len(of_word)), ids)
    ranked = others[np.argsort(-vocabulary.counts[others], kind="stable")]
    ends = np.cumsum([count for count, _ in BANDS])
    of_word[ranked] = len(special) + np.searchsorted(ends, np.arange(len(ranked)), side="right")
    return Groups(names, of_word[split.stream[1:]], pieces.number[_sentences(split)])


def group_means(groups: Groups, values: Floats) -> Means:
    """The mean of tokens' values (tokens,) in each group, with its bootstrap interval.

    The bootstrap draws, with replacement, pieces of text that have tokens of the group.
    """
    counts, sums = groups.sums(np.ones(len(values))), groups.sums(values)
    present = np.flatnonzero(counts.any(axis=0))
    found = []
    for number in present:
        has = counts[:, number] > 0
        gains, tokens = sums[has, number], counts[has, number].astype(np.int64)
        mean = gains.sum() / tokens.sum()
        # A single piece says nothing about others.
        alone = len(gains) < 2
        bounds = (mean, mean) if alone else bootstrap_interval(gains, tokens, _SEED, _RESAMPLES)
        found.append((mean, *bounds))
    mean, low, high = np.array(found, dtype=np.float64).T
    return Means(present, mean, low, high)


def pooled_scores(results: Results, side: Side, tokens: int) -> Floats:
    """(tokens,): natural log P of every test token, averaged over the seeds.

    Raises UserError if the number of scores is not `tokens`.
    """
    names = [run.name for run in side.row.runs]
    scores = [token_scores(results.directory, name, side.evaluation) for name in names]
    for name, found in zip(names, scores, strict=True):
        if found.shape != (tokens,):
            path = results.directory.token_scores(name, side.evaluation)
            raise UserError(f"{path}: {len(found)} scores for {tokens} test tokens")
    return np.asarray(np.mean(scores, axis=0, dtype=np.float64))
