"""Timing of workloads, repeatedly and in turn, and the rows of the table that come of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import blas

REFERENCE = "reference"
"""Name of the reference, a matrix product, among the tasks."""
_PRODUCT_SIZE = 1024
_PRODUCTS = 2

Task = Callable[[], float]
"""A function that works and returns the amount of work: words, or FLOPs."""
Row = dict[str, Any]
"""A row of the table, as JSON."""


class Target(NamedTuple):
    """The target of a row: at least, or at most, a value."""

    value: float
    at_least: bool = True


class Workload(NamedTuple):
    """A task that is timed, and what its speed is compared with."""

    title: str
    make: Callable[[], Task]
    """Makes the task; this and its first call, which may compile, are timed apart."""
    target: Target | None = None
    flops: float | None = None
    """FLOPs of a word: its speed is compared with that of the matrix product."""
    against: str = ""
    """Title of a workload of the same group: the row has the ratio of the two speeds."""
    by_clock: bool = False
    """True if the ratio is that of words per second of the clock, not of processor time."""
    shown: bool = True
    """False if only others are compared with it."""
    more: Mapping[str, Any] = {}
    """Further values of the row."""


class Sample(NamedTuple):
    """One timed call: the work done, and the seconds by the clock and of processor time."""

    work: float
    wall: float
    cpu: float

    @property
    def per_cpu_second(self) -> float:
        """Work per second of processor time; for one thread, the speed on an idle machine."""
        return self.work / self.cpu

    @property
    def per_second(self) -> float:
        """Work per second of the clock."""
        return self.work / self.wall


def timed(task: Task) -> Sample:
    """Call a task once and time it."""
    wall, cpu = time.perf_counter(), time.process_time()
    work = task()
    return Sample(work, time.perf_counter() - wall, time.process_time() - cpu)


def measured(workloads: Sequence[Workload], repeats: int) -> list[Row]:
    """Time a group of workloads and a matrix product in turn, after one untimed call of each.

    If the machine is slow for a moment, all of a round are affected, so the samples of one round
    can be compared with each other. Returns the workloads' rows.
    """
    tasks, first = {REFERENCE: reference_product()}, {}
    for one in workloads:
        began = time.perf_counter()
        tasks[one.title] = one.make()
        tasks[one.title]()
        first[one.title] = time.perf_counter() - began
    tasks[REFERENCE]()
    # What runs after the product is slowed by it, so the order is another one in every round.
    order, random = list(tasks), Random(0)
    rounds = []
    for _ in range(repeats):
        random.shuffle(order)
        rounds.append({title: timed(tasks[title]) for title in order})
    samples = {title: [one[title] for one in rounds] for title in tasks}
    return [
        _row_of(one, samples) | {"first_call": first[one.title], **one.more}
        for one in workloads
        if one.shown
    ]


def _row_of(one: Workload, samples: Mapping[str, list[Sample]]) -> Row:
    speeds = rates(samples[one.title])
    clock = [sample.per_second for sample in samples[one.title]]
    result = {"wall_median": statistics.median(clock)}
    if one.flops is not None:
        products = rates(samples[REFERENCE])
        bounds = [product / one.flops for product in products]
        result |= {
            "flops_per_word": one.flops,
            "bound": statistics.median(bounds),
            "share_of_bound": statistics.median(ratios(speeds, bounds)),
            "reference_gflops": statistics.median(products) / 1e9,
        }
    if not one.against:
        return row(one.title, "words/s", speeds, one.target, **result)
    other = samples[one.against]
    values = ratios(clock, [s.per_second for s in other]) if one.by_clock else None
    result["words_per_second"] = statistics.median(speeds)
    return row(one.title, "ratio", values or ratios(speeds, rates(other)), one.target, **result)


def reference_product() -> Task:
    """Return a task of float32 matrix products by the BLAS of the kernels, which returns FLOPs."""
    random = np.random.default_rng(0)
    shape = (_PRODUCT_SIZE, _PRODUCT_SIZE)
    a, b, c = (np.asfortranarray(random.random(shape, dtype=np.float32)) for _ in range(3))

    def multiply() -> float:
        for _ in range(_PRODUCTS):
            blas.sgemm(1.0, a, b, 0.0, c, overwrite_c=True)
        return 2.0 * _PRODUCTS * _PRODUCT_SIZE**3

    return multiply


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratios of values that were measured in the same rounds."""
    return [a / b for a, b in zip(above, below, strict=True)]


def rates(samples: Sequence[Sample]) -> list[float]:
    """Return the work per second of processor time of every sample."""
    return [sample.per_cpu_second for sample in samples]


def row(
    title: str, unit: str, values: Sequence[float], target: Target | None = None, **more: Any
) -> Row:
    """Return a row: the median, the least and the greatest value, the target, and `more`.

    The ratio to the target is 1 where it is just met, and larger is better.
    """
    median = statistics.median(values)
    result: Row = {"title": title, "unit": unit, "median": median}
    result |= {"min": min(values), "max": max(values), "values": list(values), **more}
    if target is not None:
        ratio = median / target.value if target.at_least else target.value / median
        result |= {"target": target.value, "at_least": target.at_least, "ratio_to_target": ratio}
    return result


def missing(title: str, why: str) -> Row:
    """Return a row that could not be measured, with the reason."""
    return {"title": title, "missing": why}
