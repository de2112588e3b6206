"""The records of an evaluation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from online_rnnlm.storage.records.base import Digest, Number, Part, Record


class Costs(Part):
    """What a token costs in an evaluation, on average, counted from the equations."""

    parameters_touched_per_word: float = Field(
        ge=0, description="Parameters that learning changes for a token; of a vector, its length."
    )
    multiply_adds_per_word: float = Field(
        ge=0, description="Multiply-adds for a token, learning included."
    )


class SplitMetrics(Part):
    """The metrics of one split."""

    sentences: int = Field(description="Number of sentences.")
    tokens: int = Field(description="Number of tokens; a sentence's `</s>` is one.")
    perplexity: float = Field(description="Perplexity over all tokens, `</s>` and `<unk>` too.")
    perplexity_without_unk: float = Field(description="Perplexity over all tokens but `<unk>`.")
    oov_rate: float = Field(description="Share of the words, without `</s>`, that are `<unk>`.")
    words_per_second: float = Field(description="Tokens scored in a second.")


class Trial(Part):
    """Settings that were tried on `valid`."""

    settings: dict[str, Number] = Field(
        description="The settings by name: `learning_rate` or `document_rate` of what learns; "
        "`window`, `theta` and `weight` of a cache."
    )
    valid_perplexity: float | None = Field(
        description="Perplexity of `valid` with them; `null` where it diverged."
    )


class Evaluation(Record):
    """The metrics of one evaluation; written last: it says that its other files are there."""

    file: ClassVar = "evaluations/<run>/<evaluation>.json"
    missing: ClassVar = "the run has not been evaluated in this way: run the experiment first"

    run: str = Field(description="Name of the run, or of the n-gram model.")
    identity: Digest = Field(description="Identity of the run.")
    evaluation: str = Field(description="Name of the evaluation.")
    costs: Costs = Field(description="What a token of `test` costs.")
    parameters: int | None = Field(
        default=None, description="Number of an n-gram model's parameters; `null` for a run."
    )
    chosen: dict[str, Number] = Field(
        default={},
        description="The settings that are best on `valid`, by name as in `curve`; empty if "
        "nothing was to be chosen.",
    )
    curve: tuple[Trial, ...] = Field(
        default=(), description="All settings that were tried on `valid`."
    )
    files: dict[str, Digest] = Field(description="sha256 of the evaluation's other files, by name.")
    splits: dict[str, SplitMetrics] = Field(
        description="The metrics by split; `train` in `none` and `document_vector` only."
    )


class FurtherEvaluation(Record):
    """Says that one of the further evaluations is finished, and with which settings and code."""

    file: ClassVar = "evaluations/<run>/further/<evaluation>.json"

    identity: Digest = Field(description="Identity of the run.")
    made_by: Digest = Field(description="sha256 over the settings of `testing` and the code.")


class FurtherEvaluations(FurtherEvaluation):
    """All further evaluations that `testing` asked for; written when all are there."""

    file: ClassVar = "evaluations/<run>/further/evaluations.json"

    evaluations: tuple[str, ...] = Field(description="Their names.")
