"""The table `intervals`: perplexity and speed of a vector that learns alone, by its intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables import shared, updates
from online_rnnlm.analysis.tables.write import Column, Table, integer, label, mean
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR
from online_rnnlm.config.testing import UNITS

_COLUMNS = (
    Column("Network", label("model"), text=True),
    Column("Test perplexity", mean("test_perplexity")),
    Column("Words/s", integer("words_per_second")),
    Column("A step after every", label("learn_after"), text=True),
    Column("Kept for the", lambda row: UNITS[row["kept_for"]], text=True),
    Column("Rate", label("rate")),
)
_NOTE = (
    "Between two steps the vector stays the same, and the loss of the words is added up. The first "
    "row of a network is as in training; the other rates are those best on valid. Words/s: scoring "
    "the test text on one core, all networks and ways in turn, the median of several rounds, with "
    "the first seed."
)


def make(results: Results) -> Table:
    """Make the table: a row for each network with a vector and each way in which that alone learns.

    Raises NothingToShowError if no network with a vector has finished.
    """
    found = [values for row in results.rows for values in updates.rows_of(results, row)]
    data = pd.DataFrame([values for values in found if values["updates"] == DOCUMENT_VECTOR])
    if data.empty:
        raise NothingToShowError("No network with a vector has finished.")
    keys = ["corpus", "model", "evaluation"]
    medians = {
        (one.corpus, one.network, one.evaluation): np.median(one.seconds_per_word)
        for one in results.timings
    }
    data["words_per_second"] = 1 / data.set_index(keys).index.map(medians)
    caption, notes = "What the vector alone learns, by interval", [shared.spread_note(results)]
    return shared.comparison_table(results, "intervals", caption, data, _COLUMNS, [*notes, _NOTE])
