"""The table `gains`: what more computation buys, by a larger network, a vector or a rival."""

from __future__ import annotations

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables import perplexity, shared
from online_rnnlm.analysis.tables.write import Column, Table, difference, integer, label, mean

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
    # For people: each network, and each system that is best at its cost.
    shown = data[data["network"] | data["best_at_its_cost"]]
    notes = [shared.spread_note(results), _NOTE]
    return shared.comparison_table(
        results, "gains", "What computation buys", shown, _COLUMNS, notes, data
    )


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Compute the gains from the data of the table `perplexity`, the cheapest system first.

    A gain is ln(perplexity of the cheapest static network / perplexity) on `test`, in nats per
    word. A corpus without a static network has none.
    """
    keys = [key for key in _KEYS if key in table]
    found = [table.iloc[:0][keys]]
    for _, of_corpus in table.groupby("corpus", sort=False):
        systems = of_corpus.sort_values(ADDS, kind="stable")
        systems = systems.assign(network=systems["hidden_size"].notna())
        static = systems[systems["network"] & (systems["document_size"] == 0)]
        if static.empty:
            continue
        least, cost = static.iloc[0], systems[ADDS].round()
        best = systems.groupby(cost)[VALID].min().cummin()
        gain = np.log(float(least[TEST]) / systems[TEST])
        more = systems[ADDS] - float(least[ADDS])
        per_1000 = (1000 * gain / more).where(more > _LEAST_SHARE * float(least[ADDS]))
        found.append(
            systems[[*keys, "network"]].assign(
                gain_nats=gain,
                gain_nats_per_1000=per_1000,
                best_at_its_cost=systems[VALID] <= cost.map(best),  # chosen as everything is
            )
        )
    return pd.concat(found[1:] or found, ignore_index=True)


_COLUMNS = (
    Column("System", label("model"), text=True),
    Column("Test perplexity", mean(TEST)),
    Column("Multiply-adds per word", integer(ADDS)),
    Column("Gain (nats per word)", difference("gain_nats", 3)),
    Column("Gain for 1,000 more multiply-adds", difference("gain_nats_per_1000", 4)),
    Column("Best at its cost", lambda row: "yes" if row["best_at_its_cost"] else "", text=True),
)
_NOTE = (
    "Every network, and every system that is best at its cost: no other system that costs as much "
    "or less has a lower perplexity on valid. The cheapest comes first. Gains are those over the "
    "static network with the fewest multiply-adds, on test: ln of the ratio of the perplexities. "
    "The gain for 1,000 more is left empty if a system costs less than 1 % more than that network."
)
