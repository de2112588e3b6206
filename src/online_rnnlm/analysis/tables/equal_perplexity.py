"""The table `equal_perplexity`: the static network that would predict as well as a vector."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from online_rnnlm.analysis.opponents import static_like
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import FinishedNetwork, TestedNetwork, best_on_valid
from online_rnnlm.analysis.tables.table import Column, Row, Table, cost_columns, identity, table_of
from online_rnnlm.analysis.tables.values import decimal


def make(results: Results) -> Table:
    """Make the table: a row for each network with a vector that has static ones of two sizes.

    Raises NothingToShowError if there is none.
    """
    rows = []
    for vector in results.networks:
        if vector.learns and (row := _row(results, vector)):
            rows.append(row)
    if not rows:
        raise NothingToShowError("No vector has static networks of two sizes beside it.")
    columns = [
        Column("Network", "model", text=True),
        Column("Test perplexity", "test_perplexity", decimal),
        Column("Units of the static network", lambda row: _sizes(row, "units")),
        Column("95 % interval", lambda row: _sizes(row, "units_low", "units_high")),
        *cost_columns("_static"),
    ]
    notes = [
        "The number of hidden units with which a static network would have the same test "
        "perplexity, interpolated between the static networks; the interval has all sizes that are "
        "not told from it."
    ]
    if not all(math.isnan(row["parameters_static"]) for row in rows):
        notes.append("The percentages: how much more (+) or less (−) the vector's network costs.")
    return table_of(results, "The static network of the same perplexity", rows, columns, notes)


def _sizes(row: Row, *keys: str) -> str:
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


def _row(results: Results, vector: FinishedNetwork) -> Row | None:
    """The size of the static network that is as good as a network, and its costs.

    None if there are no static networks of two sizes to draw a line through. Of those of one size,
    which may have different numbers of slow units, the best on `valid` counts.
    """
    by_size: dict[int, list[TestedNetwork]] = defaultdict(list)
    for static in static_like(results, vector):
        by_size[static.settings.hidden_size].append(static.main)
    sizes = sorted(by_size)
    if len(sizes) < 2:
        return None
    found = [results.compare(vector.main, best_on_valid(by_size[size])) for size in sizes]
    units = crossing(sizes, [one.nats_per_token for one in found])

    def at_units(costs: Sequence[float]) -> float:
        """A cost at that size, by what the static networks cost; NaN outside of their sizes."""
        if not sizes[0] <= units <= sizes[-1]:
            return math.nan
        logs = [math.log(cost) for cost in costs]
        return math.exp(np.interp(math.log(units), np.log(sizes), logs))

    ours = found[0].ours
    theirs = [one.theirs for one in found]
    intervals = [one.interval_nats_per_token for one in found]
    return {
        **identity(vector),
        "test_perplexity": vector.main.perplexity().mean(),
        "smallest_tried": sizes[0],
        "largest_tried": sizes[-1],
        "units": units,
        "units_low": crossing(sizes, [low for low, _ in intervals]),
        "units_high": crossing(sizes, [high for _, high in intervals]),
        "parameters": ours.parameters,
        "parameters_static": at_units([one.parameters for one in theirs]),
        "multiply_adds_per_word": ours.multiply_adds_per_word,
        "multiply_adds_per_word_static": at_units([one.multiply_adds_per_word for one in theirs]),
        "seconds_per_word": ours.seconds_per_word,
        "seconds_per_word_static": at_units([one.seconds_per_word for one in theirs]),
    }


def crossing(sizes: Sequence[int], gains: Sequence[float]) -> float:
    """The size at which a gain over static networks is 0, interpolated in the sizes' logarithm.

    It is 0 if even the smallest static network is as good, and infinite if none is.
    """
    if gains[0] <= 0:
        return 0.0
    for left in range(len(sizes) - 1):
        if gains[left + 1] <= 0:
            share = gains[left] / (gains[left] - gains[left + 1])
            logs = np.log(sizes[left : left + 2])
            return float(np.exp(logs[0] + share * (logs[1] - logs[0])))
    return math.inf
