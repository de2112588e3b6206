"""Rows of the table: a measured value, and the target that it should reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import REFERENCE, Sample, rates, ratios, summary


@dataclass(frozen=True)
class Target:
    """The target of a row: at least, or at most, a value."""

    value: float
    at_least: bool = True

    def met(self, value: float) -> bool:
        """Return True if a value meets the target."""
        return value >= self.value if self.at_least else value <= self.value

    def ratio(self, value: float) -> float:
        """Return value / target, or its inverse for an upper limit: 1 meets it, more is better."""
        return value / self.value if self.at_least else self.value / value


def row(
    title: str, unit: str, values: Sequence[float], target: Target | None = None, **more: Any
) -> dict[str, Any]:
    """Return a row of the table as JSON: the summary of the values, the target, and `more`."""
    numbers = summary(values)
    result: dict[str, Any] = {"title": title, "unit": unit, **numbers, **more}
    if target is not None:
        result |= {
            "target": target.value,
            "at_least": target.at_least,
            "met": target.met(numbers["median"]),
            "ratio_to_target": target.ratio(numbers["median"]),
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
    """Return a row of a task's words per second of processor time, with its share of the bound.

    `flops` is the number of FLOPs per word. The bound is the reference's speed in the same rounds,
    divided by `flops`.
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
    """Return a row that could not be measured, with the reason."""
    result: dict[str, Any] = {"title": title, "missing": why}
    if target is not None:
        result |= {"target": target.value, "at_least": target.at_least}
    return result
