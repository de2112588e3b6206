"""The table `other_texts`: what every method gains on texts of another kind than the corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import (
    bootstrap_interval,
    percent_of_gain,
    percents_of_gains,
)
from online_rnnlm.analysis.systems import FinishedNetwork, System, TestedNetwork, longest
from online_rnnlm.analysis.tables.table import (
    Column,
    Row,
    Table,
    identity,
    spread_note,
    table_of,
)
from online_rnnlm.analysis.tables.values import integer, mean, percent, signed
from online_rnnlm.core.adaptation import NONE

_NO_CHANGE: Row = dict.fromkeys(
    (
        "change_percent",
        "change_without_unk_percent",
        "interval_low_percent",
        "interval_high_percent",
    )
)
"""The changes of a network with nothing learning, from which the others' are; and of a rival."""


def make(results: Results) -> Table:
    """Make the table: a row for each network on each text, a column for each adaptation.

    The CSV has a row for each evaluation of each network, and for each rival of a corpus.
    """
    texts = ("test", *results.experiment.testing.other_texts)
    lines = [row for network in results.networks for row in _rows(results, network, texts)]
    adapting = [
        name for name in dict.fromkeys(line["evaluation"] for line in lines) if name != NONE
    ]
    changes = {_key(line, line["evaluation"]): _changes(line) for line in lines}

    def column(evaluation: str) -> Column:
        """The changes in an evaluation; empty for a network that has no such one."""
        said = results.in_words[evaluation] or "the vector as trained"
        return Column(
            f"{said.capitalize()} (%)", lambda row: changes.get(_key(row, evaluation), "")
        )

    lines += [_row(results, rival, text) for rival in results.rivals for text in texts]
    columns = [
        Column("Network", "model", text=True),
        Column("Text", "text", text=True),
        Column("Nothing learns", "test_perplexity", mean),
        *map(column, adapting),
        Column("Nothing learns, without <unk>", "test_perplexity_without_unk", mean),
        Column("Tokens", "tokens", integer),
        Column("OOV (%)", "oov_rate", percent),
    ]
    notes = [
        spread_note(results),
        "Each change is that of the perplexity against the same network with nothing learning, on "
        "the same text / without the tokens that are <unk>. A network with a vector is trained "
        "while that learns, so it is worse than a static one while nothing learns: the CSV has the "
        "perplexities themselves. All settings are those best on the corpus's own valid. A cell is "
        "empty for a network that has no such evaluation, or that diverged.",
    ]
    rows = [line for line in lines if line["evaluation"] == NONE]
    return table_of(results, "Gain on texts of another kind", rows, columns, notes, lines)


def _key(row: Row, evaluation: str) -> tuple[str, str, str, str]:
    """The network and the text of a row, and an evaluation."""
    return row["corpus"], row["model"], row["text"], evaluation


def _changes(row: Row) -> str:
    """Both changes; nothing if there are none."""
    both = (row["change_percent"], row["change_without_unk_percent"])
    return " / ".join(signed(change) for change in both if change is not None)


def _rows(results: Results, network: FinishedNetwork, texts: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a network, text by text; an evaluation that diverged on one has none."""
    frozen = network.tested[NONE]
    for text in texts:
        for tested in network.tested.values():
            if all(text in one.splits for one in (*tested.by_seed, *frozen.by_seed)):
                row = _row(results, tested, text)
                if tested is not frozen:
                    row |= _change(results, tested, frozen, text)
                yield row


def _row(results: Results, system: System, text: str) -> Row:
    """The row of a system and a text, without changes."""
    statistics = results.corpora[system.corpus].splits[text]
    network = system.network
    return {
        **(identity(network) if network else {"corpus": system.corpus, "model": system.title}),
        "evaluation": system.by_seed[0].evaluation,
        "text": text,
        "tokens": statistics.tokens,
        "oov_rate": statistics.oov_rate,
        "seeds": len(network.runs) if network else None,
        "test_perplexity": system.perplexity(text),
        "test_perplexity_without_unk": system.metric("perplexity_without_unk", text),
        **_NO_CHANGE,
    }


def _change(results: Results, tested: TestedNetwork, frozen: TestedNetwork, text: str) -> Row:
    """The changes of a network on a text from the same network with nothing learning."""
    pieces = results.scores.pieces(tested.corpus, longest([tested.kept_for, frozen.kept_for]), text)
    ours, theirs, tokens = results.scores.by_piece(pieces, tested, frozen, text)
    # The weights are the same on both sides, so that the seeds are paired.
    gains = (ours - theirs).mean(axis=0)
    low, high = percents_of_gains(bootstrap_interval(gains, tokens))
    without, without_frozen = (
        np.log(one.metric("perplexity_without_unk", text)) for one in (tested, frozen)
    )
    return {
        "change_percent": percent_of_gain(gains.sum() / tokens.sum()),
        "change_without_unk_percent": percent_of_gain((without_frozen - without).mean()),
        "interval_low_percent": low,
        "interval_high_percent": high,
    }
