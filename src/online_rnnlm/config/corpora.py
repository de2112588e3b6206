"""The settings of a corpus: the source of its text and the steps of its preparation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from online_rnnlm.config.base import (
    MOST,
    NOT_BOOLEAN,
    Boolean,
    FilePath,
    PositiveInt,
    Seed,
    Settings,
)
from online_rnnlm.config.messages import WrongValue, first_wrong_value


class WikipediaVitalSource(Settings):
    """Lead sections of Wikipedia's Vital Articles, taken from a Python package."""

    kind: Literal["wikipedia-vital"] = Field(
        description="Lead sections of Wikipedia's Vital Articles: one JSON file from the package "
        "index."
    )


class WikipediaExcerptSource(Settings):
    """An excerpt of a true Wikipedia dump, taken from a Python package."""

    kind: Literal["wikipedia-excerpt"] = Field(
        description="206 pages of a true MediaWiki dump, from the package index."
    )


class TextSource(Settings):
    """The user's own text: one file to be shuffled and split, or three ready files.

    Ready files keep their order. A sentence that occurs in two of them stays in both.
    """

    kind: Literal["text"] = Field(description="Your own files.")
    file: FilePath | None = Field(
        default=None,
        description="One file to be split: plain text (one paragraph per line; one sentence per "
        "line if `tokenised`), or `.jsonl` with an article's text under `text`. Files compressed "
        "as `.gz`, `.bz2` or `.xz` are read, too.",
    )
    train: FilePath | None = Field(
        default=None, description="Ready file for `train`, of the same kinds as `file`."
    )
    valid: FilePath | None = Field(
        default=None, description="Ready file for `valid`, of the same kinds as `file`."
    )
    test: FilePath | None = Field(
        default=None, description="Ready file for `test`, of the same kinds as `file`."
    )
    tokenised: Boolean = Field(
        default=False,
        description="The text already has one sentence per line, its tokens separated by spaces. "
        "It is not tokenised or lower-cased again, and only empty lines are dropped.",
    )

    @model_validator(mode="after")
    def _one_file_or_three(self) -> TextSource:
        ready = [self.train, self.valid, self.test]
        one = self.file is not None and not any(ready)
        three = self.file is None and all(ready)
        if not one and not three:
            raise ValueError("give either `file`, or all of `train`, `valid` and `test`")
        return self


def _without_kind(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Validate a source, and take its kind out of the places of errors: there is no such key."""
    try:
        return validate(value)
    except ValidationError as error:
        wrong = first_wrong_value(error)
        place = wrong.place if wrong.place == ("kind",) else wrong.place[1:]
        raise WrongValue(place, str(wrong)) from None


SourceSettings = Annotated[
    Annotated[
        WikipediaVitalSource | WikipediaExcerptSource | TextSource, Field(discriminator="kind")
    ],
    WrapValidator(_without_kind),
]
"""One class for each kind of source; `corpora/sources/` has a module for each."""


class VocabularySettings(Settings):
    """The choice of the words that the model knows; all others become `<unk>`."""

    min_count: PositiveInt = Field(
        default=5, description="A word is kept if it occurs at least this many times in `train`."
    )
    max_size: Annotated[int, Field(ge=3, le=MOST), NOT_BOOLEAN] | None = Field(
        default=None,
        description="Largest number of words, `<unk>` and `</s>` included; the most frequent words "
        "are kept. `null` is no limit.",
    )


class ClassSettings(Settings):
    """The division of the vocabulary into word classes."""

    count: PositiveInt = Field(default=30, description="Number of word classes.")
    rule: Literal["sqrt_frequency", "frequency", "equal_size"] = Field(
        default="sqrt_frequency",
        description="Quantity that is shared equally between the classes: the square roots of the "
        "words' frequencies (the RNNLM Toolkit's rule), the frequencies, or the number of words.",
    )


class CorpusSettings(Settings):
    """One corpus: the source of its text and the steps of its preparation."""

    source: SourceSettings = Field(description="Source of the text.")
    seed: Seed = Field(
        default=1,
        description="Seed of the shuffle before the split, and of the sample of training "
        "sentences.",
    )
    divide_by: Literal["sentence", "article"] = Field(
        default="sentence",
        description="Pieces of text that are shuffled and divided among the splits. `article`: the "
        "sentences of an article stay together and in order; the last article of a split is cut "
        "off when the split has its number of sentences, and the rest of the article is not used. "
        "In tokenised text an empty line ends an article.",
    )
    lowercase: Boolean = Field(default=True, description="Lower-case every token.")
    min_tokens: PositiveInt = Field(
        default=3, description="Sentences with fewer tokens are dropped as fragments."
    )
    max_tokens: PositiveInt = Field(
        default=100, description="Sentences with more tokens are dropped."
    )
    train_sentences: PositiveInt | None = Field(
        default=None,
        description="Number of training sentences, drawn at random; `null` takes all that remain.",
    )
    valid_sentences: PositiveInt = Field(
        default=2000,
        description="Number of sentences for validation; a ready file is taken whole.",
    )
    test_sentences: Annotated[int, Field(ge=2, le=MOST), NOT_BOOLEAN] = Field(
        default=2000,
        description="Number of sentences for testing; a ready file is taken whole. On a single "
        "sentence two models cannot be compared.",
    )
    vocabulary: VocabularySettings = Field(default=VocabularySettings(), description="The words.")
    classes: ClassSettings = Field(default=ClassSettings(), description="The word classes.")

    @model_validator(mode="after")
    def _some_length_is_allowed(self) -> CorpusSettings:
        if self.min_tokens > self.max_tokens:
            message = f"{self.min_tokens} is more than `max_tokens`, which is {self.max_tokens}"
            raise WrongValue(("min_tokens",), message)
        return self
