"""The settings of the further evaluations and of the rivals."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from online_rnnlm.config.base import (
    MOST,
    NOT_BOOLEAN,
    Distinct,
    FilePath,
    Name,
    PositiveFloat,
    PositiveInt,
    Settings,
    as_list,
)
from online_rnnlm.config.mistakes import shown
from online_rnnlm.config.rivals import (
    MIXTURE,
    NGRAM_MIXTURE,
    NGRAMS,
    NOT_MIXED,
    RUN_RIVALS,
    Rival,
    RivalName,
    RunRivalName,
    rivals_for,
)
from online_rnnlm.core.adaptation import Part
from online_rnnlm.core.settings import UnitOfText

_TAKEN = ("train", "valid", "test", "sentences")
"""Names of a corpus's own files, which no text of another kind can have."""


def _moment(value: Any) -> Any:
    """Return `word`, `sentence`, or a number of words as int; raises ValueError for all else."""
    if value in ("word", "sentence"):
        return value
    if not re.fullmatch(r"\d{1,10}", str(value)) or not 1 <= int(value) <= MOST:
        allowed = f"'word', 'sentence' or a number of words from 1 to {MOST}"
        raise ValueError(f"allowed: {allowed}, not {shown(value)}")
    return int(value)


LearnAfter = Annotated[Literal["word", "sentence"] | PositiveInt, BeforeValidator(_moment)]


MOST_STEPS = 1000
Steps = Annotated[int, Field(ge=1, le=MOST_STEPS), NOT_BOOLEAN]
"""Number of hidden states that a word's error is propagated back through; a sentence's uses all."""


UpdatedPart = Literal[Part, "all"]


Subset = Annotated[
    list[UpdatedPart],
    Field(min_length=1),
    BeforeValidator(as_list, json_schema_input_type=UpdatedPart | list[UpdatedPart]),
]


Updates = Annotated[list[Subset], Distinct]
"""Such as `["document_vector", ["document_vector", "output"]]`."""


def refuse_mixtures_of_nothing(rivals: Collection[str]) -> None:
    """Raise ValueError if a mixture is among some rivals, and what it mixes is not."""
    if MIXTURE in rivals and {*rivals} <= {*NOT_MIXED}:
        raise ValueError("`mixture` mixes a network with other rivals: give one more")
    if NGRAM_MIXTURE in rivals and NGRAMS not in rivals:
        raise ValueError(
            f"`{NGRAM_MIXTURE}` mixes a network with `{NGRAMS}`: give that in `testing.rivals`"
        )


class TestingSettings(Settings):
    """The further evaluations and the rivals; no part of a run's identity."""

    updates: Updates = Field(default=[])
    """Parts that are updated during testing. Each entry adds evaluations of every run whose row has
    no `updates` of its own; it is `document_vector`, a part that consists of weights, a list of
    these, or `all`. In any case, every run is tested with nothing updated and, if it has a document
    vector, with the vector updated. Parts that a run does not have are left out, and entries that
    are then the same are tested once. In networks of `cell: lstm`, only `dynamic_evaluation`
    updates weights. Slow context units of a network without a vector, which do not learn, are kept
    for each longer `unit_of_text`, if there is any entry."""
    learn_after: Annotated[list[LearnAfter], Field(min_length=1), Distinct] = Field(
        default=["word"]
    )
    """Moments at which these parts are updated: after every word, after every sentence, or after a
    number of words, counted from the start of the unit of text. The error of the words since the
    last step is added up. A number is for the document vector alone; to update weights after
    several words, use `dynamic_evaluation`."""
    unit_of_text: Annotated[list[UnitOfText], Field(min_length=1), Distinct] = Field(
        default=["sentence"]
    )
    """Unit of text at whose start the vector and the weights are reset: every sentence, every
    document (all sentences of an article), or the whole text, which is never reset. `learn_after:
    sentence` is not combined with `unit_of_text: sentence`, because what is learnt would be lost at
    once."""
    learning_rates: Annotated[list[PositiveFloat], Field(min_length=1), Distinct] = Field(
        default=[0.003, 0.01, 0.03, 0.1, 0.3]
    )
    """Learning rates to try for the weights, which take plain gradient steps; the best on `valid`
    is used."""
    document_rates: Annotated[list[PositiveFloat], Field(min_length=1), Distinct] = Field(
        default=[0.02, 0.05, 0.1, 0.15, 0.2, 0.3]
    )
    """Learning rates to try for the document vector; the best on `valid` is used. Where weights
    are updated, too, their rate is chosen first, with the vector's as in training."""
    steps: Steps = 5
    """Number of hidden states through which a word's error is propagated back."""
    rivals: Annotated[list[RivalName], Distinct] = Field(default=[])
    """Alternative models to compare with. `unigram_cache` and `neural_cache` add a cache of the
    words just read to every network: their frequencies, or their frequencies weighted by the
    similarity of the hidden states. `short_neural_cache` is a neural cache of 80 words at most, for
    the cost of a small vector. `dynamic_evaluation` updates all weights of every network after
    every five words, with steps scaled by the weights' usual gradients and a decay to the trained
    weights (Krause et al. 2018). Each has the settings that are best on `valid`. `kneser_ney`: a
    modified Kneser-Ney n-gram model of every corpus. `ngram_mixture`: every network mixed with the
    `kneser_ney` model. `mixture`: every network mixed with all rivals of the list but
    `short_neural_cache`. Both mix by the weights that are best on `valid`."""
    kneser_ney_order: Annotated[int, Field(ge=2, le=100), NOT_BOOLEAN] = 5
    """Order of the `kneser_ney` model: the length of its longest n-grams."""

    timed_tokens: PositiveInt = 50_000
    """Number of tokens of `test`, to the end of the article, that each network scores in turn in
    each of ten rounds, to be timed."""

    other_texts: dict[Name, FilePath] = Field(default={})
    """Texts of another kind to test on, too: the path of a file by the text's name. A file has
    articles, as those of the source `text`; beside a tokenised corpus it is tokenised. It is
    prepared as a file `test` of the corpus would be, with the corpus's vocabulary, and taken whole.
    Every evaluation and rival is tested on it with the settings that are best on the corpus's own
    `valid`."""

    @field_validator("other_texts")
    @classmethod
    def _names_are_free(cls, texts: dict[str, Path]) -> dict[str, Path]:
        for name in texts:
            if name in _TAKEN or "." in name:
                raise ValueError(f"`{name}` is taken: give another name, without `.`")
        return texts

    @field_validator("rivals")
    @classmethod
    def _mixture_has_parts(cls, rivals: list[RivalName]) -> list[RivalName]:
        refuse_mixtures_of_nothing(rivals)
        return rivals

    @property
    def run_rivals(self) -> tuple[RunRivalName, ...]:
        """The rivals that every network is tested with."""
        return tuple(name for name in RUN_RIVALS if name in self.rivals)

    @property
    def rivals_by_name(self) -> dict[str, Rival]:
        """All rivals that there are, by their names in `rivals`."""
        return rivals_for(self.rivals, self.kneser_ney_order)
