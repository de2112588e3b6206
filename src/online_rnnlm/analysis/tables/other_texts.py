"""The table `other_texts`: what every method gains on texts of another kind than the corpus."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results, way_in
from online_rnnlm.analysis.row import Side, System
from online_rnnlm.analysis.sides import scores_of
from online_rnnlm.analysis.significance import (
    bootstrap_interval,
    percent_of_gain,
    percents_of_gains,
)
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    integer,
    label,
    mean_over_seeds,
    model_keys,
    number,
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
    rows = [
        _of_network(results, side, text)
        for row in results.rows
        for text in texts
        for side in row.sides.values()
        if _is_scored(side, text) and _is_scored(row.sides[NONE], text)
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
    ways = {name: way_in(results.experiment, name) or "the vector as trained" for name in adapting}
    columns = [
        Column("Network", label("model"), text=True),
        Column("Text", label("text"), text=True),
        Column("Nothing learns", number(_TEST)),
        *(Column(f"{ways[name].capitalize()} (%)", _shown(name)) for name in adapting),
        Column("Nothing learns, without <unk>", number(_WITHOUT)),
        Column("Tokens", integer("tokens")),
        Column("OOV (%)", label("oov_rate", lambda share: f"{100 * share:.1f}")),
    ]
    notes = [spread_note(results), _NOTE]
    caption = "Gain on texts of another kind"
    return comparison_table(results, "other_texts", caption, shown, columns, notes, data)


def _is_scored(side: Side, text: str) -> bool:
    """True if a side has not diverged on a text, with any seed."""
    return all(text in evaluation.splits for evaluation in side.by_seed)


def _of_network(results: Results, side: Side, text: str) -> dict[str, Any]:
    """The values of a network in an evaluation of a text."""
    row = side.row
    frozen = row.sides[NONE]
    without = side.metric("perplexity_without_unk", text)
    values = {
        **model_keys(row.first.run),
        "evaluation": side.evaluation,
        **_text(results, row.corpus, text),
        "seeds": len(row.runs),
        **mean_over_seeds(results, _TEST, side.perplexity(text)),
        **mean_over_seeds(results, _WITHOUT, without),
        **dict.fromkeys(_CHANGES, math.nan),
    }
    if side is not frozen:
        pieces = results.pieces(row.corpus, "document", text)
        ours, theirs, tokens = scores_of(results, pieces, side, frozen, text)
        # The weights are the same on both sides, so that the seeds are paired.
        gains = (ours - theirs).mean(axis=0)
        low, high = percents_of_gains(bootstrap_interval(gains, tokens))
        logs = np.log(frozen.metric("perplexity_without_unk", text)) - np.log(without)
        values |= {
            "change_percent": percent_of_gain(gains.sum() / tokens.sum()),
            "change_without_unk_percent": percent_of_gain(logs.mean()),
            "interval_low_percent": low,
            "interval_high_percent": high,
        }
    return values


def _of_rival(results: Results, rival: System, text: str) -> dict[str, Any]:
    """The perplexity of a rival of a corpus."""
    return {
        "corpus": rival.corpus,
        "model": rival.title,
        "evaluation": NONE,
        **_text(results, rival.corpus, text),
        _TEST: rival.perplexity(text).mean(),
        _WITHOUT: rival.metric("perplexity_without_unk", text).mean(),
    }


def _shown(evaluation: str) -> Callable[[pd.Series[Any]], str]:
    """Return a function that shows the changes in an evaluation; nothing if there are none."""
    cells = [label(f"{change} {evaluation}", signed) for change in _CHANGES]
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
