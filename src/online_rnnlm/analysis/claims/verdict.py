"""The verdict on a claim, by its test's interval, its p-value and its seeds."""

from __future__ import annotations

from typing import Literal

from online_rnnlm.analysis.significance import LEVEL, Comparison, SeedInterval

Verdict = Literal["supported", "not supported", "undecided"]
SUPPORTED: Verdict = "supported"
NOT_SUPPORTED: Verdict = "not supported"
UNDECIDED: Verdict = "undecided"
ENOUGH_SEEDS = 3
"""From so many seeds on, a verdict needs their agreement too."""
RULE = (
    "supported if the bootstrap interval lies on the claim's side of no difference (of the margin "
    "where there is one), the corrected p-value is below the level and, from "
    f"{ENOUGH_SEEDS} seeds on, the seeds' interval lies on that side, too; not supported if all "
    "of them lie on the other side; else undecided"
)
"""The rule of `verdict_of` in words."""


def verdict_of(comparison: Comparison, adjusted: float, seeds: SeedInterval | None) -> Verdict:
    """The verdict on the claim that a comparison's first model is the better one.

    `adjusted`: the test's p-value after correction.
    """
    sides = {comparison.side}
    if seeds is not None and seeds.seeds >= ENOUGH_SEEDS:
        sides.add(seeds.side)
    if adjusted >= LEVEL or len(sides) > 1:
        return UNDECIDED
    return {1: SUPPORTED, -1: NOT_SUPPORTED, 0: UNDECIDED}[sides.pop()]
