"""A prepared corpus in the model's form: vocabulary, word classes and memory-mapped arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.corpora.textfiles import UNKNOWN
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory

SENTENCE_END_ID = 0
_WORDS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows and the classes that they are divided into.

    `words` are in the order of their ids, `</s>` first; `counts` are those in `train`; class c's
    words are the ids from `class_offsets[c]` to `class_offsets[c + 1] - 1` (int64, (classes + 1,)).
    """

    words: list[str]
    counts: npt.NDArray[np.int64]
    class_offsets: npt.NDArray[np.int64]

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
        return classes_of_words(self.class_offsets)

    def mean_class_size(self, split: Split) -> float:
        """Number of words to score in the class of a target, averaged over a split's targets."""
        of_word = scored_words(self.class_offsets)[self.word_classes]
        parts = np.array_split(split.stream[1:], split.tokens // _WORDS_AT_ONCE + 1)
        return sum(int(of_word[part].sum()) for part in parts) / split.tokens


@dataclass(frozen=True)
class Corpus(Vocabulary):
    """A prepared corpus; `digest` covers its arrays and its vocabulary."""

    unk_id: int
    splits: dict[str, Split]
    digest: str

    @classmethod
    def of(cls, vocabulary: Vocabulary, digest: str) -> Corpus:
        """Return a corpus with this vocabulary, and without splits."""
        unknown = vocabulary.words.index(UNKNOWN)
        return cls(**vars(vocabulary), unk_id=unknown, splits={}, digest=digest)

    @property
    def held_out(self) -> list[str]:
        """The names of all splits but `train`: `valid`, `test`, and texts of another kind."""
        return [split for split in self.splits if split != "train"]


def scored_words(class_offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of words to score in each class, int64 (K,): a word alone in its class needs none."""
    sizes = np.diff(class_offsets)
    return np.where(sizes > 1, sizes, 0)


def load_corpus(directory: CorpusDirectory, other_texts: Iterable[str] = ()) -> Corpus:
    """Open a prepared corpus, with texts of another kind as further splits.

    The streams are memory-mapped. Raises UserError if a file is missing, or has changed since it
    was written.
    """
    splits = {split: load_split(directory, split) for split in (*SPLITS, *other_texts)}
    return replace(load_vocabulary(directory), splits=splits)


def load_vocabulary(directory: CorpusDirectory) -> Corpus:
    """Open a prepared corpus's vocabulary and word classes; the corpus has no splits.

    Raises UserError if the vocabulary or the statistics are missing, or have changed since they
    were written.
    """
    statistics = read_statistics(directory)
    check(directory.vocabulary, statistics.files, directory.statistics)
    found = parse_vocabulary(directory.vocabulary.read_bytes(), directory.vocabulary)
    return Corpus.of(found, statistics.digest)


def read_statistics(directory: CorpusDirectory) -> Statistics:
    """Read `statistics.json`; raises UserError if it is missing or damaged."""
    return records.read(Statistics, directory.statistics)


def digest_of_files(files: Mapping[str, str]) -> str:
    """A corpus's digest: the sha256 of the digests of its arrays and vocabulary, by file name."""
    covered = sorted(name for name in files if name.endswith((".npy", ".tsv")))
    lines = [f"{name} {files[name]}\n" for name in covered]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def parse_vocabulary(text: bytes, where: object) -> Vocabulary:
    """Parse the text of `vocabulary.tsv`; raises UserError, naming `where`, if it is wrong."""
    try:
        _, *lines = text.decode().removesuffix("\n").split("\n")
        words, *columns = zip(*(line.split("\t") for line in lines), strict=True)
        counts, classes = (np.array(list(map(int, column)), np.int64) for column in columns)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{where}: cannot be read: {error}") from None
    begins = np.flatnonzero(np.diff(classes, prepend=-1))
    return Vocabulary(list(words), counts, np.append(begins, len(words)))


def load_split(directory: CorpusDirectory, split: str) -> Split:
    """Open one split's arrays; raises UserError if they have changed since they were written."""
    files = read_statistics(directory).files
    stream, offsets, articles = directory.arrays(split)
    for file in (stream, offsets, articles):
        check(file, files, directory.statistics)
    return Split(np.load(stream, mmap_mode="r"), np.load(offsets), np.load(articles))
