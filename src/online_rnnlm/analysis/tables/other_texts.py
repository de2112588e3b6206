"""The table `other_texts`: what every method gains on texts of another kind than the corpus."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import FinishedRow, Side, System, metric_of
from online_rnnlm.analysis.sides import scores_of
from online_rnnlm.analysis.significance import change_of, percent_of_gain
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    formatted,
    integer,
    label,
    mean,
    mean_over_seeds,
    model_keys,
    percent,
    signed,
    spread_note,
)
from online_rnnlm.core.way import NONE

_TEST = "test_perplexity"
_WITHOUT = "test_perplexity_without_unk"
_CHANGES = ("change_percent", "change_without_unk_percent")


def make(results: Results) -> Table:
    """Make the table: a row for each network on each text, a column for each way to adapt.

    The CSV has a row for each evaluation of each network, and for each rival of a corpus. Raises
    NothingToShowError if there is no network.
    """
    texts = ("test", *results.experiment.testing.other_texts)
    tested = [
        (row, name, text) for row in results.rows for text in texts for name in row.evaluations
    ]
    rows = [
        values for row, name, text in tested for values in _of_network(results, row, name, text)
    ]
    if not rows:
        raise NothingToShowError("No network has finished.")
    rows += [_of_rival(results, rival, text) for rival in results.rivals for text in texts]
    data = pd.DataFrame(rows)
    keys = ["corpus", "model", "text"]
    shown = data[data["evaluation"] == NONE]
    for change in _CHANGES:
        wide = data.pivot(index=keys, columns="evaluation", values=change)
        shown = shown.join(wide.add_prefix(f"{change} "), on=keys)
    adapting = [name for name in data["evaluation"].unique() if name != NONE]
    ways = {name: results.way_in(name) or "the vector as trained" for name in adapting}
    columns = [
        Column("Network", label("model"), text=True),
        Column("Text", label("text"), text=True),
        Column("Nothing learns", mean(_TEST)),
        *(Column(f"{ways[name].capitalize()} (%)", _shown(name)) for name in adapting),
        Column("Nothing learns, without <unk>", mean(_WITHOUT)),
        Column("Tokens", integer("tokens")),
        Column("OOV (%)", percent("oov_rate")),
    ]
    notes = [spread_note(results), _NOTE]
    caption = "Gain on texts of another kind"
    return comparison_table(results, "other_texts", caption, shown, columns, notes, data)


def _of_network(
    results: Results, row: FinishedRow, evaluation: str, text: str
) -> Iterator[dict[str, Any]]:
    """Yield the values of a network in an evaluation of a text; none if it diverged there."""
    sides = [Side(row, evaluation), Side(row, NONE)]
    without = [metric_of(side.by_seed, "perplexity_without_unk", text) for side in sides]
    if any(len(metric.values) < len(row.runs) for metric in without):
        return
    values = {
        **model_keys(row.first.run),
        "evaluation": evaluation,
        **_text(results, row.corpus, text),
        "seeds": len(row.runs),
        **mean_over_seeds(results, _TEST, sides[0].perplexity(text)),
        **mean_over_seeds(results, _WITHOUT, without[0]),
        **dict.fromkeys(_CHANGES, math.nan),
    }
    if evaluation != NONE:
        pieces = results.pieces(row.corpus, "document", text)
        ours, theirs = scores_of(results, pieces, *sides, text=text)
        # The weights are the same on both sides, so that the seeds are paired.
        gains_of_pieces = (ours.log_probabilities - theirs.log_probabilities).mean(axis=0)
        change = change_of(gains_of_pieces, ours.tokens)
        low, high = change.interval_percent
        gains = np.log(without[1].values) - np.log(without[0].values)
        values |= {
            "change_percent": change.change_percent,
            "change_without_unk_percent": percent_of_gain(gains.mean()),
            "interval_low_percent": low,
            "interval_high_percent": high,
        }
    yield values


def _of_rival(results: Results, rival: System, text: str) -> dict[str, Any]:
    """The perplexity of a rival of a corpus."""
    reached = metric_of(rival.by_seed, "perplexity", text)
    keys = {"corpus": rival.corpus, "model": rival.name, "evaluation": NONE}
    without = metric_of(rival.by_seed, "perplexity_without_unk", text)
    values = {_TEST: reached.mean, _WITHOUT: without.mean}
    return keys | _text(results, rival.corpus, text) | values


def _shown(evaluation: str) -> Callable[[pd.Series[Any]], str]:
    """Return a function that shows the changes in an evaluation; nothing if there are none."""
    cells = [formatted(f"{change} {evaluation}", signed) for change in _CHANGES]
    return lambda row: " / ".join(filter(None, (cell(row) for cell in cells)))


def _text(results: Results, corpus: str, text: str) -> dict[str, Any]:
    """The name of a text, its length and its unknown words."""
    statistics = results.corpora[corpus].splits[text]
    return {"text": text, "tokens": statistics.tokens, "oov_rate": statistics.oov_rate}


_NOTE = (
    "Each change is that of the perplexity against the same network with nothing learning, on the "
    "same text / without the tokens that are <unk>. A network with a vector is trained while that "
    "learns, so it is worse than a static one while nothing learns: the CSV has the perplexities "
    "themselves. All settings are those best on the corpus's own valid. A cell is empty for a "
    "network that has no such evaluation, or that diverged."
)
