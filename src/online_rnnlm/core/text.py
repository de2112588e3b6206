"""The text that a network reads: arrays of word ids, and the classes of the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray


def sum_by_sentence(
    values: NDArray[Any], lengths: NDArray[np.int64], dtype: DTypeLike = np.float64
) -> NDArray[Any]:
    """Add up the values (tokens,) of each sentence, (S,); `lengths` (S,) are numbers of tokens.

    The sum of a sentence without tokens is 0.
    """
    sums = np.zeros(len(lengths), dtype)
    has_tokens = lengths > 0
    if has_tokens.any():
        starts = np.cumsum(lengths) - lengths
        sums[has_tokens] = np.add.reduceat(values, starts[has_tokens], dtype=dtype)
    return sums


@dataclass(frozen=True)
class Split:
    """One split: the inputs `stream[:-1]`, their targets `stream[1:]`, and the sentences' offsets.

    `stream` is int32 (tokens + 1,), memory-mapped and read-only; `offsets` int64 (sentences + 1,):
    sentence k's targets are `stream[offsets[k] + 1 : offsets[k + 1] + 1]`, the last one `</s>`.
    `articles` is int32 (sentences,): the index of each sentence's article. All sentences with the
    same index, in their order, are a document. If it is empty, each sentence is a document.
    """

    stream: NDArray[np.int32]
    offsets: NDArray[np.int64]
    articles: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    def first(self, sentences: int) -> Split:
        """Return the text's first sentences."""
        offsets = self.offsets[: sentences + 1]
        return Split(self.stream[: offsets[-1] + 1], offsets, self.articles[:sentences])

    @property
    def sentences(self) -> int:
        """Number of sentences."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(sentences,): the number of tokens of each sentence, `</s>` counted."""
        return np.diff(self.offsets)

    @property
    def tokens(self) -> int:
        """Number of tokens to predict, `</s>` counted."""
        return len(self.stream) - 1

    @property
    def documents(self) -> int:
        """Number of documents."""
        return len(np.unique(self.articles)) if self.articles.size else self.sentences


class EncodedText(Protocol):
    """A corpus as a network sees it: word classes, and splits by name."""

    @property
    def class_offsets(self) -> NDArray[np.int64]:
        """(K + 1,): class c has the word ids from class_offsets[c] to class_offsets[c + 1] - 1."""

    @property
    def splits(self) -> Mapping[str, Split]:
        """The splits by name; training reads `train` and `valid`."""

    @property
    def vocabulary_size(self) -> int:
        """Number of words, V."""

    @property
    def classes(self) -> int:
        """Number of word classes, K; none is empty."""
