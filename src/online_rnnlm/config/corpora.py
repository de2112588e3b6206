"""The settings of a corpus: where its text comes from and how it is prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    model_validator,
)

from online_rnnlm.config.base import NaturalInt, PositiveInt, Settings


class WikipediaVitalSource(Settings):
    """Lead sections of Wikipedia's Vital Articles, which arrive with a Python package."""

    kind: Literal["wikipedia-vital"] = Field(
        description="Lead sections of Wikipedia's Vital Articles: one JSON file from the package "
        "index."
    )


class WikipediaExcerptSource(Settings):
    """An excerpt of a true Wikipedia dump, which arrives with a Python package."""

    kind: Literal["wikipedia-excerpt"] = Field(
        description="206 pages of a true MediaWiki dump, from the package index."
    )


class TextSource(Settings):
    """The user's own text: one file to be shuffled and split, or three ready files.

    Ready files keep their order, and no sentence is dropped for being in another of them.
    """

    kind: Literal["text"] = Field(description="Your own files.")
    file: Path | None = Field(
        default=None,
        description="One file to be split: plain text (a paragraph a line; a sentence a line if "
        "`tokenised`), or `.jsonl` with an article's text under `text`. "
        "`.gz`, `.bz2` and `.xz` are read as they are.",
    )
    train: Path | None = Field(
        default=None, description="Ready file for `train`, of the same kinds as `file`."
    )
    valid: Path | None = Field(
        default=None, description="Ready file for `valid`, of the same kinds as `file`."
    )
    test: Path | None = Field(
        default=None, description="Ready file for `test`, of the same kinds as `file`."
    )
    tokenised: bool = Field(
        default=False,
        description="The text is one sentence a line, its tokens separated by spaces: nothing is "
        "tokenised, lower-cased or dropped any more, but empty lines.",
    )

    @model_validator(mode="after")
    def _one_file_or_three(self) -> TextSource:
        ready = [self.train, self.valid, self.test]
        one = self.file is not None and not any(ready)
        three = self.file is None and all(ready)
        if not one and not three:
            raise ValueError("give either `file`, or all of `train`, `valid` and `test`")
        return self


SourceSettings = Annotated[
    WikipediaVitalSource | WikipediaExcerptSource | TextSource, Field(discriminator="kind")
]
"""One class a kind of source; `corpora/sources/` has a module for each."""


class VocabularySettings(Settings):
    """Which words the model knows; all others become `<unk>`."""

    min_count: PositiveInt = Field(
        default=5, description="A word is kept if it occurs at least so often in `train`."
    )
    max_size: Annotated[int, Field(ge=3)] | None = Field(
        default=None,
        description="At most so many words, the most frequent first; `<unk>` and `</s>` count.",
    )


class ClassSettings(Settings):
    """How the vocabulary is divided into word classes."""

    count: PositiveInt = Field(default=30, description="Number of word classes.")
    rule: Literal["sqrt_frequency", "frequency", "equal_size"] = Field(
        default="sqrt_frequency",
        description="What every class gets an equal share of: the square roots of the words' "
        "frequencies (the RNNLM Toolkit's rule), the frequencies, or the words.",
    )


class CorpusSettings(Settings):
    """One corpus: where its text comes from and how it is prepared."""

    source: SourceSettings = Field(description="Where the text comes from.")
    seed: NaturalInt = Field(
        default=1, description="Seed of the shuffle before the split, and of the sample."
    )
    divide_by: Literal["sentence", "article"] = Field(
        default="sentence",
        description="What is shuffled and goes to a split. `article`: articles stay whole and in "
        "order; the last one of a split is cut at its number of sentences, the rest of it is left "
        "out. In tokenised text an empty line ends an article.",
    )
    lowercase: bool = Field(default=True, description="Lower-case every token.")
    min_tokens: PositiveInt = Field(
        default=3, description="Shorter sentences are dropped as fragments."
    )
    max_tokens: PositiveInt = Field(default=100, description="Longer sentences are dropped.")
    train_sentences: PositiveInt | None = Field(
        default=None, description="Sample so many training sentences; `null`: all that remain."
    )
    valid_sentences: PositiveInt = Field(
        default=2000, description="Sentences for validation; a ready file is taken whole."
    )
    test_sentences: PositiveInt = Field(
        default=2000, description="Sentences for testing; a ready file is taken whole."
    )
    vocabulary: VocabularySettings = Field(default=VocabularySettings(), description="The words.")
    classes: ClassSettings = Field(default=ClassSettings(), description="The word classes.")
