"""The table `mixtures`: what each rival adds to a network alone, and on top of all the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric, Row
from online_rnnlm.analysis.tables.columns import (
    corpus_columns,
    mean_over_seeds,
    on_corpus,
    row_keys,
    spread_note,
)
from online_rnnlm.analysis.tables.rendering import Column, Table, label, lowest, mean
from online_rnnlm.analysis.wording import signed
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.rivals import mixed_rivals
from online_rnnlm.rivals.base import Rival
from online_rnnlm.storage.records import Evaluation

_OWN, _ALL = "test_perplexity", "test_perplexity_all"


def make(results: Results) -> Table:
    """Make the table: a row for each network, and for each rival the two changes that it makes.

    The CSV has a row for each rival of each network. Raises NothingToShowError if no network has a
    mixture.
    """
    rows = [row for row in results.rows if MIXTURE in row.evaluations]
    if not rows:
        raise NothingToShowError("No mixture has finished.")
    rivals = mixed_rivals([MIXTURE], results.experiment.testing)
    data = pd.DataFrame([values for row in rows for values in _rows(results, row, rivals)])
    shown = pd.DataFrame(
        {
            **same.iloc[0],
            **{f"{part['rival']}_alone": part["alone_percent"] for _, part in same.iterrows()},
            **{f"{part['rival']}_on_top": part["on_top_percent"] for _, part in same.iterrows()},
        }
        for _, same in data.groupby(["corpus", "model"], sort=False)
    )
    columns = [
        *corpus_columns(results),
        Column("M/D", label("model"), text=True),
        Column("By itself", mean(_OWN), best=lowest(_OWN)),
        *(Column(rival.label.capitalize(), _changes(rival.name)) for rival in rivals),
        Column("All", mean(_ALL), best=lowest(_ALL)),
    ]
    caption = on_corpus("Test perplexity of mixtures: what each rival adds", results)
    return Table("mixtures", caption, shown, columns, _notes(results), tidy=data)


def _rows(results: Results, row: Row, rivals: Collection[Rival]) -> Iterator[dict[str, Any]]:
    """Yield the values of a network with each rival, as means over the seeds."""
    own, everything = row.perplexity("test"), row.perplexity("test", MIXTURE)
    found = row.by_seed(MIXTURE)
    every = frozenset(found[0].chosen)
    network = every - {rival.name for rival in rivals}
    for rival in rivals:
        alone = _reached(found, network | {rival.name}, everything)
        without = _reached(found, every - {rival.name}, everything)
        weights = Metric(tuple(float(one.chosen[rival.name]) for one in found))
        yield {
            **row_keys(row),
            "rival": rival.name,
            "seeds": len(row.runs),
            **mean_over_seeds(results, _OWN, own),
            **mean_over_seeds(results, "test_perplexity_alone", alone),
            **mean_over_seeds(results, "test_perplexity_without", without),
            **mean_over_seeds(results, _ALL, everything),
            **mean_over_seeds(results, "weight", weights),
            "alone_percent": _change(alone, own),
            "on_top_percent": _change(everything, without),
        }


def _reached(found: list[Evaluation], names: frozenset[str], everything: Metric) -> Metric:
    """Test perplexity of the mixture of these parts, for each seed."""
    if names == frozenset(found[0].chosen):
        return everything
    return Metric(
        tuple(
            next(one.test_perplexity for one in of_seed.mixtures if one.weights.keys() == names)
            for of_seed in found
        )
    )


def _change(after: Metric, before: Metric) -> float:
    """The mean over the seeds of the change in per cent."""
    pairs = zip(after.values, before.values, strict=True)
    return Metric(tuple(100 * (new / old - 1) for new, old in pairs)).mean


def _changes(rival: str) -> Callable[[pd.Series], str]:
    """Return a function that shows both changes that a rival makes."""
    return lambda row: f"{signed(row[f'{rival}_alone'])} / {signed(row[f'{rival}_on_top'])} %"


def _notes(results: Results) -> list[str]:
    return [
        f"{spread_note(results)} Bold: each column's lowest. Of a rival: the change of test "
        "perplexity if it alone is mixed with the network / if it is mixed in on top of all the "
        "others. The weights of each mixture are those best on valid."
    ]
