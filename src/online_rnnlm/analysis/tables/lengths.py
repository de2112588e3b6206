"""The table `lengths`: the vector's gain by the length of the test article."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from online_rnnlm.analysis.opponents import opponents_of, slow_units_like
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.significance import gain_over_text_and_seeds
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.analysis.tables.table import Column, Row, Table, identity, interval_of, table_of
from online_rnnlm.analysis.tables.values import decimal, integer, signed

BOUNDS = (0, 100, 250, 500, 1000, np.inf)
"""The lengths (tokens) at which the groups of articles begin, and where the last one ends."""
_FEWEST = 2
"""The fewest articles of a group: one gives no interval."""


def make(results: Results) -> Table:
    """Make the table: each network with a vector against others, by the article's length.

    They are a static network, and those with slow units in the vector's place. Raises
    NothingToShowError if no network has a static one to compare, or if articles are not known.
    """
    rows = [
        row
        for vector in results.networks
        if vector.learns
        for other in [*opponents_of(results, vector)[-1:], *slow_units_like(results, vector)]
        for row in _rows(results, vector, other)
    ]
    if not rows:
        raise NothingToShowError("No vector has a static network to compare, and known articles.")
    columns = [
        Column("Network", "model", text=True),
        Column("Tokens of the article", "length", text=True),
        Column("Test perplexity", "test_perplexity", decimal),
        Column("Of the other", "test_perplexity_against", decimal),
        Column("Change (%)", "change_percent", signed),
        Column("95 % interval (%)", interval_of),
        Column("Against", "against", text=True),
        Column("Articles", "articles", integer),
        Column("Share of the text (%)", "share_percent", integer),
    ]
    note = (
        "Each network with its vector learning, against the smallest static network with at least "
        "as many parameters, or the largest there is, and against slow units in the vector's "
        "place. The intervals are over articles and seeds."
    )
    return table_of(results, "Gain by the length of the article", rows, columns, [note])


def _rows(results: Results, vector: FinishedNetwork, other: FinishedNetwork) -> Iterator[Row]:
    """Yield a row for each group of articles that has enough of them; none if they are unknown."""
    pieces = results.scores.pieces(vector.corpus, "sentence")
    if pieces.name != "article":
        return
    logs, logs_against, tokens = results.scores.by_piece(pieces, vector.main, other.main)
    of_seeds = results.chance_in_seeds(vector.main, other.main)
    for first, end in pairwise(BOUNDS):
        chosen = (tokens >= first) & (tokens < end)
        if chosen.sum() < _FEWEST:
            continue
        ours = logs[:, chosen]
        theirs = logs_against[:, chosen]
        total = tokens[chosen].sum()
        gain = gain_over_text_and_seeds(ours, theirs, tokens[chosen], of_seeds)
        low, high = gain.interval_percent
        yield {
            **identity(vector),
            "against": other.network_name,
            "length": f"{first:,}–{end - 1:,.0f}" if end < np.inf else f"{first:,} and more",
            "articles": int(chosen.sum()),
            "share_percent": 100 * total / tokens.sum(),
            "test_perplexity": np.exp(-ours.sum(axis=1) / total).mean(),
            "test_perplexity_against": np.exp(-theirs.sum(axis=1) / total).mean(),
            "change_percent": gain.change_percent,
            "interval_low_percent": low,
            "interval_high_percent": high,
        }
