"""Scored text: log-probabilities of words, added up to sentences, and its document vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import UnitOfText, Way
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.use.text import Layout, Sentence, read_text

if TYPE_CHECKING:  # pandas takes long to load.
    import pandas as pd

    from online_rnnlm.use.model import TrainedModel

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class ScoredPart:
    """Some sentences, one after the other, and their scores."""

    first: int
    """Number of sentences before these."""
    sentences: list[Sentence]
    split: Split
    corpus: Corpus
    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, and of `</s>` after every sentence."""
    document_vectors: NDArray[np.floating]
    """(S, D): the document vector after every sentence's end, `</s>`."""

    @classmethod
    def of(
        cls,
        first: int,
        sentences: list[Sentence],
        corpus: Corpus,
        split: Split,
        log_probabilities: NDArray[np.float64],
        document_vectors: NDArray[np.floating],
    ) -> ScoredPart:
        """Put together the scores of those sentences that have words, and rows for the others."""
        has_words = np.array([bool(sentence.words) for sentence in sentences], np.bool_)
        lengths = np.zeros(len(sentences), np.int64)
        lengths[has_words] = np.diff(split.offsets)
        vectors = np.zeros((len(sentences), document_vectors.shape[1]), document_vectors.dtype)
        vectors[has_words] = document_vectors
        split = Split(split.stream, np.append(0, np.cumsum(lengths)))
        return cls(first, sentences, split, corpus, log_probabilities, vectors)

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
        texts = self._texts
        unknown = self.unknown
        for number in np.flatnonzero(self._sums(unknown, np.int64)).tolist():
            begin = int(self.split.offsets[number])
            words = enumerate(self.sentences[number].words, begin)
            texts[number] = " ".join(f"[{word}]" if unknown[at] else word for at, word in words)
        return texts

    @property
    def marked_tokens(self) -> list[list[str]]:
        """The tokens of each sentence that has any, with such brackets; `</s>` is the last."""
        return [[*text.split(" "), SENTENCE_END] for text in self.marked if text]

    def rows_of_words(self) -> pd.DataFrame:
        """Make a row for every word."""
        import pandas as pd  # noqa: PLC0415

        lengths = np.diff(self.split.offsets)
        starts = np.repeat(self.split.offsets[:-1], lengths)
        texts = [sentence.words for sentence in self.sentences if sentence.words]
        words = [word for text in texts for word in (*text, SENTENCE_END)]
        columns = {
            **{name: np.repeat(values, lengths) for name, values in self._numbers.items()},
            "position": np.arange(len(starts)) - starts,
            "word": pd.Series(words, dtype="str"),
            "known": ~self.unknown,
            "log_probability": self.log_probabilities,
        }
        return pd.DataFrame(columns)

    def rows_of_sentences(self) -> pd.DataFrame:
        """Make a row for every sentence."""
        import pandas as pd  # noqa: PLC0415

        lengths = np.diff(self.split.offsets)
        unknown = self.unknown
        sums = self._sums(self.log_probabilities)
        of_unknown = self._sums(np.where(unknown, self.log_probabilities, 0.0))
        with np.errstate(invalid="ignore"):
            perplexity = np.exp(-sums / lengths)
        columns = {
            **self._numbers,
            "tokens": lengths,
            "unknown": self._sums(unknown, np.int64),
            "log_probability": sums,
            "unknown_log_probability": of_unknown,
            "perplexity": perplexity,
            "text": pd.Series(self._texts, dtype="str"),
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
    def _texts(self) -> list[str]:
        return [" ".join(sentence.words) for sentence in self.sentences]

    @property
    def _numbers(self) -> dict[str, NDArray[np.int64]]:
        """The number of each sentence's document, and its own, by the names of their columns."""
        documents = np.array([sentence.document for sentence in self.sentences], np.int64)
        return {"document": documents, "sentence": np.arange(len(documents)) + self.first}


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


def vectors_of(
    model: TrainedModel, files: Sequence[str], layout: Layout, way: Way
) -> Iterator[tuple[Any, NDArray[np.floating]]]:
    """Yield a row of `rows_of_sentences` and the document vector after it for each sentence.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    for part in model.score_parts(read_text(files, model.preparation, layout), way):
        rows = part.rows_of_sentences().itertuples(index=False)
        yield from zip(rows, part.document_vectors, strict=True)


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
