"""The settings of what else is tried during testing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
)

from online_rnnlm.config.base import PositiveFloat, PositiveInt, Settings

CacheKind = Literal["unigram", "neural"]


LearnAfter = Literal["word", "sentence"]


UnitOfText = Literal["sentence", "document", "stream"]


Part = Literal["document_vector", "embeddings", "recurrent", "output", "all"]


Subset = Annotated[
    list[Part],
    Field(min_length=1),
    BeforeValidator(
        lambda value: value if isinstance(value, list) else [value],
        json_schema_input_type=Part | list[Part],
    ),
]


class TestingSettings(Settings):
    """What else is tried during testing; no part of a run's identity."""

    updates: list[Subset] = Field(
        default=[],
        description="What else learns during testing, each entry further evaluations of every run: "
        "`document_vector`, groups of weights, a list of them, or `all`. Every run is tested with "
        "nothing learning and, if it has one, with its document vector learning anyway. What a "
        "run does not have is left out, and what is the same then is done once.",
    )
    learn_after: Annotated[list[LearnAfter], Field(min_length=1)] = Field(
        default=["word"], description="When it learns: after every word, or after every sentence."
    )
    unit_of_text: Annotated[list[UnitOfText], Field(min_length=1)] = Field(
        default=["sentence"],
        description="How long what was learnt is kept: the vector and the weights go back to their "
        "start with every sentence, with every document (all sentences of an article), or never. "
        "Learning after a sentence that ends the unit is left out.",
    )
    learning_rates: Annotated[list[PositiveFloat], Field(min_length=1)] = Field(
        default=[0.003, 0.01, 0.03, 0.1, 0.3],
        description="Rates of the plain step that weights take; the best on `valid` is used.",
    )
    document_rates: Annotated[list[PositiveFloat], Field(min_length=1)] = Field(
        default=[0.02, 0.05, 0.1, 0.15, 0.2, 0.3],
        description="Rates of the document vector where it learns alone; the best on `valid` is "
        "used. Beside weights that learn it keeps the rate it was trained with.",
    )
    steps: PositiveInt = Field(
        default=5, description="Hidden states that a word's loss is propagated back through."
    )
    caches: list[CacheKind] = Field(
        default=[],
        description="Caches of the words just read that every static network is tested with: "
        "their frequencies, or their frequencies by the likeness of their hidden states. Their "
        "settings are those best on `valid`.",
    )
    kneser_ney: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="Order of a modified Kneser-Ney n-gram model to compare with; `null`: none.",
    )
