"""Scored text: log-probabilities of words, added up to sentences, documents and the whole text, and
written: plain for people, TSV and JSON for programs; and its document vectors."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from tqdm import tqdm

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import UnitOfText, Way
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError, counted
from online_rnnlm.use.text import Layout, Sentence, read_text

if TYPE_CHECKING:  # pandas takes long to load.
    import pandas as pd

    from online_rnnlm.use.model import TrainedModel

Vectors = NDArray[np.float32]
Per = Literal["word", "sentence", "document", "total"]
Form = Literal["plain", "tsv", "jsonl"]
LOGARITHMS = {"nats": 1.0, "bits": math.log(2), "log10": math.log(10)}
"""The units of log-probabilities, each in nats."""
_SUMMED = ["tokens", "unknown", "log_probability", "unknown_log_probability"]
_OF_TEXTS = ("perplexity_without_unknown", "oov_rate")
"""What only the sum over a whole text has."""
_SHOWN = {
    "word": ("log_probability", "word"),
    "sentence": ("log_probability", "tokens", "unknown", "perplexity", "text"),
    "document": ("log_probability", "sentences", "tokens", "unknown", "perplexity", "document"),
}
"""The columns that are shown to people, by the thing that has a row."""
_WIDTH = 11
_IN_UNITS = {"log_probability", "unknown_log_probability"}
"""The columns that are given in the unit of log-probabilities."""


@dataclass(frozen=True)
class ScoredPart:
    """Some sentences, one after the other, and their scores."""

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

    def rows_of_words(self, first: int) -> pd.DataFrame:
        """Make a row for every word; `first` is the number of sentences before this part."""
        import pandas as pd  # noqa: PLC0415

        lengths = np.diff(self.split.offsets)
        starts = np.repeat(self.split.offsets[:-1], lengths)
        texts = [sentence.words for sentence in self.sentences if sentence.words]
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
        unknown = self.unknown
        sums = self._sums(self.log_probabilities)
        of_unknown = self._sums(np.where(unknown, self.log_probabilities, 0.0))
        with np.errstate(invalid="ignore"):
            perplexity = np.exp(-sums / lengths)
        columns = {
            "document": self._documents,
            "sentence": self._numbers(first),
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
    def _documents(self) -> NDArray[np.int64]:
        return np.array([sentence.document for sentence in self.sentences], np.int64)

    def _numbers(self, first: int) -> NDArray[np.int64]:
        return np.arange(first, first + len(self.sentences))


def summary(tables: Sequence[pd.DataFrame]) -> dict[str, int | float]:
    """Add up the rows of sentences, as `ScoredPart.table` makes them.

    The sum over a text is that of the project's own evaluations. `tokens` counts an end, `</s>`,
    for each sentence; the OOV rate is the share of the words, ends not counted, that are not in the
    vocabulary.
    """
    import pandas as pd  # noqa: PLC0415

    table = pd.concat(tables)
    table = table[table["tokens"] > 0]  # empty texts would change how sums are rounded
    sentences = len(table)
    tokens = int(table["tokens"].sum())
    unknown = int(table["unknown"].sum())
    log_probability = float(np.array(table["log_probability"]).sum())
    of_known = log_probability - float(np.array(table["unknown_log_probability"]).sum())
    return {
        "sentences": sentences,
        "tokens": tokens,
        "unknown": unknown,
        "log_probability": log_probability,
        "perplexity": math.exp(-log_probability / tokens),
        "perplexity_without_unknown": math.exp(-of_known / (tokens - unknown)),
        "oov_rate": unknown / (tokens - sentences),
    }


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


class ScoreWriter:
    """A writer of a row for each word, sentence or document, and of the sum over all."""

    def __init__(self, out: IO[str], per: Per, form: Form, unit: str) -> None:
        self._out = out
        self._per = per
        self._form = form
        self._unit = unit
        self._read = 0
        """Number of sentences so far."""
        self._sentences: list[pd.DataFrame] = []
        """The numbers of all sentences."""
        self._document = 0
        """Number of the document that goes on."""
        self._of_document: list[pd.DataFrame] = []
        """The numbers of its sentences."""
        self._has_header = False

    def add(self, part: ScoredPart) -> None:
        """Write the rows of a part; a document's row follows when the document has ended."""
        table = part.table(self._read)
        if self._per == "word":
            words = part.rows_of_words(self._read)
            if self._form == "plain":
                words["word"] = [*chain.from_iterable(part.marked_tokens)]
            self._write(words)
        elif self._per == "sentence":
            self._write(table.assign(text=part.marked) if self._form == "plain" else table)
        elif self._per == "document":
            for document in table["document"].unique().tolist():
                if document != self._document:
                    self._end_document()
                self._document = document
                self._of_document.append(table.loc[table["document"] == document, _SUMMED])
        self._sentences.append(table[_SUMMED])
        self._read += len(part.sentences)

    def finish(self) -> None:
        """Write what is left and, for people or if rows are `total`, the sum over all sentences."""
        import pandas as pd  # noqa: PLC0415

        self._end_document()
        total = summary(self._sentences)
        if self._form == "plain":
            self._out.write(self._in_words(total))
        elif self._per == "total":
            self._write(pd.DataFrame([total]))

    def _end_document(self) -> None:
        import pandas as pd  # noqa: PLC0415

        if self._of_document:
            sums = summary(self._of_document)
            row = {"document": self._document, **sums}
            self._write(pd.DataFrame([row]).drop(columns=[*_OF_TEXTS]))
            self._of_document = []

    def _write(self, table: pd.DataFrame) -> None:
        for name in _IN_UNITS & {*table}:
            table = table.assign(**{name: table[name] / LOGARITHMS[self._unit]})
        if self._form == "plain":
            shown = [name for name in _SHOWN[self._per] if name in table]
            self._out.write(self._plain(table[shown]))
        elif self._form == "tsv":
            if not self._has_header:
                self._out.write("\t".join(table.columns) + "\n")
            rows = table.itertuples(index=False)
            self._out.write("".join(["\t".join(map(str, row)) + "\n" for row in rows]))
        else:
            for record in table.astype(object).where(table.notna(), None).to_dict("records"):
                self._out.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._has_header = True

    def _plain(self, table: pd.DataFrame) -> str:
        """Return lines of right-aligned numbers, the text last; titles stand above the first."""
        kinds = [".2f" if kind.kind == "f" else "" for kind in table.dtypes[:-1]]
        names = ["log P" if name == "log_probability" else name for name in table.columns]
        titles = " ".join([*(f"{name:>{_WIDTH}}" for name in names[:-1]), f" {names[-1]}\n"])
        line = " ".join([*(f"{{:>{_WIDTH}{kind}}}" for kind in kinds), " {}\n"]).format
        rows = [line(*row) for row in table.itertuples(index=False)]
        return "".join(rows if self._has_header else [titles, *rows])

    def _in_words(self, total: dict[str, int | float]) -> str:
        """Return the sum over all sentences in one line."""
        words = total["tokens"] - total["sentences"]
        shown = total["log_probability"] / LOGARITHMS[self._unit]
        return (
            f"{counted(total['sentences'], 'sentence')}, {counted(words, 'word')}, "
            f"{total['unknown']} unknown ({total['oov_rate']:.1%}): "
            f"log P {shown:.2f} {self._unit}, perplexity {total['perplexity']:.2f}, "
            f"{total['perplexity_without_unknown']:.2f} without unknown words\n"
        )


def score_text(
    model: TrainedModel,
    files: Sequence[str],
    layout: Layout,
    way: Way,
    writer: ScoreWriter,
    *,
    flush: bool = False,
) -> None:
    """Score a text; with `flush`, each sentence is scored and written before the next is read.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    if flush and model.network.unit_of(way) != "sentence":
        raise UserError("--flush: needs `--unit-of-text sentence`: nothing may be kept")
    sentences = read_text(files, model.preparation, layout)
    # The bar would be in the way of what is written to the same terminal.
    hidden = True if flush or sys.stdout.isatty() else None
    shown = tqdm(sentences, desc="scored", unit=" sentences", disable=hidden)
    size = 1 if flush else SENTENCES_A_CALL
    for part in model.score_parts(shown, way, size=size):
        writer.add(part)
        if flush:
            sys.stdout.flush()
    writer.finish()


class VectorRow(NamedTuple):
    """The document vector after a sentence."""

    document: int
    """Number of the document, from 0."""
    sentence: int
    """Number of the sentence, from 0."""
    vector: NDArray[np.floating]
    """(D,)"""
    text: str
    """The words of the sentence."""


def vectors_of(
    model: TrainedModel, files: Sequence[str], layout: Layout, way: Way
) -> Iterator[VectorRow]:
    """Yield the vector after each sentence of a text.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    number = 0
    for part in model.score_parts(read_text(files, model.preparation, layout), way):
        for sentence, vector in zip(part.sentences, part.document_vectors, strict=True):
            yield VectorRow(sentence.document, number, vector, " ".join(sentence.words))
            number += 1


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
