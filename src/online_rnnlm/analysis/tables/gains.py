"""The table `gains`: what more computation buys, by a larger network, a vector or a rival."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables import perplexity
from online_rnnlm.analysis.tables.columns import corpus_columns, on_corpus, spread_note
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, mean
from online_rnnlm.analysis.wording import signed

ADDS, TEST, VALID = "multiply_adds_per_word", "test_perplexity", "valid_perplexity"
_LEAST_SHARE = 0.01
"""The least share of the static network's multiply-adds by which a gain is divided."""
_KEYS = ["corpus", "model", ADDS, VALID, TEST, f"{TEST}_sd"]


def make(results: Results) -> Table:
    """Make the table: each network, and each system that nothing cheaper equals.

    The CSV has a row for every system: a network, a network with a rival, or a rival of a corpus.
    Raises NothingToShowError if no static network has finished.
    """
    data = gains(perplexity.make(results).data)
    if data.empty:
        raise NothingToShowError("No static network has finished.")
    caption = on_corpus("What computation buys", results)
    columns = [*corpus_columns(results), *COLUMNS]
    return Table("gains", caption, shown(data), columns, [spread_note(results), NOTE], tidy=data)


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Compute the gains from the data of the table `perplexity`, the cheapest system first.

    A gain is ln(perplexity of the cheapest static network / perplexity) on `test`, in nats a word.
    """
    found = [_of_corpus(of_corpus) for _, of_corpus in table.groupby("corpus", sort=False)]
    empty = table.iloc[:0].reindex(columns=_KEYS)
    return pd.concat([one for one in found if one is not None] or [empty], ignore_index=True)


def _of_corpus(table: pd.DataFrame) -> pd.DataFrame | None:
    """Compute the gains on one corpus; None if it has no static network."""
    network = table["hidden_size"].notna()
    static = table[network & (table["document_size"] == 0)]
    if static.empty:
        return None
    least = static.sort_values(ADDS, kind="stable").iloc[0]
    found = table.assign(network=network).sort_values(ADDS, kind="stable")
    cost = found[ADDS].round()
    best = found.groupby(cost)[VALID].min().cummin()
    gain = np.log(float(least[TEST]) / found[TEST])
    more = found[ADDS] - float(least[ADDS])
    keys = [key for key in _KEYS if key in found]
    return found[[*keys, "network"]].assign(
        gain_nats=gain,
        gain_nats_per_1000=(1000 * gain / more).where(more > _LEAST_SHARE * float(least[ADDS])),
        # Chosen on `valid`, as everything is.
        best_at_its_cost=found[VALID] <= cost.map(best),
    )


def shown(data: pd.DataFrame) -> pd.DataFrame:
    """The rows for people: each network, and each system that is best at its cost."""
    return data[data["network"] | data["best_at_its_cost"]]


def _gain(row: pd.Series) -> str:
    return signed(row["gain_nats"], decimals=3)


def _per_1000(row: pd.Series) -> str:
    value = cast("float", row["gain_nats_per_1000"])
    return "" if np.isnan(value) else signed(value, decimals=4)


COLUMNS = (
    Column("System", label("model"), text=True),
    Column("Multiply-adds a word", integer(ADDS)),
    Column("Test perplexity", mean(TEST)),
    Column("Gain (nats a word)", _gain),
    Column("Gain for 1,000 more multiply-adds", _per_1000),
    Column("Best at its cost", lambda row: "yes" if row["best_at_its_cost"] else "", text=True),
)
NOTE = (
    "Every network, and every system that is best at its cost: no other system that costs as much "
    "or less has a lower perplexity on valid. The cheapest comes first. Gains are those over the "
    "static network with the fewest multiply-adds, on test: ln of the ratio of the perplexities. "
    "The gain for 1,000 more is left empty if a system costs less than 1 % more than that network."
)
