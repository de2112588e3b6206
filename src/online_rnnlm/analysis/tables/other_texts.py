"""The table `other_texts`: what every method gains on texts of another kind than the corpus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.comparison import compared, pieces_of_test, scores_of
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Row, Side, System, metric_of
from online_rnnlm.analysis.tables import shared
from online_rnnlm.analysis.tables.write import Column, Table, difference, label, mean
from online_rnnlm.config.evaluations import NONE

_TEST, _CHANGE = "test_perplexity", "change_percent"


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
    shown = data[data["evaluation"] == NONE].drop(columns=_CHANGE)
    changes = data.pivot(index=keys, columns="evaluation", values=_CHANGE)
    adapting = [name for name in data["evaluation"].unique() if name != NONE]
    columns = [
        Column("Model", label("model"), text=True),
        Column("Text", label("text"), text=True),
        Column("Nothing learns", mean(_TEST)),
        *(Column(f"{_spelled(results, name)} (%)", difference(name, 1)) for name in adapting),
    ]
    notes = [shared.spread_note(results), _NOTE, *_sizes(results, texts)]
    caption, wide = "Gain on texts of another kind", shown.join(changes, on=keys)
    return shared.comparison_table(results, "other_texts", caption, wide, columns, notes, data)


def _of_network(results: Results, row: Row, evaluation: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the values of a network in an evaluation of a text; none if it diverged there."""
    sides = [Side(row, evaluation), Side(row, NONE)]
    reached = sides[0].perplexity(text)
    if len(reached.values) < len(row.runs):
        return
    values = {
        **shared.model_keys(row.first.run),
        "evaluation": evaluation,
        "text": text,
        "seeds": len(row.runs),
        **shared.mean_over_seeds(results, _TEST, reached),
    }
    if evaluation != NONE:
        pieces = pieces_of_test(results, row.corpus, "document", text)
        ours, theirs = scores_of(results, pieces, *sides, text=text)
        effect = compared(ours, theirs).effect
        low, high = effect["interval_percent"]
        values |= {_CHANGE: effect[_CHANGE]}
        values |= {"interval_low_percent": low, "interval_high_percent": high}
    yield values


def _of_rival(rival: System, text: str) -> Iterator[dict[str, Any]]:
    """Yield the perplexity of a rival of a corpus."""
    reached = metric_of(rival.by_seed, "perplexity", text)
    keys = {"corpus": rival.corpus, "model": rival.name, "evaluation": NONE, "text": text}
    yield {**keys, _TEST: reached.mean}


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
    "same text; all settings are those best on the corpus's own valid. A heading such as `all, "
    "word, document` says what learns, after every what, and what it is kept for; `document "
    "vector` alone learns as in training. A cell is empty for a network that has no such "
    "evaluation, or that diverged."
)
