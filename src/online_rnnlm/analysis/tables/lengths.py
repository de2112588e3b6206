"""The table `lengths`: the vector's gain by the length of the test article."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import FinishedRow
from online_rnnlm.analysis.sides import scores_of
from online_rnnlm.analysis.significance import (
    gain_over_text_and_seeds,
    percent_of_gain,
    percents_of_gains,
)
from online_rnnlm.analysis.tables.table import (
    CHANGE,
    Column,
    Table,
    comparison_table,
    integer,
    label,
    model_keys,
    shown_interval,
)

BOUNDS = (0, 100, 250, 500, 1000, np.inf)
"""The lengths (tokens) at which the groups of articles begin, and where the last one ends."""
_FEWEST = 2
"""The fewest articles of a group: one gives no interval."""


def make(results: Results) -> Table:
    """Make the table: each vector row against the static one of its size, by the article's length.

    Raises NothingToShowError if no row has such an opponent, or if articles are not known.
    """
    rows = [values for row in results.rows if row.has_vector for values in _of_row(results, row)]
    if not rows:
        raise NothingToShowError("No vector has a static network to compare, and known articles.")
    data = pd.DataFrame(rows)
    caption = "Gain by the length of the article"
    return comparison_table(results, "lengths", caption, data, _COLUMNS, [_NOTE])


def _of_row(results: Results, vector: FinishedRow) -> Iterator[dict[str, Any]]:
    """Yield the values of a row for each group of articles that has enough of them."""
    static = next(reversed(results.opponents_of(vector)), None)
    pieces = results.pieces(vector.corpus, "sentence")
    if static is None or pieces.name != "article":
        return
    logs, logs_against, tokens = scores_of(results, pieces, vector.main, static.main)
    for first, end in pairwise(BOUNDS):
        chosen = (tokens >= first) & (tokens < end)
        if chosen.sum() < _FEWEST:
            continue
        ours = logs[:, chosen]
        theirs = logs_against[:, chosen]
        total = tokens[chosen].sum()
        gain = gain_over_text_and_seeds(ours, theirs, tokens[chosen])
        low, high = percents_of_gains(gain.interval)
        yield {
            **model_keys(vector.first.run),
            "against": static.label,
            "length": f"{first:,}–{end - 1:,.0f}" if end < np.inf else f"{first:,} and more",
            "articles": int(chosen.sum()),
            "share_percent": 100 * total / tokens.sum(),
            "test_perplexity": np.exp(-ours.sum(axis=1) / total).mean(),
            "test_perplexity_against": np.exp(-theirs.sum(axis=1) / total).mean(),
            "change_percent": percent_of_gain(gain.nats_per_token),
            "interval_low_percent": low,
            "interval_high_percent": high,
        }


_COLUMNS = (
    Column("Network", label("model"), text=True),
    Column("Tokens of the article", label("length"), text=True),
    Column("Test perplexity", lambda row: f"{row['test_perplexity']:.1f}"),
    Column("Of the static one", lambda row: f"{row['test_perplexity_against']:.1f}"),
    CHANGE,
    Column("95 % interval (%)", shown_interval),
    Column("Against", label("against"), text=True),
    Column("Articles", integer("articles")),
    Column("Share of the text (%)", integer("share_percent")),
)
_NOTE = (
    "Each network with its vector learning, against the smallest static network with at least as "
    "many parameters, or the largest there is. The intervals are over articles and seeds."
)
