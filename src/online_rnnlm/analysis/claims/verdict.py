"""The verdict on a claim, from the interval, the p-value and the seeds of its test."""

from __future__ import annotations

from typing import Literal

from online_rnnlm.analysis.claims.paper import VECTOR_ALONE
from online_rnnlm.analysis.significance import LEVEL, Comparison, SeedInterval
from online_rnnlm.storage.records import Effect

Verdict = Literal["supported", "not supported", "undecided"]
SUPPORTED: Verdict = "supported"
NOT_SUPPORTED: Verdict = "not supported"
UNDECIDED: Verdict = "undecided"
WORST_FIRST = (NOT_SUPPORTED, UNDECIDED, SUPPORTED)
"""The order of verdicts where what does not hold is shown first."""
ENOUGH_SEEDS = 3
"""With at least this many seeds, a verdict also needs the agreement of the seeds."""
RULE = (
    "supported if the bootstrap interval lies on the claim's side of no difference (of the margin "
    "where there is one), the corrected p-value is below the level and, from "
    f"{ENOUGH_SEEDS} seeds on, the seeds' interval lies on that side, too; not supported if all "
    "of them lie on the other side; else undecided"
)
"""The rule of `verdict_of` in words."""


def verdict_on(
    number: int,
    comparison: Comparison,
    adjusted: float,
    seeds: SeedInterval | None,
    effect: Effect,
) -> Verdict:
    """The verdict on a claim: that of its test and, for the vector alone, of its costs, too."""
    if number == VECTOR_ALONE and not _is_cheaper(effect):
        return NOT_SUPPORTED
    return verdict_of(comparison, adjusted, seeds)


def _is_cheaper(effect: Effect) -> bool:
    """True if our side is lower in every cost that the claim is about."""
    costs = (
        (effect.multiply_adds_per_word, effect.multiply_adds_per_word_against),
        (effect.parameters_touched_per_word, effect.parameters_touched_per_word_against),
    )
    return all(ours < theirs for ours, theirs in costs if ours is not None and theirs is not None)


def verdict_on_multiply_adds(of_perplexity: Verdict, ours: float, theirs: float) -> Verdict:
    """The verdict on a lower perplexity with fewer multiply-adds, which need no test.

    It is that on the lower perplexity, or `not supported` if the counts are not lower.
    """
    return of_perplexity if ours < theirs else NOT_SUPPORTED


def verdict_of(comparison: Comparison, adjusted: float, seeds: SeedInterval | None) -> Verdict:
    """The verdict on the claim that a comparison's first model is the better one.

    `adjusted` is the test's p-value after correction.
    """
    sides = {comparison.side}
    if seeds is not None and seeds.seeds >= ENOUGH_SEEDS:
        sides.add(seeds.side)
    if adjusted >= LEVEL or len(sides) > 1:
        return UNDECIDED
    return {1: SUPPORTED, -1: NOT_SUPPORTED, 0: UNDECIDED}[sides.pop()]
