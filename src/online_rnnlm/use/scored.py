"""Scored text: log-probabilities of words, added up to sentences, documents and the whole text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.use.text import Sentence

if TYPE_CHECKING:  # It takes long to load.
    import pandas as pd


@dataclass(frozen=True)
class ScoredPart:
    """Some sentences, one after the other, and their scores."""

    sentences: list[Sentence]
    split: Split
    corpus: Corpus
    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, and of `</s>` after every sentence."""
    document_vectors: NDArray[np.floating]
    """(S, D): the document vector after every sentence's last word."""

    @classmethod
    def of(
        cls,
        sentences: list[Sentence],
        corpus: Corpus,
        split: Split,
        log_probabilities: NDArray[np.float64],
        document_vectors: NDArray[np.floating],
    ) -> ScoredPart:
        """Put together the scores of those sentences that have words, and rows for the others."""
        has_words = np.array([bool(one.words) for one in sentences], np.bool_)
        lengths = np.zeros(len(sentences), np.int64)
        lengths[has_words] = np.diff(split.offsets)
        vectors = np.zeros((len(sentences), document_vectors.shape[1]), document_vectors.dtype)
        vectors[has_words] = document_vectors
        split = Split(split.stream, np.append(0, np.cumsum(lengths)))
        return cls(sentences, split, corpus, log_probabilities, vectors)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """(tokens,): True for every word that is not in the vocabulary."""
        return np.equal(self.split.stream[1:], self.corpus.unk_id)

    @property
    def by_sentence(self) -> list[NDArray[np.float64]]:
        """The log-probabilities of each sentence's words, `</s>` last."""
        return np.split(self.log_probabilities, self.split.offsets[1:-1])

    @property
    def marked(self) -> list[str]:
        """The sentences' texts, with brackets around the words that are not in the vocabulary."""
        texts = [" ".join(one.words) for one in self.sentences]
        offsets, unknown = self.split.offsets, self.unknown
        for number in np.flatnonzero(self._sums(unknown, np.int64)).tolist():
            begin = int(offsets[number])
            words = enumerate(self.sentences[number].words, begin)
            texts[number] = " ".join(f"[{word}]" if unknown[at] else word for at, word in words)
        return texts

    @property
    def marked_tokens(self) -> list[list[str]]:
        """The tokens of each sentence that has any, with such brackets; `</s>` is the last."""
        return [[*text.split(" "), SENTENCE_END] for text in self.marked if text]

    def rows_of_words(self, first: int) -> pd.DataFrame:
        """Make a row for every word; `first` is the number of sentences before this part."""
        import pandas as pd  # noqa: PLC0415

        lengths = np.diff(self.split.offsets)
        starts = np.repeat(self.split.offsets[:-1], lengths)
        texts = [one.words for one in self.sentences if one.words]
        words = [word for text in texts for word in (*text, SENTENCE_END)]
        columns = {
            "document": np.repeat(self._documents, lengths),
            "sentence": np.repeat(self._numbers(first), lengths),
            "position": np.arange(len(starts)) - starts,
            "word": pd.Series(words, dtype="str"),
            "known": ~self.unknown,
            "log_probability": self.log_probabilities,
        }
        return pd.DataFrame(columns)

    def table(self, first: int) -> pd.DataFrame:
        """Make a row for every sentence; `first` is the number of sentences before this part."""
        import pandas as pd  # noqa: PLC0415

        lengths = np.diff(self.split.offsets)
        logs, unknown = self.log_probabilities, self.unknown
        sums = self._sums(logs)
        with np.errstate(invalid="ignore"):
            perplexity = np.exp(-sums / lengths)
        columns = {
            "document": self._documents,
            "sentence": self._numbers(first),
            "tokens": lengths,
            "unknown": self._sums(unknown, np.int64),
            "log_probability": sums,
            "unknown_log_probability": self._sums(np.where(unknown, logs, 0.0)),
            "perplexity": perplexity,
            "text": pd.Series([" ".join(one.words) for one in self.sentences], dtype="str"),
        }
        return pd.DataFrame(columns)

    def _sums(self, values: NDArray[Any], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Add up the values of each sentence's tokens, (S,)."""
        sums = np.zeros(len(self.sentences), dtype)
        has_words = np.diff(self.split.offsets) > 0
        if has_words.any():
            starts = self.split.offsets[:-1][has_words]
            sums[has_words] = np.add.reduceat(values, starts, dtype=dtype)
        return sums

    @property
    def _documents(self) -> NDArray[np.int64]:
        return np.array([one.document for one in self.sentences], np.int64)

    def _numbers(self, first: int) -> NDArray[np.int64]:
        return np.arange(first, first + len(self.sentences))


@dataclass
class Total:
    """The sums over sentences; the sum over all is that of the project's own evaluations."""

    sentences: int = 0
    tokens: int = 0
    """Number of words, with a `</s>` for each sentence."""
    unknown: int = 0
    """Number of words that are not in the vocabulary."""
    _logs: list[NDArray[np.float64]] = field(default_factory=list)
    _unknown_logs: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, table: pd.DataFrame) -> None:
        """Add the sentences of a table that `ScoredPart.table` made."""
        table = table[table["tokens"] > 0]  # empty texts would change how sums are rounded
        self.sentences += len(table["tokens"])
        self.tokens += int(np.sum(table["tokens"]))
        self.unknown += int(np.sum(table["unknown"]))
        self._logs.append(np.array(table["log_probability"]))
        self._unknown_logs.append(np.array(table["unknown_log_probability"]))

    @property
    def log_probability(self) -> float:
        """Natural log P of all words, each sentence's `</s>` among them."""
        return float(np.concatenate(self._logs).sum())

    @property
    def perplexity(self) -> float:
        """Perplexity; `</s>` and unknown words count as words."""
        return math.exp(-self.log_probability / self.tokens)

    @property
    def perplexity_without_unknown(self) -> float:
        """Perplexity of the words that are in the vocabulary."""
        known = self.log_probability - float(np.concatenate(self._unknown_logs).sum())
        return math.exp(-known / (self.tokens - self.unknown))

    @property
    def oov_rate(self) -> float:
        """Share of the words, `</s>` not counted, that are not in the vocabulary."""
        return self.unknown / (self.tokens - self.sentences)


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
            kept, end = kept[end:], 0
    if kept:
        yield kept
