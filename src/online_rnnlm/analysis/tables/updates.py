"""The table `updates`: a row for each adaptation, a column for each network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from online_rnnlm.analysis.opponents import headline_on
from online_rnnlm.analysis.results import NO_NETWORK, NothingToShowError, Results
from online_rnnlm.analysis.systems import BySeed, FinishedNetwork, TestedNetwork, of_seeds
from online_rnnlm.analysis.tables.table import (
    Column,
    NetworkRow,
    Table,
    corpus_column,
    data_of,
    mean_column,
    on_corpus,
    spread_note,
)
from online_rnnlm.analysis.tables.values import integer, keys_of, values_text
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, NONE


@dataclass(frozen=True, eq=False)
class EvaluationRow(NetworkRow):
    """An evaluation of a network, a row of the CSV."""

    evaluation: str
    seeds: int
    rate: str
    """The rates chosen on `valid`, such as `0.1`, or `0.1, α 0.2` of weights and vector.

    Seeds of other rates are in their order: `0.1 / 0.3`. It is the vector's rate in training where
    none is chosen, and empty where nothing is updated.
    """
    valid_perplexity: BySeed
    test_perplexity: BySeed
    parameters_touched_per_word: float
    multiply_adds_per_word: float
    words_per_second: BySeed
    timed_words_per_second: float
    """Of the first seed, all networks and adaptations in turn; NaN if it was not timed."""


@dataclass(frozen=True)
class AdaptationRow:
    """An adaptation on a corpus, a row for people."""

    corpus: str
    name: str
    """The adaptation in words."""
    by_network: Mapping[str, EvaluationRow]
    """The evaluations with this adaptation, by the networks' names."""
    headline: EvaluationRow | None
    """The corpus's headline, if it is among them."""

    def perplexity(self, network_name: str) -> BySeed:
        """The test perplexity of a network by seed; empty if it is not among them."""
        row = self.by_network.get(network_name)
        return row.test_perplexity if row else of_seeds([])


def make(results: Results) -> Table[AdaptationRow]:
    """Make the table of test perplexities by evaluation, with the costs of the headline.

    The CSV has a row for each evaluation of each network, with all metrics. Raises
    NothingToShowError if there is no network.
    """
    if not results.networks:
        raise NothingToShowError(NO_NETWORK)
    rows = [row for network in results.networks for row in _rows(network)]
    adaptations = [*_adaptation_rows(results, rows)]
    names = dict.fromkeys(network.network_name for network in results.networks)
    first, *others = (
        mean_column(name, adaptations, partial(AdaptationRow.perplexity, network_name=name))
        for name in names
    )
    columns: list[Column[AdaptationRow]] = [
        Column("In testing", lambda adaptation: adaptation.name, text=True, wide=True),
        first,
        *corpus_column(results),
        *others,
        Column("Rate", _of_headline(lambda row: row.rate)),
        Column(
            "Parameters touched per word",
            _of_headline(lambda row: integer(row.parameters_touched_per_word)),
        ),
        Column(
            "Multiply-adds per word",
            _of_headline(lambda row: integer(row.multiply_adds_per_word)),
        ),
        Column("Words/s", _of_headline(lambda row: integer(row.words_per_second.mean()))),
        Column(
            "Words/s, side by side", _of_headline(lambda row: integer(row.timed_words_per_second))
        ),
    ]
    caption = on_corpus("Test perplexity by what learns during testing", results)
    return Table(caption, adaptations, columns, _notes(results), data_of(rows, results))


def _of_headline(show: Callable[[EvaluationRow], str]) -> Callable[[AdaptationRow], str]:
    """Show a value of the headline; nothing if it is not tested with the adaptation."""
    return lambda adaptation: show(adaptation.headline) if adaptation.headline else ""


def _rows(network: FinishedNetwork) -> Iterator[EvaluationRow]:
    """Yield the values of a network's evaluations other than those with rivals."""
    for tested in network.tested.values():
        if tested.rival:
            continue
        costs = tested.by_seed[0].costs  # the same for all seeds
        yield EvaluationRow(
            network=network,
            evaluation=tested.evaluation,
            seeds=len(network.runs),
            rate=_rate(tested),
            valid_perplexity=tested.perplexity("valid"),
            test_perplexity=tested.perplexity("test"),
            parameters_touched_per_word=costs.parameters_touched_per_word,
            multiply_adds_per_word=costs.multiply_adds_per_word,
            words_per_second=tested.metric("words_per_second", "test"),
            timed_words_per_second=tested.words_per_second_in_turn,
        )


def _rate(tested: TestedNetwork) -> str:
    """The text of `EvaluationRow.rate`."""
    chosen: list[Mapping[str, Any]] = [record.chosen for record in tested.by_seed]
    if tested.evaluation == DOCUMENT_VECTOR:
        chosen = [{"document_rate": tested.network.settings.document_rate}]
    return ", α ".join(values_text(chosen, key) for key in keys_of(chosen))


def _adaptation_rows(results: Results, rows: Sequence[EvaluationRow]) -> Iterator[AdaptationRow]:
    """Yield the adaptations that networks are tested with, corpus by corpus: frozen first.

    Networks with a vector have every adaptation, so their evaluations come before the others.
    """
    ordered = sorted(rows, key=lambda row: not row.network.has_vector)
    evaluations = dict.fromkeys([NONE, *(row.evaluation for row in ordered)])
    for corpus in dict.fromkeys(row.corpus for row in rows):
        headline = headline_on(results, corpus).network_name
        for evaluation in evaluations:
            by_network = {
                row.network.network_name: row
                for row in rows
                if (row.corpus, row.evaluation) == (corpus, evaluation)
            }
            if by_network:
                name = results.in_words[evaluation] or "the vector learns as in training"
                yield AdaptationRow(corpus, name, by_network, by_network.get(headline))


def _notes(results: Results) -> list[str]:
    """Return notes on the columns."""
    headlines = [headline_on(results, corpus).network_name for corpus in results.compared_corpora]
    seeds = " Several rates are those of the seeds in order." if results.several_seeds else ""
    return [
        f"{spread_note(results)} Bold: each network's lowest. A cell is empty for a "
        "static network if the same parts of it learn as in another row.",
        "Weights take plain steps, a word's loss propagated through "
        f"{results.experiment.testing.steps} hidden states, a sentence's through all of its own. "
        "Rates are those best on valid; beside weights that learn, the vector has α or, if none is "
        "given, the rate of its training.",
        "Rate, costs and words/s (scoring the test set) are those of "
        f"{' and '.join(dict.fromkeys(headlines))}."
        f"{seeds} Side by side: timed in turn on one core, with the first seed, where at most the "
        "vector learns; the median of several rounds.",
    ]
