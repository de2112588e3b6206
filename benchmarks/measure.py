"""Timing of tasks, repeatedly and in turn, with a matrix product as the reference."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import blas

REFERENCE = "reference"
"""Name of the reference, a matrix product, among the tasks."""
_PRODUCT_SIZE = 1024
_PRODUCTS = 8

Task = Callable[[], float]
"""A function that works and returns the amount of work: words, or FLOPs."""


@dataclass(frozen=True)
class Sample:
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


def interleaved(tasks: Mapping[str, Task], repeats: int) -> dict[str, list[Sample]]:
    """Time all tasks and the reference in turn, `repeats` times, after one untimed call of each.

    If the machine is slow for a moment, all tasks of a round are affected, so the samples of one
    round can be compared with each other.
    """
    everything = {REFERENCE: reference_product(), **tasks}
    for task in everything.values():
        task()
    samples: dict[str, list[Sample]] = {name: [] for name in everything}
    for _ in range(repeats):
        for name, task in everything.items():
            samples[name].append(timed(task))
    return samples


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


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Return the median, the least, the greatest and all values."""
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "values": list(values),
    }


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratios of values that were measured in the same rounds."""
    return [a / b for a, b in zip(above, below, strict=True)]


def rates(samples: Sequence[Sample]) -> list[float]:
    """Return the work per second of processor time of every sample."""
    return [sample.per_cpu_second for sample in samples]
