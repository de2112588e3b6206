"""The settings of a corpus: the source of its text and the steps of its preparation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from online_rnnlm.config.base import (
    MOST,
    NOT_BOOLEAN,
    PositiveInt,
    Seed,
    Settings,
    as_list,
)
from online_rnnlm.config.sources import SourceSettings

LanguageName = Literal["any", "arabic", "hindi", "turkish"]


class VocabularySettings(Settings):
    """The choice of the words that the model knows; all others become `<unk>`."""

    min_count: PositiveInt = 5
    """A word is kept if it occurs at least this many times in `train`."""
    max_size: Annotated[int, Field(ge=3, le=MOST), NOT_BOOLEAN] | None = None
    """Largest number of words, `<unk>` and `</s>` included; the most frequent words are kept.
    `null` is no limit."""


class ClassSettings(Settings):
    """The division of the vocabulary into word classes."""

    count: PositiveInt = 30
    """Number of word classes, at most that of the words; there are fewer if a few words are most of
    the text. 1 is the full softmax."""
    rule: Literal["sqrt_frequency", "frequency"] = "sqrt_frequency"
    """Quantity that is shared equally between the classes: the square roots of the words'
    frequencies (the RNNLM Toolkit's rule), or the frequencies."""


class CorpusSettings(Settings):
    """One corpus: the source of its text and the steps of its preparation."""

    source: SourceSettings
    """Source of the text."""
    seed: Seed = 1
    """Seed of the shuffle before the split, and of the sample of training sentences."""
    divide_by: Literal["sentence", "article"] = "sentence"
    """Pieces of text that are shuffled and divided among the splits. `article`: the sentences of an
    article stay together and in order; the last article of a split is cut off when the split has
    its number of sentences, and the rest of the article is not used. In tokenised text an empty
    line ends an article."""
    language: LanguageName = "any"
    """Rules for sentences, words and lower case. `any`: a language with spaces between words, whose
    sentences end in `.`, `?` or `!`, such as English; abbreviations are learnt from the text.
    `arabic` (also for Persian and Urdu) adds `؟` and `۔`; `hindi` (and its relatives) `।` and `॥`.
    `turkish`: `I` becomes `ı`, and `İ` becomes `i`. A language without spaces, such as Chinese,
    must be tokenised before: see `tokenised`."""
    nfc: bool = True
    """Compose letters and accents (Unicode NFC), so that a word is written in one way. Tokenised
    text stays as it is."""
    lowercase: bool = True
    """Lower-case every token. Tokenised text stays as it is, as WikiText and the Penn Treebank
    do."""
    min_tokens: PositiveInt = 3
    """Sentences with fewer tokens are dropped as fragments."""
    max_tokens: PositiveInt = 100
    """Sentences with more tokens are too long: see `too_long`."""
    too_long: Literal["drop", "cut"] = "drop"
    """`drop`: sentences that are too long are dropped. `cut`: they are cut into sentences of
    `max_tokens` tokens; the last piece is dropped if it is a fragment."""
    train_sentences: PositiveInt | None = None
    """Number of training sentences, drawn at random; `null` takes all that remain."""
    valid_sentences: PositiveInt = 2000
    """Number of sentences for validation; a ready file is taken whole, with its fragments, overlong
    sentences and duplicates."""
    test_sentences: Annotated[int, Field(ge=2, le=MOST), NOT_BOOLEAN] = 2000
    """Number of sentences for testing; a ready file is taken whole. On a single sentence two models
    cannot be compared."""
    earlier_test_sentences: Annotated[
        list[PositiveInt],
        BeforeValidator(
            lambda written: as_list(written) if written else [],
            json_schema_input_type=PositiveInt | list[PositiveInt],
        ),
    ] = Field(default=[])
    """Numbers of sentences of the test sets that have been looked at, in the order in which they
    were drawn; they are in no split. `valid` and `train` stay those that were drawn beside the
    first one, and the new test set is drawn from the rest. It needs `train_sentences`."""
    vocabulary: VocabularySettings = VocabularySettings()
    """The words."""
    classes: ClassSettings = ClassSettings()
    """The word classes."""

    @model_validator(mode="after")
    def _go_together(self) -> CorpusSettings:
        if self.min_tokens > self.max_tokens:
            raise ValueError(
                f"`min_tokens: {self.min_tokens}` is more than `max_tokens: {self.max_tokens}`"
            )
        if self.earlier_test_sentences and self.train_sentences is None:
            raise ValueError(
                "`earlier_test_sentences` needs `train_sentences`, since the new test set is drawn "
                "from what these leave"
            )
        return self

    @property
    def keeps_order(self) -> bool:
        """True if the sentences of the splits follow one another as in the source's text."""
        return self.has_splits or self.divide_by == "article"

    @property
    def has_splits(self) -> bool:
        """True if the source has three ready files, each of which is taken whole."""
        return self.source.kind == "wikitext" or (
            self.source.kind == "text" and self.source.train is not None
        )

    @property
    def trains_in_order(self) -> bool:
        """True if the training text has no gaps: all of a ready file, or whole articles."""
        whole_file = self.has_splits and self.train_sentences is None
        return self.divide_by == "article" or whole_file
