"""The records of an evaluation."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from online_rnnlm.storage.records.base import Digest, Number, Part, Record


class Costs(Part):
    """The mean costs of a token in an evaluation, counted from the equations."""

    parameters_touched_per_word: float = Field(
        ge=0,
        description="Number of values that learning changes per token; for a document vector, its "
        "length.",
    )
    multiply_adds_per_word: float = Field(
        ge=0, description="Multiply-adds per token, learning included."
    )


class SplitMetrics(Part):
    """The metrics of one split."""

    sentences: int = Field(description="Number of sentences.")
    tokens: int = Field(description="Number of tokens; a sentence's `</s>` is one.")
    perplexity: float = Field(
        description="Perplexity over all tokens, `</s>` and `<unk>` included."
    )
    perplexity_without_unk: float = Field(description="Perplexity over all tokens except `<unk>`.")
    oov_rate: float = Field(description="Share of the words, without `</s>`, that are `<unk>`.")
    words_per_second: float = Field(description="Number of tokens scored per second.")


class Trial(Part):
    """A combination of settings that was tried on `valid`."""

    settings: dict[str, Number] = Field(
        description="The settings by name: `learning_rate` or `document_rate` of the parts that "
        "learn; `window`, `theta` and `weight` of a cache; the weights of a mixture's parts."
    )
    valid_perplexity: float | None = Field(
        description="Perplexity of `valid` with these settings; `null` if the model diverged."
    )


class Mixture(Part):
    """Some parts of a mixture, with the weights that are best for them on `valid`."""

    weights: dict[str, float] = Field(description="The weight of each part, by name.")
    valid_perplexity: float = Field(description="Perplexity of `valid`.")
    test_perplexity: float = Field(description="Perplexity of `test`.")


class EvaluationEnd(Record):
    """The values that the record of a finished evaluation and that of a diverged one share."""

    file: ClassVar = "evaluations/<run>/<evaluation>.json"
    missing: ClassVar = "the run has not been evaluated in this way: run the experiment first"

    run: str = Field(description="Name of the run, or of the n-gram model.")
    identity: Digest = Field(description="Identity of the run.")
    evaluation: str = Field(description="Name of the evaluation.")
    curve: tuple[Trial, ...] = Field(
        default=(), description="All settings that were tried on `valid`."
    )
    files: dict[str, Digest] = Field(description="sha256 of the evaluation's other files, by name.")


class Evaluation(EvaluationEnd):
    """The metrics of one evaluation; written last, when all its other files are complete."""

    status: Literal["finished"] = Field(
        default="finished", description="The evaluation has finished."
    )
    costs: Costs = Field(description="Mean costs of a token of `test`.")
    parameters: int | None = Field(
        default=None, description="Number of an n-gram model's parameters; `null` for a run."
    )
    chosen: dict[str, Number] = Field(
        default={},
        description="The settings that are best on `valid`, by name as in `curve`; empty if no "
        "setting was chosen.",
    )
    mixtures: tuple[Mixture, ...] = Field(
        default=(),
        description="Only of the evaluation `mixture`: the network with each other part alone, and "
        "all parts without each.",
    )
    splits: dict[str, SplitMetrics] = Field(
        description="The metrics by split; only the evaluations `none` and `document_vector` of a "
        "run include `train`."
    )


class FailedEvaluation(EvaluationEnd):
    """An evaluation without metrics; its other files are there, but empty."""

    status: Literal["diverged", "impossible"] = Field(
        default="diverged",
        description="`diverged`: the run, or what learns during testing, has. `impossible`: the "
        "rival cannot be had for this corpus.",
    )
    reason: str = Field(description="What failed, and what can be tried, in one line.")


class FurtherEvaluation(Record):
    """The mark of a finished further evaluation, with a digest of its settings and code."""

    file: ClassVar = "evaluations/<run>/further/<evaluation>.json"

    identity: Digest = Field(description="Identity of the run.")
    made_by: Digest = Field(description="sha256 of the settings of `testing` and the code.")


class FurtherEvaluations(FurtherEvaluation):
    """The further evaluations that `testing` asks for; written when all of them are finished."""

    file: ClassVar = "evaluations/<run>/further/evaluations.json"

    evaluations: tuple[str, ...] = Field(description="Names of the evaluations.")
