"""A prepared corpus in the model's form: vocabulary, word classes and memory-mapped arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory
from online_rnnlm.storage.records import Statistics

UNKNOWN = "<unk>"
SENTENCE_END = "</s>"
SENTENCE_END_ID = 0
_PART = 1 << 20
VOCABULARY_HEADER = "word\tcount\tclass"


@dataclass(frozen=True)
class Split:
    """One split: the inputs `stream[:-1]`, their targets `stream[1:]`, and the sentences' offsets.

    `stream` is int32 (tokens + 1,), memory-mapped and read-only; `offsets` int64 (sentences + 1,):
    sentence k's targets are `stream[offsets[k] + 1 : offsets[k + 1] + 1]`, the last one `</s>`.
    `articles` is int32 (sentences,): the number of each sentence's article. All sentences with the
    same number, in their order, are a document. If it is empty, each sentence is a document.
    """

    stream: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    articles: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    @property
    def sentences(self) -> int:
        """Number of sentences."""
        return len(self.offsets) - 1

    @property
    def tokens(self) -> int:
        """Number of tokens to predict, `</s>` counted."""
        return len(self.stream) - 1

    @property
    def documents(self) -> int:
        """Number of documents."""
        return len(np.unique(self.articles)) if self.articles.size else self.sentences

    @cached_property
    def fits_together(self) -> bool:
        """True if the sentences follow one another, none of them empty, and fill the stream."""
        if self.stream.ndim != 1 or self.offsets.ndim != 1 or not self.offsets.size:
            return False
        if (self.offsets[0], self.offsets[-1]) != (0, self.tokens):
            return False
        return bool((np.diff(self.offsets) > 0).all())

    @cached_property
    def _ids(self) -> tuple[int, int]:
        """The lowest and the highest id of a word."""
        return int(self.stream.min()), int(self.stream.max())

    def check(self, vocabulary_size: int, where: object) -> None:
        """Raise UserError unless the arrays fit each other and a vocabulary of that many words.

        `where` is the arrays' place in the message. Each array is read only the first time.
        """
        if not self.fits_together:
            raise UserError(f"{where}: the offsets of the sentences do not fit the words")
        lowest, highest = self._ids
        if lowest < 0 or highest >= vocabulary_size:
            word = lowest if lowest < 0 else highest
            raise UserError(
                f"{where}: contains the word {word}, but the vocabulary has the words 0 to "
                f"{vocabulary_size - 1}"
            )


@dataclass(frozen=True)
class Corpus:
    """A prepared corpus.

    `words` are in the order of their ids, `</s>` first; class c's words are the ids from
    `class_offsets[c]` to `class_offsets[c + 1] - 1` (int64, (classes + 1,)); `digest` covers arrays
    and vocabulary.
    """

    words: list[str]
    counts: npt.NDArray[np.int64]
    class_offsets: npt.NDArray[np.int64]
    unk_id: int
    splits: dict[str, Split]
    digest: str

    @property
    def vocabulary_size(self) -> int:
        """Number of words, `<unk>` and `</s>` among them, V."""
        return len(self.words)

    @property
    def classes(self) -> int:
        """Number of word classes, K; none is empty."""
        return len(self.class_offsets) - 1

    @property
    def word_classes(self) -> npt.NDArray[np.int64]:
        """Every word's class, int64 (V,)."""
        return np.repeat(np.arange(self.classes), np.diff(self.class_offsets))

    def mean_class_size(self, split: str) -> float:
        """`mean_class_size` of a split's tokens."""
        return mean_class_size(self.class_offsets, self.splits[split].stream[1:])


@dataclass(frozen=True)
class Vocabulary:
    """The words by id, their counts in `train`, and the ranges of ids of the classes."""

    words: list[str]
    counts: npt.NDArray[np.int64]
    class_offsets: npt.NDArray[np.int64]


def scored_words(class_offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of words to score in each class, int64 (K,): a word alone in its class needs none."""
    sizes = np.diff(class_offsets)
    return np.where(sizes > 1, sizes, 0)


def mean_class_size(class_offsets: npt.NDArray[np.int64], targets: npt.NDArray[np.int32]) -> float:
    """Number of words to score in the target's class, averaged over targets."""
    of_word = np.repeat(scored_words(class_offsets), np.diff(class_offsets))
    # This is done in parts, as the class sizes of all tokens of a long text take much memory.
    parts = (targets[i : i + _PART] for i in range(0, len(targets), _PART))
    return sum(int(of_word[part].sum()) for part in parts) / len(targets)


def load_corpus(directory: CorpusDirectory) -> Corpus:
    """Open a prepared corpus; the streams are memory-mapped.

    Raises UserError if a file is missing, has changed since it was written, or does not fit the
    others.
    """
    corpus = load_vocabulary(directory)
    files = read_statistics(directory).files
    for file in directory.model_files():
        check(file, files, directory.statistics)
    splits = {split: load_split(directory, split) for split in SPLITS}
    for name, split in splits.items():
        split.check(corpus.vocabulary_size, directory.stream(name))
    return replace(corpus, splits=splits)


def load_vocabulary(directory: CorpusDirectory) -> Corpus:
    """Open a prepared corpus's vocabulary and word classes; the corpus has no splits.

    Raises UserError if the vocabulary or the statistics are missing, or have changed since they
    were written.
    """
    statistics = read_statistics(directory)
    files = statistics.files
    if statistics.digest != digest_of(files):
        raise UserError(
            f"{directory.statistics}: damaged; start the experiment again: it is made anew"
        )
    check(directory.vocabulary, files, directory.statistics)
    vocabulary = read_vocabulary(directory.vocabulary)
    return Corpus(
        words=vocabulary.words,
        counts=vocabulary.counts,
        class_offsets=vocabulary.class_offsets,
        unk_id=vocabulary.words.index(UNKNOWN),
        splits={},
        digest=statistics.digest,
    )


def read_statistics(directory: CorpusDirectory) -> Statistics:
    """Read `statistics.json`; raises UserError if it is missing or damaged."""
    return records.read(Statistics, directory.statistics)


def digest_of(files: Mapping[str, str]) -> str:
    """A corpus's digest: the sha256 of the digests of its arrays and vocabulary, by file name."""
    covered = sorted(name for name in files if name.endswith((".npy", ".tsv")))
    lines = [f"{name} {files[name]}\n" for name in covered]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class TextFile(Protocol):
    """A text file, or one within another file; as text it is its path."""

    def read_text(self, *, encoding: str) -> str:
        """Return the whole text."""


def read_vocabulary(path: TextFile) -> Vocabulary:
    """Read `vocabulary.tsv`; raises UserError, naming the line, if the format is wrong."""
    lines = _read_lines(path)
    if lines[:1] != [VOCABULARY_HEADER]:
        raise UserError(f"{path}, line 1: the header `word count class`, tab-separated, is needed")
    rows = [_vocabulary_row(path, number, line) for number, line in enumerate(lines[1:], 2)]
    words = [word for word, _, _ in rows]
    if words[:1] != [SENTENCE_END] or UNKNOWN not in words:
        raise UserError(f"{path}: `{SENTENCE_END}` must be the first word, `{UNKNOWN}` among them")
    classes = np.array([label for _, _, label in rows])
    steps = np.diff(classes, prepend=-1)
    gaps = np.flatnonzero((steps < 0) | (steps > 1) | (classes < 0))
    if gaps.size:
        line = int(gaps[0]) + 2
        raise UserError(f"{path}, line {line}: classes must be 0, 1, … without gaps, in order")
    return Vocabulary(
        words=words,
        counts=np.array([count for _, count, _ in rows], dtype=np.int64),
        class_offsets=np.append(np.flatnonzero(steps), len(words)).astype(np.int64),
    )


def _read_lines(path: TextFile) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def _vocabulary_row(path: TextFile, number: int, line: str) -> tuple[str, int, int]:
    try:
        word, count, label = line.split("\t")
        return word, int(count), int(label)
    except ValueError:
        raise UserError(f"{path}, line {number}: not `word count class`: {line!r}") from None


def load_split(directory: CorpusDirectory, split: str) -> Split:
    """Open one split's arrays; raises UserError if they are missing or do not fit each other."""
    stream: npt.NDArray[np.int32] = _load_array(directory.stream(split), mmap_mode="r")
    offsets: npt.NDArray[np.int64] = _load_array(directory.offsets(split), mmap_mode=None)
    found = Split(stream=stream, offsets=offsets)
    types = stream.dtype == np.int32 and offsets.dtype == np.int64
    if not (types and found.fits_together):
        raise UserError(f"{directory.offsets(split)}: does not fit {directory.stream(split).name}")
    articles = load_articles(directory.split_articles(split), found.sentences)
    return replace(found, articles=articles)


def load_articles(path: Path, sentences: int) -> npt.NDArray[np.int32]:
    """Read the article number of each sentence; raises UserError if the file has not as many."""
    articles: npt.NDArray[np.int32] = _load_array(path, mmap_mode=None)
    if articles.dtype != np.int32 or articles.shape != (sentences,):
        raise UserError(f"{path}: does not fit its text: {sentences} int32 numbers are needed")
    return articles


def _load_array(path: Path, mmap_mode: Literal["r"] | None) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode=mmap_mode)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    return array
