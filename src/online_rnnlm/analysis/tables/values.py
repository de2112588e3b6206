"""Values as the texts that tables and sentences show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from online_rnnlm.analysis.systems import BySeed
from online_rnnlm.storage.experiments import Interval


def number(value: float | None, form: str = ",.1f") -> str:
    """A number in one of Python's formats; empty if there is none."""
    return "" if value is None or math.isnan(value) else f"{value:{form}}"


def integer(value: float | None) -> str:
    """A whole number with separated thousands; empty if there is none."""
    return number(value, ",.0f")


def decimal(value: float) -> str:
    """A number with one decimal, and without separated thousands; empty if it is NaN."""
    return number(value, ".1f")


def percent(share: float) -> str:
    """A share in per cent, without the sign."""
    return f"{100 * share:.1f}"


def mean(values: BySeed) -> str:
    """The mean over the seeds and, if there are several, ± their sample standard deviation."""
    spread = number(values.std())
    return f"{number(values.mean())}{' ± ' if spread else ''}{spread}"


def signed(change: float, decimals: int = 1) -> str:
    """A number with its sign, which is a true minus: `−0.5`; one that rounds to 0 has none."""
    text = f"{change:+z.{decimals}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def change_percent(ours: float, theirs: float) -> str:
    """The change from their value to ours (%), such as of costs; empty if theirs is NaN."""
    return "" if math.isnan(theirs) else signed(100 * (ours / theirs - 1))


def interval(ends: Interval, decimals: int = 1) -> str:
    """An interval of changes in per cent, such as `−5.1 to −3.8 %`."""
    low, high = ends
    return f"{signed(low, decimals)} to {signed(high, decimals)} %"


def p_value(value: float) -> str:
    """A p-value with `=` or `<` before it: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; if seeds differ, with each seed's value in order."""
    keys = dict.fromkeys(key for settings in by_seed for key in settings)
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in keys)


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """A setting's value, or that of each seed in order: `0.1`, `0.1 / 0.3 / 0.1`.

    `as in training` stands for a seed without a value: of the vector's rates that were tried, none
    was better than that of its training.
    """
    values = [settings.get(key, "as in training") for settings in by_seed]
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return " / ".join(texts if len(set(texts)) > 1 else texts[:1])
