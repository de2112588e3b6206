"""The table `mixtures`: what each rival adds to a network alone, and on top of all the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import FinishedRow
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    label,
    lowest,
    mean_over_seeds,
    model_keys,
    number,
    signed,
    spread_note,
)
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.rivals import rivals_of

_OWN = "test_perplexity"
_ALL = "test_perplexity_all"


def make(results: Results) -> Table:
    """Make the table: a row for each network, and for each rival the two changes that it makes.

    The CSV has a row for each rival of each network. Raises NothingToShowError if no network has a
    mixture.
    """
    rows = [row for row in results.rows if MIXTURE in row.sides]
    if not rows:
        raise NothingToShowError("No mixture has finished.")
    rivals = rivals_of(results.experiment.testing)[MIXTURE].parts
    names = [rival.name for rival in rivals]
    data = pd.DataFrame([values for row in rows for values in _rows(results, row, names)])
    shown = data.groupby(["corpus", "model"], sort=False).first().reset_index()
    for key in ("alone_percent", "on_top_percent"):
        wide = data.pivot(index=["corpus", "model"], columns="rival", values=key)
        shown = shown.join(wide.add_prefix(f"{key} "), on=["corpus", "model"])

    def changes(row: pd.Series, rival: str) -> str:
        """Both changes that a rival makes."""
        both = (row[f"alone_percent {rival}"], row[f"on_top_percent {rival}"])
        return f"{' / '.join(map(signed, both))} %"

    columns = [
        Column("Network", label("model"), text=True),
        Column("By itself", number(_OWN), best=lowest(_OWN)),
        *(Column(rival.label.capitalize(), partial(changes, rival=rival.name)) for rival in rivals),
        Column("All", number(_ALL), best=lowest(_ALL)),
    ]
    note = (
        f"{spread_note(results)} Bold: each column's lowest. Of a rival: the change of test "
        "perplexity if it alone is mixed with the network / if it is mixed in on top of all the "
        "others. The weights of each mixture, and the way in which a vector learns, are those best "
        "on valid."
    )
    caption = "Test perplexity of mixtures: what each rival adds"
    return comparison_table(results, "mixtures", caption, shown, columns, [note], data)


def _rows(results: Results, row: FinishedRow, rivals: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the values of a network with each rival, as means over the seeds.

    A vector learns in the way that is best on `valid`, as in the mixtures.
    """
    own = row.best_way.perplexity()
    everything = row.sides[MIXTURE].perplexity()
    mixed = row.sides[MIXTURE].by_seed
    every = frozenset(mixed[0].chosen)

    def reached(names: frozenset[str]) -> pd.Series[float]:
        """Test perplexity of the mixture of these parts by seed."""
        if names == every:
            return everything
        return pd.Series(
            [
                mixture.test_perplexity
                for evaluation in mixed
                for mixture in evaluation.mixtures
                if mixture.weights.keys() == names
            ]
        )

    for rival in rivals:
        alone = reached(every - set(rivals) | {rival})
        without = reached(every - {rival})
        weights = pd.Series([float(evaluation.chosen[rival]) for evaluation in mixed])
        yield {
            **model_keys(row.first.run),
            "rival": rival,
            "seeds": len(row.runs),
            **mean_over_seeds(results, _OWN, own),
            **mean_over_seeds(results, "test_perplexity_alone", alone),
            **mean_over_seeds(results, "test_perplexity_without", without),
            **mean_over_seeds(results, _ALL, everything),
            **mean_over_seeds(results, "weight", weights),
            "alone_percent": (100 * (alone / own - 1)).mean(),
            "on_top_percent": (100 * (everything / without - 1)).mean(),
        }
