"""The summary of an experiment for a terminal: a table of the networks, and what was found."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables import perplexity
from online_rnnlm.analysis.tables.write import Column, Table, integer, label, mean

_WIDTH = 88


def summary(results: Results, findings: Sequence[str]) -> str:
    """Return the table of the networks that have finished, and the findings, as plain text."""
    try:
        data = perplexity.make(results).data
    except NothingToShowError:
        data = None
    parts = [] if data is None else [networks(data)]
    parts += [textwrap.fill(finding, _WIDTH) for finding in findings]
    return "\n\n".join(parts) + "\n"


def networks(data: pd.DataFrame) -> str:
    """Return the rows of networks of the table `perplexity` as plain text."""
    data = data[data["hidden_size"].notna()]
    several = [Column("text", label("corpus"), text=True)] if data["corpus"].nunique() > 1 else []
    columns = [
        *several,
        Column("network", label("model"), text=True),
        Column("test perplexity", mean("test_perplexity")),
        Column("vector frozen", mean(perplexity.STILL)),
        Column("parameters", integer("parameters")),
        Column("multiply-adds per word", integer("multiply_adds_per_word")),
    ]
    table = Table("summary", "", data, columns)
    sides = ["left" if column.text else "right" for column in columns]
    cells = table.cells()
    return str(tabulate(cells, table.headings, "simple", disable_numparse=True, colalign=sides))
