"""The table `equal_perplexity`: the static network that would predict as well as a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import FinishedRow
from online_rnnlm.analysis.sides import compare_sides
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    changes_of_costs,
    comparison_table,
    label,
    model_keys,
)

_COSTS = ("parameters", "multiply_adds_per_word", "seconds_per_word")
"""The costs of a side of a comparison."""


def make(results: Results) -> Table:
    """Make the table: a row for each network with a vector that has static ones of two sizes.

    Raises NothingToShowError if there is none.
    """
    rows = [_values(results, row) for row in results.rows if row.has_vector]
    found = [values for values in rows if values is not None]
    if not found:
        raise NothingToShowError("No vector has static networks of two sizes beside it.")
    caption = "The static network of the same perplexity"
    return comparison_table(
        results, "equal_perplexity", caption, pd.DataFrame(found), _COLUMNS, [_NOTE]
    )


def _values(results: Results, vector: FinishedRow) -> dict[str, Any] | None:
    """The size of the static network that is as good as a row, and its costs; None if no line."""
    # Of rows of one size, the first is the best.
    static = reversed(results.static_rows_like(vector))
    by_size = {row.settings.hidden_size: row for row in static}
    sizes = sorted(by_size)
    if len(sizes) < 2:
        return None
    found = [compare_sides(results, vector.main, by_size[size].main) for size in sizes]
    units = crossing(sizes, [one.nats_per_token for one in found])
    intervals = [one.interval_nats_per_token for one in found]
    values = {
        **model_keys(vector.first.run),
        "test_perplexity": vector.main.perplexity().mean(),
        "smallest_tried": sizes[0],
        "largest_tried": sizes[-1],
        "units": units,
        "units_low": crossing(sizes, [low for low, _ in intervals]),
        "units_high": crossing(sizes, [high for _, high in intervals]),
    }
    for cost in _COSTS:
        costs = [math.log(getattr(one.theirs, cost)) for one in found]
        at = math.nan
        if sizes[0] <= units <= sizes[-1]:
            at = math.exp(np.interp(math.log(units), np.log(sizes), costs))
        values |= {cost: getattr(found[0].ours, cost), f"{cost}_static": at}
    return values


def crossing(sizes: Sequence[int], gains: Sequence[float]) -> float:
    """The size at which a gain over static networks is 0, interpolated in the sizes' logarithm.

    It is 0 if the gain is below 0 at the smallest size, and infinite if it is above 0 at all.
    """
    if gains[0] <= 0:
        return 0.0
    for left in range(len(sizes) - 1):
        if gains[left + 1] <= 0:
            share = gains[left] / (gains[left] - gains[left + 1])
            logs = np.log(sizes[left : left + 2])
            return float(np.exp(logs[0] + share * (logs[1] - logs[0])))
    return math.inf


def _sizes(row: pd.Series, keys: Sequence[str]) -> str:
    """One or two sizes, each as a number, or on which side of all that were tried it is."""
    shown = []
    for key in keys:
        if row[key] == 0:
            shown.append(f"below {row['smallest_tried']}")
        elif math.isinf(row[key]):
            shown.append(f"above {row['largest_tried']}")
        else:
            shown.append(f"{row[key]:.0f}")
    return " to ".join(dict.fromkeys(shown))


_COLUMNS = (
    Column("Network", label("model"), text=True),
    Column("Test perplexity", lambda row: f"{row['test_perplexity']:.1f}"),
    Column("Units of the static network", partial(_sizes, keys=["units"])),
    Column("95 % interval", partial(_sizes, keys=["units_low", "units_high"])),
    *changes_of_costs("_static"),
)
_NOTE = (
    "The number of hidden units with which a static network would have the same test perplexity, "
    "interpolated between the static networks; the interval has all sizes that are not told from "
    "it. The percentages say how much more (+) or less (−) the network with the vector costs."
)
