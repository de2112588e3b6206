"""The record of the paper's claims."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.storage.records.base import Part, Record

Interval = tuple[float, float]
"""Its lower and its upper end."""


class ClaimTests(Part):
    """How the claims are tested."""

    unit: str = Field(description="What is resampled.")
    interval: str = Field(description="How the intervals are made.")
    p_value: str = Field(description="How the p-values are made.")
    correction: str = Field(description="How the p-values are corrected for several claims.")
    level: float = Field(description="The level that a corrected p-value must be below.")
    resamples: int = Field(description="Number of resamples.")
    seeds: str = Field(description="What is done with several seeds.")
    seed_interval: str = Field(description="How the interval over the seeds is made.")
    margin_percent: float = Field(description="The margin of non-inferiority (%).")
    margin: str = Field(description="Where the margin comes from.")
    verdict: str = Field(description="What makes a verdict.")


class PerplexityChange(Part):
    """Two test perplexities, and how sure their difference is."""

    test_perplexity: float | None = Field(
        default=None, description="Test perplexity, mean over the seeds."
    )
    test_perplexity_against: float | None = Field(
        default=None, description="The same of the other side."
    )
    change_percent: float = Field(
        description="By how much ours is higher (%): the perplexity, of the geometric means over "
        "the seeds, or the multiply-adds."
    )
    interval_percent: Interval | None = Field(
        default=None, description="95 % interval of the change (%)."
    )
    nats_per_token: float | None = Field(
        default=None, description="How much lower our entropy is (nats a token)."
    )
    interval_nats_per_token: Interval | None = Field(
        default=None, description="95 % interval of it (nats a token)."
    )
    sentences: int | None = Field(default=None, description="Number of test sentences.")
    tokens: int | None = Field(default=None, description="Number of test tokens.")


class StillAgainstStatic(PerplexityChange):
    """The model with its vector still against a static network of as many hidden units."""

    against: str = Field(description="The static row.")
    still_is: Literal["better", "worse", "not shown to differ"] = Field(
        description="How the model with its vector still compares."
    )


class Effect(PerplexityChange):
    """The values that a claim is about, ours and the other side's; `null` where it has none."""

    parameters: int | None = Field(default=None, description="Number of parameters.")
    parameters_against: int | None = Field(default=None, description="The same of the other side.")
    multiply_adds_per_word: float | None = Field(
        default=None, description="Multiply-adds for a token in testing."
    )
    multiply_adds_per_word_against: float | None = Field(
        default=None, description="The same of the other side."
    )
    parameters_touched_per_word: float | None = Field(
        default=None, description="Parameters that learning changes for a token."
    )
    parameters_touched_per_word_against: float | None = Field(
        default=None, description="The same of the other side."
    )
    margin_percent: float | None = Field(
        default=None, description="So much higher a perplexity counts as good as the other (%)."
    )
    valid_perplexity_by_unit: dict[UnitOfText, float] | None = Field(
        default=None, description="Perplexity of `valid` by how long the vector is kept."
    )
    valid_perplexity_against_by_unit: dict[UnitOfText, float] | None = Field(
        default=None, description="Perplexity of `valid` by how long what is learnt is kept."
    )
    still_against_static: StillAgainstStatic | None = Field(
        default=None, description="Whether the vector is worth anything while it stands still."
    )


class SeedDifference(Part):
    """The difference of two sides over the seeds."""

    seeds: int = Field(description="Number of seeds.")
    nats_per_token: float = Field(
        description="How much lower our entropy is, mean over the seeds (nats a token)."
    )
    interval_nats_per_token: Interval = Field(description="95 % interval of it (nats a token).")
    p_value: float = Field(description="Of a paired, two-sided t-test over the seeds.")


class Claim(Part):
    """One claim with its verdict."""

    number: int = Field(ge=1, le=5, description="Number of the claim, 1 to 5.")
    kind: str = Field(description="Name of the claim.")
    claim: str = Field(description="The claim in words.")
    source: str = Field(description="Where the paper claims it.")
    test: str = Field(description="What is tested.")
    corpus: str = Field(description="The corpus.")
    model: str = Field(description="The row that the claim is about.")
    against: str = Field(description="What it is set against.")
    effect: Effect = Field(description="The values.")
    seeds: SeedDifference | None = Field(
        description="The difference over the seeds; `null` with one seed, or if it is counted."
    )
    p_value: float | None = Field(description="`null` for a claim that is counted, not tested.")
    p_value_holm: float | None = Field(description="The corrected p-value.")
    verdict: Literal["supported", "not supported", "undecided"] = Field(description="The verdict.")


class UntestedClaim(Part):
    """One claim that the experiment cannot test."""

    number: int = Field(ge=1, le=5, description="Number of the claim, 1 to 5.")
    kind: str = Field(description="Name of the claim.")
    claim: str = Field(description="The claim in words.")
    corpus: str = Field(description="The corpus.")
    model: str = Field(description="The row that the claim is about.")
    reason: str = Field(description="Why it cannot be tested.")


class Claims(Record):
    """The paper's claims, each with its verdict on this experiment."""

    file: ClassVar = "claims.json"
    missing: ClassVar = "the claims have not been judged yet: run the experiment first"

    tests: ClaimTests = Field(description="How the claims are tested.")
    claims: tuple[Claim, ...] = Field(description="The claims that are tested.")
    not_tested: tuple[UntestedClaim, ...] = Field(description="Those that cannot be.")
