"""A row of the table: what was measured, beside what it is to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import REFERENCE, Sample, rates, ratios, summary


@dataclass(frozen=True)
class Target:
    """What a row is to reach: at least or at most a value."""

    value: float
    at_least: bool = True

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.value if self.at_least else value <= self.value

    def ratio(self, value: float) -> float:
        """How well a value does: 1 is just enough, more is better, in both directions."""
        return value / self.value if self.at_least else self.value / value


def row(
    title: str, unit: str, values: Sequence[float], target: Target | None = None, **more: Any
) -> dict[str, Any]:
    """A row of the table as JSON: the figures, the target, and whatever else belongs to it."""
    figures = summary(values)
    result: dict[str, Any] = {"title": title, "unit": unit, **figures, **more}
    if target is not None:
        result |= {
            "target": target.value,
            "at_least": target.at_least,
            "met": target.met(figures["median"]),
            "ratio_to_target": target.ratio(figures["median"]),
        }
    return result


def speed_row(
    title: str,
    samples: dict[str, list[Sample]],
    name: str,
    flops: float,
    target: Target | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Words a processor second of one interleaved task, and its share of the bound.

    `flops`, those of a word, give the bound by the yardstick's speed in the same rounds.
    """
    speeds = rates(samples[name])
    bounds = [speed / flops for speed in rates(samples[REFERENCE])]
    wall = summary([sample.per_second for sample in samples[name]])
    return row(
        title,
        "words/s",
        speeds,
        target,
        wall_median=wall["median"],
        flops_per_word=flops,
        bound=summary(bounds)["median"],
        share_of_bound=summary(ratios(speeds, bounds))["median"],
        reference_gflops=summary(rates(samples[REFERENCE]))["median"] / 1e9,
        **more,
    )


def missing(title: str, why: str, target: Target | None = None) -> dict[str, Any]:
    """A row that could not be measured, and why."""
    result: dict[str, Any] = {"title": title, "missing": why}
    if target is not None:
        result |= {"target": target.value, "at_least": target.at_least}
    return result
