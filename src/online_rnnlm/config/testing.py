"""The settings of what else is tried during testing."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import (
    BeforeValidator,
    Field,
)

from online_rnnlm.config.base import PositiveFloat, PositiveInt, Settings

RunRivalName = Literal["unigram_cache", "neural_cache"]
"""Rivals that are of a run, a static network: modules of `rivals/`."""

CorpusRivalName = Literal["kneser_ney"]
"""Rivals that are of a corpus: modules of `rivals/`."""

RivalName = Literal[RunRivalName, CorpusRivalName]

_OF_RUNS: tuple[RunRivalName, ...] = get_args(RunRivalName)
_OF_CORPORA: tuple[CorpusRivalName, ...] = get_args(CorpusRivalName)


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
    rivals: list[RivalName] = Field(
        default=[],
        description="Models that one would pick instead, to compare with. `unigram_cache`, "
        "`neural_cache`: every static network beside a cache of the words just read, that is their "
        "frequencies, or their frequencies by the likeness of their hidden states; the settings "
        "are those best on `valid`. `kneser_ney`: a modified Kneser-Ney n-gram model of every "
        "corpus.",
    )
    kneser_ney_order: Annotated[int, Field(ge=2)] = Field(
        default=5, description="Order of the model of `kneser_ney`: the longest n-grams' length."
    )

    @property
    def rivals_of_runs(self) -> tuple[RunRivalName, ...]:
        """The rivals that every static network is tested with."""
        return tuple(name for name in _OF_RUNS if name in self.rivals)

    @property
    def rivals_of_corpora(self) -> tuple[CorpusRivalName, ...]:
        """The rivals that are trained on every corpus."""
        return tuple(name for name in _OF_CORPORA if name in self.rivals)
