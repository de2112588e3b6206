"""The records within a model's file."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.records.base import Digest, Record
from online_rnnlm.storage.records.corpora import CorpusSource, TextPreparation

_Count = Annotated[int, Field(ge=1, le=10**9)]


class ModelDescription(Record):
    """The description of a model that is one file: what it is, and how it was made."""

    file: ClassVar = "<model>.onlm/description.json"

    run: str
    """Name of the run that trained it."""
    identity: Digest
    """The run's identity."""
    settings: RunSettings
    """The settings that it was trained with."""
    preparation: TextPreparation
    """The preparation of its text."""
    source: CorpusSource
    """The training text, and its licence."""
    corpus_digest: Digest
    """`digest` of the corpus's `statistics.json`."""
    vocabulary_size: _Count
    """Number of words in the vocabulary, `<unk>` and `</s>` included, V."""
    classes: _Count
    """Number of word classes, K."""
    parameters: _Count
    """Number of the model's parameters."""
    epochs: int = Field(ge=0)
    """Number of epochs that it was trained for."""
    ended: AwareDatetime
    """Time at which training ended, in UTC."""
    perplexity: dict[str, float]
    """Perplexity on `valid` and, if the run has been tested, on `test`."""
    packages: dict[str, str]
    """Versions of the packages that it was trained with, by package."""


class SentenceSplitter(Record):
    """The parameters of Punkt, which finds the ends of sentences; learnt from the training text."""

    file: ClassVar = "<model>.onlm/splitter.json"

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
