"""The record of a corpus."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from online_rnnlm.storage.records.base import Digest, Part, Record


class CorpusSource(Part):
    """Where a corpus's text comes from."""

    kind: str = Field(description="`kind` of the configuration's `source`.")
    title: str = Field(description="Title, or the names of the user's own files.")
    licence: str | None = Field(description="Licence; `null` if it is not known.")
    origin: str = Field(description="Address, or the paths of the user's own files.")


class SplitStatistics(Part):
    """Counts over one split."""

    sentences: int = Field(description="Number of sentences.")
    documents: int = Field(description="Number of different articles.")
    tokens: int = Field(description="Number of tokens; a sentence's `</s>` is one.")
    words: int = Field(description="Number of words: tokens without `</s>`.")
    types: int = Field(description="Number of different words, before `<unk>` takes their place.")
    unk_tokens: int = Field(description="Number of tokens that are `<unk>`.")
    oov_rate: float = Field(description="Share of the words that are `<unk>`.")
    mean_class_size: float = Field(
        description="Words of the target's class that are scored, averaged over tokens; a word "
        "alone in its class needs no score."
    )


class Statistics(Record):
    """What a prepared corpus consists of; written last: it says that its other files are there."""

    file: ClassVar = "corpora/<corpus>/statistics.json"
    missing: ClassVar = "the corpus has not been prepared to its end: run the experiment first"

    corpus: str = Field(description="Name of the corpus.")
    source: CorpusSource = Field(description="Where its text comes from.")
    articles: int | None = Field(
        description="Number of articles; `null` for text that is not divided into articles."
    )
    splits: dict[str, SplitStatistics] = Field(
        description="Counts over `train`, `valid` and `test`."
    )
    vocabulary_size: int = Field(description="Number of words, `<unk>` and `</s>` too, V.")
    classes: int = Field(description="Number of word classes, K.")
    class_rule: str = Field(description="How the words are divided into classes.")
    class_sizes: tuple[int, ...] = Field(description="Number of words of each class.")
    files: dict[str, Digest] = Field(
        description="sha256 of the vocabulary, the texts and the arrays, by file name."
    )
    digest: Digest = Field(description="sha256 over the arrays and the vocabulary.")
