"""The records of a corpus: what was read, prepared and counted."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from online_rnnlm.config.corpora import LanguageName
from online_rnnlm.storage.records import Digest, Part, Record

Dropped = dict[str, Annotated[int, Field(ge=1)]]


class CorpusSource(Part):
    """The source of a corpus's text."""

    kind: str
    """`kind` of the configuration's `source`."""
    title: str
    """Title of the source, or the names of the user's own files."""
    licence: str | None
    """Licence of the text; `null` if it is not known."""
    origin: str
    """Address of the source, or the paths of the user's own files."""


class TextPreparation(Part):
    """The steps by which the training text became sentences of words."""

    tokenised: bool
    """True if the text was tokenised already: then no other text can be prepared in the same way,
    and the other keys mean nothing."""
    language: LanguageName
    """Rules for sentences, words and lower case."""
    nfc: bool
    """True if letters and accents are composed (Unicode NFC)."""
    lowercase: bool
    """True if every token is lower-cased."""
    max_tokens: int = Field(ge=1, le=10**9)
    """Number of tokens of the longest sentence in training."""
    too_long: Literal["drop", "cut"]
    """Treatment of longer sentences: `cut` cut them into pieces. Where a model is used, none is
    dropped."""


class SourceFile(Part):
    """A file that a corpus's text is read from."""

    name: str
    """Name in the folder `downloads`, or path of the user's own file."""
    origin: str | None = None
    """Address or package; `null` for the user's own file."""
    sha256: Digest
    """sha256."""
    size: int = Field(ge=0)
    """Number of bytes."""


class SourceFiles(Record):
    """The files that a corpus's text is read from; downloads lie in the folder `downloads`."""

    files: tuple[SourceFile, ...]
    """The files, in the order of reading."""


class Counts(Record):
    """The number of things that a stage of a corpus's preparation read, and of those it dropped."""

    missing: ClassVar = "the corpus has not been prepared to its end: run the experiment first"

    read: int = Field(ge=0)
    """Number of articles (`articles`) or sentences (`sentences`)."""
    dropped: Dropped
    """Numbers of those that were dropped, by reason. Articles: `empty`. Sentences: `too short`,
    `too long`, `duplicate`."""

    @property
    def kept(self) -> int:
        """Number of those that were not dropped."""
        return self.read - sum(self.dropped.values())

    def __str__(self) -> str:
        """Return the numbers in words, such as `7 read, 2 too short`."""
        reasons = (f"{number} {reason}" for reason, number in self.dropped.items())
        return ", ".join([f"{self.read} read", *reasons])


class SplitStatistics(Part):
    """The counts of one split."""

    sentences: int
    """Number of sentences."""
    documents: int
    """Number of different articles."""
    tokens: int
    """Number of tokens; a sentence's `</s>` is one."""
    words: int
    """Number of words: tokens without `</s>`."""
    types: int
    """Number of different words, before rare ones become `<unk>`."""
    unk_tokens: int
    """Number of tokens that are `<unk>`."""
    oov_rate: float
    """Share of the words that are `<unk>`."""
    in_train: int
    """Number of sentences that `train` has, too; 0 for `train` itself."""
    mean_class_size: float
    """Number of words scored in the target's class, mean over the tokens; a word alone in its class
    needs no score and counts 0."""


class Statistics(Record):
    """The contents of a prepared corpus; written last, when all its other files are complete."""

    missing: ClassVar = "the corpus has not been prepared to its end: run the experiment first"

    corpus: str
    """Name of the corpus's folder, with its digits."""
    source: CorpusSource
    """Source of its text."""
    preparation: TextPreparation
    """The preparation of its text."""
    articles: int | None
    """Number of articles; `null` for a ready text, and for plain lines."""
    empty_articles: int = Field(ge=0)
    """Number of articles without text."""
    sentences_read: int = Field(ge=0)
    """Number of sentences in the text."""
    dropped: Dropped
    """Numbers of sentences that are in no split, by reason: those of `sentences.counts.json`, `cut
    off with an article` (the end of a split's last article), `earlier test set`, `not sampled`
    (more than the splits need)."""
    splits: dict[str, SplitStatistics]
    """The counts of `train`, `valid`, `test`, and of each text of another kind."""
    vocabulary_size: int
    """Number of words in the vocabulary, `<unk>` and `</s>` included, V."""
    classes: int
    """Number of word classes, K."""
    class_rule: str
    """Rule that divides the words into classes."""
    class_sizes: tuple[int, ...]
    """Number of words in each class."""
    files: dict[str, Digest]
    """sha256 of the vocabulary, the texts and the arrays, by file name."""
    digest: Digest
    """sha256 of the arrays and the vocabulary together."""

    @property
    def unknown_words_never_trained(self) -> dict[str, int]:
        """The number of `<unk>` in each other split, if `train` has none to learn from."""
        if self.splits["train"].unk_tokens:
            return {}
        found = {name: split.unk_tokens for name, split in self.splits.items()}
        return {split: number for split, number in found.items() if number}


class SentenceSplitter(Record):
    """The parameters of Punkt, which finds the ends of sentences; learnt from the training text."""

    abbreviations: tuple[str, ...]
    """Words that a full stop may follow."""
    collocations: tuple[tuple[str, str], ...]
    """Pairs of words with a full stop between them that does not end a sentence."""
    starters: tuple[str, ...]
    """Words that often begin a sentence."""
    contexts: dict[str, int]
    """For each word, the cases and positions that it was seen in, as the bits of Punkt's flags."""

    @classmethod
    def nothing(cls) -> SentenceSplitter:
        """Return the record of a Punkt that has learnt nothing."""
        return cls(abbreviations=(), collocations=(), starters=(), contexts={})
