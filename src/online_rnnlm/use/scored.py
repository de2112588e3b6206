"""Scored text: log-probabilities of words, added up to sentences, and its document vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.use.text import Sentence

if TYPE_CHECKING:  # pandas takes long to load.
    import pandas as pd

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class ScoredPart:
    """Some sentences, one after the other, and their scores."""

    first: int
    """Number of sentences before these."""
    sentences: list[Sentence]
    unknown: NDArray[np.bool_]
    """(tokens,): True for every word that is not in the vocabulary; an end is always known."""
    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, and of `</s>` after every sentence."""
    vectors: NDArray[np.floating]
    """(sentences with words, D): the document vector after their ends."""

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(S,): the number of tokens of each sentence, 0 for an empty text."""
        lengths = [len(words) + 1 if words else 0 for words, _ in self.sentences]
        return np.array(lengths, np.int64)

    @property
    def document_vectors(self) -> NDArray[np.floating]:
        """(S, D): the document vector after every sentence's end, `</s>`; 0 for an empty text."""
        spread = np.zeros((len(self.sentences), self.vectors.shape[1]), self.vectors.dtype)
        spread[self.lengths > 0] = self.vectors
        return spread

    @property
    def starts(self) -> NDArray[np.int64]:
        """(S,): the place of each sentence's first token."""
        starts: NDArray[np.int64] = np.cumsum(self.lengths) - self.lengths
        return starts

    @property
    def by_sentence(self) -> list[NDArray[np.float64]]:
        """The log-probabilities of each sentence's words, `</s>` last."""
        return np.split(self.log_probabilities, self.starts[1:])

    @property
    def marked_texts(self) -> list[str]:
        """The sentences' texts, with brackets around the words that are not in the vocabulary."""
        flags = np.split(self.unknown, self.starts[1:])
        return [
            " ".join(marked(words, unknown))
            for (words, _), unknown in zip(self.sentences, flags, strict=True)
        ]

    def rows_of_words(self) -> pd.DataFrame:
        """Make a row for every word."""
        import pandas as pd  # noqa: PLC0415

        starts = np.repeat(self.starts, self.lengths)
        texts = [sentence.words for sentence in self.sentences if sentence.words]
        words = [word for text in texts for word in (*text, SENTENCE_END)]
        columns = {
            **{name: np.repeat(values, self.lengths) for name, values in self._numbers.items()},
            "position": np.arange(len(starts)) - starts,
            "word": pd.Series(words, dtype="str"),
            "known": ~self.unknown,
            "log_probability": self.log_probabilities,
        }
        return pd.DataFrame(columns)

    def rows_of_sentences(self) -> pd.DataFrame:
        """Make a row for every sentence."""
        import pandas as pd  # noqa: PLC0415

        sums = self._sums(self.log_probabilities)
        of_unknown = self._sums(np.where(self.unknown, self.log_probabilities, 0.0))
        with np.errstate(invalid="ignore"):
            perplexity = np.exp(-sums / self.lengths)
        columns = {
            **self._numbers,
            "tokens": self.lengths,
            "unknown": self._sums(self.unknown, np.int64),
            "log_probability": sums,
            "unknown_log_probability": of_unknown,
            "perplexity": perplexity,
            "text": pd.Series([" ".join(words) for words, _ in self.sentences], dtype="str"),
        }
        return pd.DataFrame(columns)

    def _sums(self, values: NDArray[Any], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Add up the values of each sentence's tokens, (S,)."""
        sums = np.zeros(len(self.sentences), dtype)
        has_words = self.lengths > 0
        if has_words.any():
            sums[has_words] = np.add.reduceat(values, self.starts[has_words], dtype=dtype)
        return sums

    @property
    def _numbers(self) -> dict[str, NDArray[np.int64]]:
        """The number of each sentence's document, and its own, by the names of their columns."""
        documents = np.array([sentence.document for sentence in self.sentences], np.int64)
        return {"document": documents, "sentence": np.arange(len(documents)) + self.first}


def marked(words: Iterable[str], unknown: Iterable[bool]) -> list[str]:
    """Return words, with brackets around those that are not in the vocabulary."""
    pairs = zip(words, unknown, strict=False)  # that of an end may be there, too
    return [f"[{word}]" if is_unknown else word for word, is_unknown in pairs]


def in_parts(
    sentences: Iterable[Sentence], unit: UnitOfText, size: int = SENTENCES_A_CALL
) -> Iterator[list[Sentence]]:
    """Cut a text into parts of about `size` sentences; a stream is one part.

    Documents that are units of text stay whole: a part then ends with the last document that is
    complete at each multiple of `size`, as in the evaluations.
    """
    kept: list[Sentence] = []
    end = 0  # the number of kept sentences whose documents are complete
    for number, sentence in enumerate(sentences):
        if unit == "document" and kept and sentence.document != kept[-1].document:
            end = len(kept)
        kept.append(sentence)
        if unit == "sentence" and len(kept) == size:
            yield kept
            kept = []
        elif unit == "document" and number and number % size == 0 and end:
            yield kept[:end]
            kept = kept[end:]
            end = 0
    if kept:
        yield kept


def unit_vectors(vectors: NDArray[np.floating]) -> Vectors:
    """Return vectors (N, D), each divided by its length; one of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def nearest(vectors: Vectors, query: Vectors, number: int) -> list[tuple[int, float]]:
    """Return the places of the vectors with the highest cosines to another one, and the cosines.

    All are of length 1: (S, D) and (D,). The highest comes first; of equal ones, the first.
    """
    cosines = np.clip(vectors @ query, -1, 1)  # rounding may exceed them
    best = np.argsort(-cosines, kind="stable")[:number].tolist()
    return [(place, float(cosines[place])) for place in best]
