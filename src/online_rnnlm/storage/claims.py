"""The record of the paper's claims."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from online_rnnlm.storage.records import Digest, Part, Record

Interval = tuple[float, float]
"""The lower and the upper end of an interval."""
PieceName = Literal["sentence", "article", "block"]
Verdict = Literal["supported", "not supported", "undecided"]


class Equivalence(Part):
    """A test of whether two models differ by less than a margin, on either side."""

    margin_percent: float
    """The margin (%)."""
    p_value: float
    """p-value of the two one-sided tests: the larger of the two, uncorrected."""
    shown: bool
    """True if the p-value is below the level."""


class Effect(Part):
    """The values that a claim is about, for both models; `null` for values that it does not use."""

    test_perplexity: float | None = None
    """Test perplexity, mean over the seeds."""
    test_perplexity_against: float | None = None
    """The same value of the other model."""
    change_percent: float
    """Change from the other model's value to this one's (%); negative if this one is lower. The
    value is the perplexity, as geometric mean over the seeds, or the multiply-adds."""
    interval_percent: Interval | None = None
    """95 % interval of the change (%)."""
    nats_per_token: float | None = None
    """Entropy of the other model minus that of this one (nats per token)."""
    interval_nats_per_token: Interval | None = None
    """95 % interval of that difference (nats per token)."""
    drawn: PieceName | None = None
    """The pieces of text that the interval and the p-value draw: sentences, articles, or blocks of
    consecutive sentences."""
    pieces: int | None = None
    """Number of these pieces."""
    sentences: int | None = None
    """Number of test sentences."""
    tokens: int | None = None
    """Number of test tokens."""
    parameters: int | None = None
    """Number of parameters."""
    parameters_against: int | None = None
    """The same value of the other model."""
    multiply_adds_per_word: float | None = None
    """Multiply-adds per token in testing."""
    multiply_adds_per_word_against: float | None = None
    """The same value of the other model."""
    seconds_per_word: float | None = None
    """Time per token in testing (s): processor time, median of the rounds in which both were timed,
    or, where `seconds_change_percent` is null, the time that the evaluations took."""
    seconds_per_word_against: float | None = None
    """The same value of the other model."""
    seconds_change_percent: Interval | None = None
    """95 % interval of the change of that time (%), over the rounds."""
    parameters_touched_per_word: float | None = None
    """Number of parameters that learning changes per token."""
    parameters_touched_per_word_against: float | None = None
    """The same value of the other model."""
    margin_percent: float | None = None
    """Largest increase of the perplexity that still counts as equally good (%)."""
    equivalence: Equivalence | None = None
    """Test of whether the two models are equally good."""


class SeedDifference(Part):
    """The difference of two models over the seeds."""

    seeds: int
    """Number of seeds."""
    nats_per_token: float
    """Entropy of the other model minus that of this one, mean over the seeds (nats per token)."""
    interval_nats_per_token: Interval
    """95 % interval of that difference (nats per token)."""
    p_value: float
    """p-value of a paired, two-sided t-test over the seeds."""


class Claim(Part):
    """One claim with its verdict."""

    number: int = Field(ge=1, le=7)
    """Number of the claim, 1 to 7."""
    claim: str
    """The claim in words."""
    corpus: str
    """The corpus."""
    train_tokens: int
    """Number of training tokens of the corpus."""
    row: str
    """The row that the claim is about."""
    model: str
    """The row's name with the way in which it is tested, if it is not that of its training."""
    against: str
    """The row or evaluation that it is compared with."""
    case: str = ""
    """The case, if a claim has several: the unit of text, or the costs that are allowed."""
    network: str
    """The row whose network is tested."""
    network_against: str
    """The row whose network it is compared with."""
    evaluation: str | None
    """The evaluation that is compared; `null` for a claim decided by counting."""
    evaluation_against: str | None
    """The evaluation of the other network."""
    effect: Effect
    """The values."""
    seeds: SeedDifference | None
    """The difference over the seeds; `null` with one seed, or if the claim is decided by
    counting."""
    p_value: float | None
    """The p-value; `null` for a claim that is decided by counting."""
    p_value_holm: float | None
    """The corrected p-value."""
    verdict: Verdict
    """The verdict."""


class UntestedClaim(Part):
    """One claim that the experiment cannot test."""

    number: int = Field(ge=1, le=7)
    """Number of the claim, 1 to 7."""
    claim: str
    """The claim in words."""
    corpus: str
    """The corpus."""
    model: str
    """The row that the claim is about."""
    reason: str
    """Reason why it cannot be tested."""


class Claims(Record):
    """The paper's claims, each with its verdict on this experiment."""

    missing: ClassVar = "the claims have not been judged yet: run the experiment first"

    settings: Digest
    """sha256 of the experiment's settings that results can depend on, as JSON."""
    claims: tuple[Claim, ...]
    """The claims that are tested."""
    not_tested: tuple[UntestedClaim, ...]
    """The claims that cannot be tested."""
