"""The pieces of a test text that tests of significance draw: sentences, articles or blocks.

A bootstrap and a permutation take it that pieces do not depend on each other. Sentences that were
shuffled before the text was divided do not, unless a model keeps something from one to the next.
Sentences of an article do: they share its subject, so a model that does well on one tends to do
well on the next, and whatever is learnt from one helps with the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.testing import UnitOfText

PieceName = Literal["sentence", "article", "block"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """A text's pieces; `number` (sentences,) is the number of each sentence's piece, from 0."""

    name: PieceName
    number: Ints

    @property
    def count(self) -> int:
        """Number of pieces."""
        return int(self.number.max()) + 1

    def sums(self, values: npt.NDArray[np.floating | np.integer]) -> npt.NDArray[np.float64]:
        """(pieces,): the sum of the sentences' values (sentences,) in each piece."""
        sums = np.bincount(self.number, values.astype(np.float64), self.count)
        return np.asarray(sums, dtype=np.float64)


def pieces_of(
    corpus: CorpusSettings, articles: npt.NDArray[np.int32], kept_for: UnitOfText
) -> Pieces:
    """The pieces of a test text of `corpus`; `articles` (sentences,) is each sentence's article.

    `kept_for` is the unit of text for which the compared models keep their states, vectors,
    weights or caches.

    - Text in its own order is drawn by articles. Where these are not known, it is drawn by blocks
      of N^(1/3) consecutive sentences (the rate of Hall, Horowitz and Jing 1995, with factor 1).
    - Shuffled text is drawn by sentences if everything is forgotten at a sentence's end, by
      articles if something is kept for an article's sentences, and by blocks if it is never
      forgotten.
    """
    if are_known(articles) and (corpus.keeps_order or kept_for == "document"):
        number = np.unique(articles, return_inverse=True)[1]
        return Pieces("article", number.astype(np.int64))
    if corpus.keeps_order or kept_for == "stream":
        return blocks(len(articles))
    return Pieces("sentence", np.arange(len(articles)))


def are_known(articles: npt.NDArray[np.int32]) -> bool:
    """True if the articles of sentences (S,) divide the text: neither one, nor one a sentence."""
    return 1 < len(np.unique(articles)) < len(articles)


def longest(units: Sequence[UnitOfText]) -> UnitOfText:
    """The longest of some units of text: the stream, a document, or a sentence."""
    return max(units, key=get_args(UnitOfText).index)


def blocks(sentences: int) -> Pieces:
    """Blocks of N^(1/3) consecutive sentences of N."""
    length = max(1, round(sentences ** (1 / 3)))
    return Pieces("block", np.arange(sentences) // length)
