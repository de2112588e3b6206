"""The shared parts of the rivals: types, the result of a search for settings, and a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.storage.evaluations import Trial
from online_rnnlm.storage.records import Number

Tokens = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
States = NDArray[np.floating[Any]]
Text = TypeVar("Text")


class Fit(NamedTuple):
    """The settings that were tried on `valid`, and the best of them."""

    chosen: dict[str, Number]
    curve: list[Trial]


def timed(
    score: Callable[[Text], Floats], texts: Mapping[str, Text]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Score each text; return the scores and the seconds that each took."""
    logs, seconds = {}, {}
    for name, text in texts.items():
        began = time.perf_counter()
        logs[name] = score(text)
        seconds[name] = time.perf_counter() - began
    return logs, seconds
