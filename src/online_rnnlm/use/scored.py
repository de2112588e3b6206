"""Scored text: log-probabilities of words, added up to sentences, documents and the whole text, and
written: plain for people, TSV and JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray
from tqdm import tqdm

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import UnitOfText, Way
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.use.text import Layout, Sentence, read_text

if TYPE_CHECKING:  # pandas takes long to load.
    import pandas as pd

    from online_rnnlm.use.model import TrainedModel

Per = Literal["word", "sentence", "document", "total"]
Form = Literal["plain", "tsv", "jsonl"]
LOGARITHMS = {"nats": 1.0, "bits": math.log(2), "log10": math.log(10)}
"""The units of log-probabilities, each in nats."""
_NUMBERS = ("sentences", "tokens", "unknown", "log_probability", "perplexity")
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
        self._total = Total()
        self._read = 0
        """Number of sentences so far."""
        self._document: tuple[int, Total] | None = None
        """Number and sum of the document that goes on."""
        self._has_header = False

    def add(self, part: ScoredPart) -> None:
        """Write the rows of a part; a document's row follows when the document has ended."""
        first = self._read
        table = part.table(first)
        self._read += len(part.sentences)
        if self._per == "word":
            words = part.rows_of_words(first)
            if self._form == "plain":
                words["word"] = [*chain.from_iterable(part.marked_tokens)]
            self._write(words)
        elif self._per == "sentence":
            self._write(table.assign(text=part.marked) if self._form == "plain" else table)
        elif self._per == "document":
            for document in table["document"].unique().tolist():
                if self._document is None or self._document[0] != document:
                    self._end_document()
                    self._document = document, Total()
                self._document[1].add(table[table["document"] == document])
        self._total.add(table)

    def finish(self) -> None:
        """Write what is left and, for people or if rows are `total`, the sum over all sentences."""
        self._end_document()
        if self._form == "plain":
            self._out.write(self._in_words())
        elif self._per == "total":
            more = ("perplexity_without_unknown", "oov_rate")
            self._write_row({name: getattr(self._total, name) for name in (*_NUMBERS, *more)})

    def _end_document(self) -> None:
        if self._document is not None:
            number, total = self._document
            sums = {name: getattr(total, name) for name in _NUMBERS}
            self._write_row({"document": number, **sums})
            self._document = None

    def _write_row(self, values: dict[str, int | float]) -> None:
        import pandas as pd  # noqa: PLC0415

        self._write(pd.DataFrame([values]))

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

    def _in_words(self) -> str:
        """Return the sum over all sentences in one line."""
        total = self._total
        words = total.tokens - total.sentences
        shown = total.log_probability / LOGARITHMS[self._unit]
        return (
            f"{_counted(total.sentences, 'sentence')}, {_counted(words, 'word')}, "
            f"{total.unknown} unknown ({total.oov_rate:.1%}): log P {shown:.2f} {self._unit}, "
            f"perplexity {total.perplexity:.2f}, "
            f"{total.perplexity_without_unknown:.2f} without unknown words\n"
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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
