"""The table `lengths`: the vector's gain by the length of the test article."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from online_rnnlm.analysis.opponents import opponents_of, slow_units_like
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.significance import gain_over_text_and_seeds
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.analysis.tables.table import (
    Column,
    NetworkRow,
    Table,
    corpus_column,
    data_of,
    on_corpus,
)
from online_rnnlm.analysis.tables.values import integer, interval, signed

BOUNDS = (0, 100, 250, 500, 1000, np.inf)
"""The lengths (tokens) at which the groups of articles begin, and where the last one ends."""
_FEWEST = 2
"""The fewest articles of a group: one gives no interval."""


@dataclass(frozen=True)
class LengthRow(NetworkRow):
    """A network with a vector on the articles of some length."""

    against: str
    length: str
    articles: int
    share_percent: float
    test_perplexity: float
    test_perplexity_against: float
    change_percent: float
    interval_low_percent: float
    interval_high_percent: float


def make(results: Results) -> Table[LengthRow]:
    """Make the table: each network with a vector against others, by the article's length.

    They are a static network, and those with slow units in the vector's place. Raises
    NothingToShowError if no network has a static one to compare, or if articles are not known.
    """
    rows = [
        row
        for vector in results.networks
        if vector.has_vector
        for other in [*opponents_of(results, vector)[-1:], *slow_units_like(results, vector)]
        for row in _rows(results, vector, other)
    ]
    if not rows:
        raise NothingToShowError("No vector has a static network to compare, and known articles.")
    columns: list[Column[LengthRow]] = [
        Column("Network", lambda row: row.network.network_name, text=True),
        Column("Tokens of the article", lambda row: row.length, text=True),
        *corpus_column(results),
        Column("Test perplexity", lambda row: f"{row.test_perplexity:.1f}"),
        Column("Of the other", lambda row: f"{row.test_perplexity_against:.1f}"),
        Column("Change (%)", lambda row: signed(row.change_percent)),
        Column(
            "95 % interval (%)",
            lambda row: interval((row.interval_low_percent, row.interval_high_percent)),
        ),
        Column("Against", lambda row: row.against, text=True),
        Column("Articles", lambda row: integer(row.articles)),
        Column("Share of the text (%)", lambda row: integer(row.share_percent)),
    ]
    note = (
        "Each network with its vector learning, against the smallest static network with at least "
        "as many parameters, or the largest there is, and against slow units in the vector's "
        "place. The intervals are over articles and seeds."
    )
    caption = on_corpus("Gain by the length of the article", results)
    return Table(caption, rows, columns, [note], data_of(rows, results))


def _rows(results: Results, vector: FinishedNetwork, other: FinishedNetwork) -> Iterator[LengthRow]:
    """Yield a row for each group of articles that has enough of them; none if they are unknown."""
    pieces = results.scores.pieces(vector.corpus, "sentence")
    if pieces.name != "article":
        return
    logs, logs_against, tokens = results.scores.by_piece(pieces, vector.main, other.main)
    for first, end in pairwise(BOUNDS):
        chosen = (tokens >= first) & (tokens < end)
        if chosen.sum() < _FEWEST:
            continue
        ours = logs[:, chosen]
        theirs = logs_against[:, chosen]
        total = tokens[chosen].sum()
        gain = gain_over_text_and_seeds(ours, theirs, tokens[chosen])
        low, high = gain.interval_percent
        yield LengthRow(
            network=vector,
            against=other.network_name,
            length=f"{first:,}–{end - 1:,.0f}" if end < np.inf else f"{first:,} and more",
            articles=int(chosen.sum()),
            share_percent=100 * total / tokens.sum(),
            test_perplexity=np.exp(-ours.sum(axis=1) / total).mean(),
            test_perplexity_against=np.exp(-theirs.sum(axis=1) / total).mean(),
            change_percent=gain.change_percent,
            interval_low_percent=low,
            interval_high_percent=high,
        )
