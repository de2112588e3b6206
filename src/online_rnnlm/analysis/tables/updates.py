"""The table `updates`: a row for each adaptation, a column for each network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from online_rnnlm.analysis.opponents import headline_on
from online_rnnlm.analysis.results import NO_NETWORK, NothingToShowError, Results
from online_rnnlm.analysis.systems import FinishedNetwork, TestedNetwork, of_seeds
from online_rnnlm.analysis.tables.table import (
    Column,
    Row,
    Table,
    identity,
    mean_column,
    spread_note,
    table_of,
)
from online_rnnlm.analysis.tables.values import integer, keys_of, values_text
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, NONE


def make(results: Results) -> Table:
    """Make the table of test perplexities by evaluation, with the costs of the headline.

    The CSV has a row for each evaluation of each network, with all metrics. Raises
    NothingToShowError if there is no network.
    """
    if not results.networks:
        raise NothingToShowError(NO_NETWORK)
    lines = [row for network in results.networks for row in _rows(network)]
    rows = [*_adaptation_rows(results, lines)]
    names = dict.fromkeys(network.network_name for network in results.networks)
    columns = [
        Column("In testing", "name", text=True, wide=True),
        *(mean_column(name, name, rows) for name in names),
        Column("Rate", "rate"),
        Column("Parameters touched per word", "parameters_touched_per_word", integer),
        Column("Multiply-adds per word", "multiply_adds_per_word", integer),
        Column("Words/s", lambda row: row["words_per_second"].mean(), integer),
        Column("Words/s, side by side", "timed_words_per_second", integer),
    ]
    caption = "Test perplexity by what learns during testing"
    return table_of(results, caption, rows, columns, _notes(results), lines)


def _rows(network: FinishedNetwork) -> Iterator[Row]:
    """Yield the values of a network's evaluations other than those with rivals."""
    for tested in network.tested.values():
        if tested.rival:
            continue
        costs = tested.by_seed[0].costs  # the same for all seeds
        yield {
            **identity(network),
            "evaluation": tested.evaluation,
            "seeds": len(network.runs),
            "rate": _rate(tested),
            "valid_perplexity": tested.perplexity("valid"),
            "test_perplexity": tested.perplexity("test"),
            "parameters_touched_per_word": costs.parameters_touched_per_word,
            "multiply_adds_per_word": costs.multiply_adds_per_word,
            "words_per_second": tested.metric("words_per_second", "test"),
            "timed_words_per_second": tested.words_per_second_in_turn,
        }


_NOT_TESTED: Row = {
    "rate": "",
    "parameters_touched_per_word": None,
    "multiply_adds_per_word": None,
    "words_per_second": of_seeds([]),
    "timed_words_per_second": None,
}
"""The values of a headline that lacks an evaluation that another network has."""


def _rate(tested: TestedNetwork) -> str:
    """The rates chosen on `valid`, such as `0.1`, or `0.1, α 0.2` of weights and vector.

    Seeds of other rates are in their order: `0.1 / 0.3`. It is the vector's rate in training where
    none is chosen, and empty where nothing learns.
    """
    chosen: list[Mapping[str, Any]] = [record.chosen for record in tested.by_seed]
    if tested.evaluation == DOCUMENT_VECTOR:
        chosen = [{"document_rate": tested.network.settings.document_rate}]
    return ", α ".join(values_text(chosen, key) for key in keys_of(chosen))


def _adaptation_rows(results: Results, lines: Sequence[Row]) -> Iterator[Row]:
    """Yield a row for people for each adaptation that networks are tested with, corpus by corpus.

    It has the values of the headline, and test perplexities by the networks' names. Frozen is
    first. Networks with a vector have every adaptation, so their evaluations come before the
    others.
    """
    names = dict.fromkeys(line["model"] for line in lines)
    ordered = sorted(lines, key=lambda line: line["document_size"] == 0)
    evaluations = dict.fromkeys([NONE, *(line["evaluation"] for line in ordered)])
    for corpus in dict.fromkeys(line["corpus"] for line in lines):
        headline = headline_on(results, corpus).network_name
        for evaluation in evaluations:
            by_network = {
                line["model"]: line
                for line in lines
                if (line["corpus"], line["evaluation"]) == (corpus, evaluation)
            }
            if by_network:
                yield {
                    **by_network.get(headline, _NOT_TESTED),
                    **dict.fromkeys(names, of_seeds([])),
                    **{name: line["test_perplexity"] for name, line in by_network.items()},
                    "corpus": corpus,
                    "name": results.in_words[evaluation] or "the vector learns as in training",
                }


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
