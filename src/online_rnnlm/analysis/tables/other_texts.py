"""The table `other_texts`: what every method gains on texts of another kind than the corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.comparison import compared, percent_of_gain, pieces_of_test, scores_of
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Row, Side, System, metric_of
from online_rnnlm.analysis.tables import shared
from online_rnnlm.analysis.tables.write import Column, Table, difference, label, mean
from online_rnnlm.config.evaluations import NONE

_TEST, _WITHOUT = "test_perplexity", "test_perplexity_without_unk"
_CHANGES = ("change_percent", "change_without_unk_percent")


def make(results: Results) -> Table:
    """Make the table: a row for each network on each text, a column for each way to adapt.

    The CSV has a row for each evaluation of each network, and for each rival of a corpus. Raises
    NothingToShowError if there is none.
    """
    texts = ("test", *results.experiment.testing.other_texts)
    tested = [
        (row, name, text) for row in results.rows for text in texts for name in row.evaluations
    ]
    rows = [values for one in tested for values in _of_network(results, *one)]
    rows += [values for one in results.rivals for text in texts for values in _of_rival(one, text)]
    if not rows:
        raise NothingToShowError("No row has finished.")
    data, keys = pd.DataFrame(rows), ["corpus", "model", "text"]
    shown = data[data["evaluation"] == NONE]
    for change in _CHANGES:
        wide = data.pivot(index=keys, columns="evaluation", values=change)
        shown = shown.join(wide.add_prefix(f"{change} "), on=keys)
    adapting = [name for name in data["evaluation"].unique() if name != NONE]
    columns = [
        Column("Model", label("model"), text=True),
        Column("Text", label("text"), text=True),
        Column("Nothing learns", mean(_TEST)),
        Column("Without <unk>", mean(_WITHOUT)),
        *(Column(f"{_spelled(results, name)} (%)", _shown(name)) for name in adapting),
    ]
    notes = [shared.spread_note(results), _NOTE, *_sizes(results, texts)]
    caption = "Gain on texts of another kind"
    return shared.comparison_table(results, "other_texts", caption, shown, columns, notes, data)


def _of_network(results: Results, row: Row, evaluation: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the values of a network in an evaluation of a text; none if it diverged there."""
    sides = [Side(row, evaluation), Side(row, NONE)]
    reached = sides[0].perplexity(text)
    without = [metric_of(side.by_seed, "perplexity_without_unk", text) for side in sides]
    if len(reached.values) < len(row.runs):
        return
    values = {
        **shared.model_keys(row.first.run),
        "evaluation": evaluation,
        "text": text,
        "seeds": len(row.runs),
        **shared.mean_over_seeds(results, _TEST, reached),
        **shared.mean_over_seeds(results, _WITHOUT, without[0]),
    }
    if evaluation != NONE:
        pieces = pieces_of_test(results, row.corpus, "document", text)
        ours, theirs = scores_of(results, pieces, *sides, text=text)
        effect = compared(ours, theirs).effect
        low, high = effect["interval_percent"]
        gains = np.log(without[1].values) - np.log(without[0].values)
        changes = (effect["change_percent"], percent_of_gain(gains.mean()))
        values |= dict(zip(_CHANGES, changes, strict=True))
        values |= {"interval_low_percent": low, "interval_high_percent": high}
    yield values


def _of_rival(rival: System, text: str) -> Iterator[dict[str, Any]]:
    """Yield the perplexity of a rival of a corpus."""
    reached = metric_of(rival.by_seed, "perplexity", text)
    keys = {"corpus": rival.corpus, "model": rival.name, "evaluation": NONE, "text": text}
    without = metric_of(rival.by_seed, "perplexity_without_unk", text)
    yield {**keys, _TEST: reached.mean, _WITHOUT: without.mean}


def _shown(evaluation: str) -> Callable[[pd.Series[Any]], str]:
    """Return a function that shows the changes in an evaluation; nothing if there are none."""
    cells = [difference(f"{change} {evaluation}", 1) for change in _CHANGES]
    return lambda row: " / ".join(filter(None, (cell(row) for cell in cells)))


def _spelled(results: Results, evaluation: str) -> str:
    """The name of an evaluation in the heading of a column."""
    rival = results.rival_in(evaluation)
    name = rival.label if rival else evaluation.replace("_", " ").replace(".", ", ")
    return name[0].upper() + name[1:]


def _sizes(results: Results, texts: tuple[str, ...]) -> Iterator[str]:
    """Yield a note on each corpus: the length of the texts, and their unknown words."""
    for name, corpus in results.corpora.items():
        sizes = [
            f"{text} {found.tokens:,} tokens, {100 * found.oov_rate:.1f} % of the words unknown"
            for text, found in corpus.splits.items()
            if text in texts
        ]
        yield f"{name}: {'; '.join(sizes)}."


_NOTE = (
    "Each change is that of the perplexity against the same network with nothing learning, on the "
    "same text / without the tokens that are <unk>, of which such a text has more. All settings "
    "are those best on the corpus's own valid. A heading such as `all, word, document` says what "
    "learns, after every what, and what it is kept for; `document vector` alone learns as in "
    "training. A cell is empty for a network that has no such evaluation, or that diverged."
)
