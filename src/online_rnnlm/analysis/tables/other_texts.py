"""The table `other_texts`: what every method gains on texts of another kind than the corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from online_rnnlm.analysis.results import NO_NETWORK, NothingToShowError, Results
from online_rnnlm.analysis.significance import (
    bootstrap_interval,
    percent_of_gain,
    percents_of_gains,
)
from online_rnnlm.analysis.systems import (
    BySeed,
    FinishedNetwork,
    System,
    TestedNetwork,
    longest,
)
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    corpus_column,
    data_of,
    on_corpus,
    spread_note,
)
from online_rnnlm.analysis.tables.values import integer, mean, signed
from online_rnnlm.core.adaptation import NONE


@dataclass(frozen=True, eq=False)
class TextRow:
    """A text in an evaluation of a network, or a rival of a corpus; a row of the CSV."""

    system: FinishedNetwork | System
    evaluation: str
    text: str
    tokens: int
    oov_rate: float
    seeds: int | None
    """None for a rival of a corpus."""
    test_perplexity: BySeed
    """Perplexity of the text."""
    test_perplexity_without_unk: BySeed
    change_percent: float | None = None
    """Change from the same network with nothing learning, as are the others; None for itself."""
    change_without_unk_percent: float | None = None
    interval_low_percent: float | None = None
    interval_high_percent: float | None = None

    @property
    def corpus(self) -> str:
        """The corpus."""
        return self.system.corpus

    @property
    def name(self) -> str:
        """The name of the network or of the rival."""
        system = self.system
        return system.network_name if isinstance(system, FinishedNetwork) else system.title

    @property
    def changes(self) -> str:
        """Both changes; nothing if there are none."""
        both = (self.change_percent, self.change_without_unk_percent)
        return " / ".join(signed(change) for change in both if change is not None)


def make(results: Results) -> Table[TextRow]:
    """Make the table: a row for each network on each text, a column for each adaptation.

    The CSV has a row for each evaluation of each network, and for each rival of a corpus. Raises
    NothingToShowError if there is no network.
    """
    texts = ("test", *results.experiment.testing.other_texts)
    rows = [row for network in results.networks for row in _rows(results, network, texts)]
    if not rows:
        raise NothingToShowError(NO_NETWORK)
    adapted = {(row.system, row.text, row.evaluation): row for row in rows}
    adapting = [name for name in dict.fromkeys(row.evaluation for row in rows) if name != NONE]

    def changes(frozen: TextRow, evaluation: str) -> str:
        """The changes in another evaluation of the network of a row; nothing if it has none."""
        row = adapted.get((frozen.system, frozen.text, evaluation))
        return row.changes if row else ""

    for rival in results.rivals:
        rows += [_row(results, rival, text) for text in texts]
    columns: list[Column[TextRow]] = [
        Column("Network", lambda row: row.name, text=True),
        Column("Text", lambda row: row.text, text=True),
        *corpus_column(results),
        Column("Nothing learns", lambda row: mean(row.test_perplexity)),
        *(
            Column(
                f"{(results.in_words[name] or 'the vector as trained').capitalize()} (%)",
                partial(changes, evaluation=name),
            )
            for name in adapting
        ),
        Column("Nothing learns, without <unk>", lambda row: mean(row.test_perplexity_without_unk)),
        Column("Tokens", lambda row: integer(row.tokens)),
        Column("OOV (%)", lambda row: f"{100 * row.oov_rate:.1f}"),
    ]
    data = data_of(rows, results)
    if not adapting:
        data = data.drop(columns=["interval_low_percent", "interval_high_percent"])
    return Table(
        on_corpus("Gain on texts of another kind", results),
        [row for row in rows if row.evaluation == NONE],
        columns,
        _notes(results),
        data,
    )


def _notes(results: Results) -> list[str]:
    """Return notes on the columns."""
    return [
        spread_note(results),
        "Each change is that of the perplexity against the same network with nothing learning, on "
        "the same text / without the tokens that are <unk>. A network with a vector is trained "
        "while that learns, so it is worse than a static one while nothing learns: the CSV has the "
        "perplexities themselves. All settings are those best on the corpus's own valid. A cell is "
        "empty for a network that has no such evaluation, or that diverged.",
    ]


def _rows(results: Results, network: FinishedNetwork, texts: Sequence[str]) -> Iterator[TextRow]:
    """Yield the rows of a network, text by text."""
    frozen = network.tested[NONE]
    for text in texts:
        for tested in network.tested.values():
            if _is_scored(tested, text) and _is_scored(frozen, text):
                row = _row(results, tested, text)
                yield row if tested is frozen else _with_changes(row, results, tested, frozen)


def _row(results: Results, system: System, text: str) -> TextRow:
    """The row of a system and a text, without changes."""
    statistics = results.corpora[system.corpus].splits[text]
    network = system.network
    return TextRow(
        system=network or system,
        evaluation=system.by_seed[0].evaluation,
        text=text,
        tokens=statistics.tokens,
        oov_rate=statistics.oov_rate,
        seeds=len(network.runs) if network else None,
        test_perplexity=system.perplexity(text),
        test_perplexity_without_unk=system.metric("perplexity_without_unk", text),
    )


def _is_scored(tested: TestedNetwork, text: str) -> bool:
    """True if no seed has diverged on a text."""
    return all(text in evaluation.splits for evaluation in tested.by_seed)


def _with_changes(
    row: TextRow, results: Results, tested: TestedNetwork, frozen: TestedNetwork
) -> TextRow:
    """The row of a network, with the changes from the same network with nothing learning."""
    kept_for = longest([tested.kept_for, frozen.kept_for])
    pieces = results.scores.pieces(tested.corpus, kept_for, row.text)
    ours, theirs, tokens = results.scores.by_piece(pieces, tested, frozen, row.text)
    # The weights are the same on both sides, so that the seeds are paired.
    gains = (ours - theirs).mean(axis=0)
    low, high = percents_of_gains(bootstrap_interval(gains, tokens))
    without, without_frozen = (
        np.log(one.metric("perplexity_without_unk", row.text)) for one in (tested, frozen)
    )
    return replace(
        row,
        change_percent=percent_of_gain(gains.sum() / tokens.sum()),
        change_without_unk_percent=percent_of_gain((without_frozen - without).mean()),
        interval_low_percent=low,
        interval_high_percent=high,
    )
