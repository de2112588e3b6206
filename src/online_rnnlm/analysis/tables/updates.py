"""The table `updates`: what is updated in testing, what that brings, and what it costs.

`rows_of` sets a network whose vector learns beside a static one with as many parameters. The figure
`updates` shows these rows, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, get_args

from online_rnnlm.analysis.opponents import (
    as_large_as,
    headline_on,
    static_of_as_many_units,
    updated_static_like,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import FinishedNetwork, TestedNetwork, of_seeds
from online_rnnlm.analysis.tables.choices import edges
from online_rnnlm.analysis.tables.table import (
    Column,
    Row,
    Table,
    identity,
    spread_note,
    table_of,
)
from online_rnnlm.analysis.tables.values import integer, mean, number
from online_rnnlm.config.rivals import DYNAMIC
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Part
from online_rnnlm.core.settings import UnitOfText

UNITS: tuple[UnitOfText, ...] = get_args(UnitOfText)
"""The units of text, the shortest first."""
NOTHING = "nothing"
VECTOR = "the vector"
EVERYTHING = "everything"
DYNAMICALLY = "everything, by dynamic evaluation"
BOTH = "the vector and everything"
WEIGHTS: Mapping[str, tuple[Part, ...]] = {
    "the embeddings, E": ("embeddings",),
    "the recurrent weights, W_h": ("recurrent",),
    "the output layer": ("output",),
    EVERYTHING: PARTS,
}
"""The parts of a static network that are updated, by their names."""
FORGOTTEN: Mapping[UnitOfText, str] = {
    "sentence": "Forgotten at the sentence",
    "document": "At the article",
    "stream": "Never",
}
"""The headings of the columns of test perplexities."""
AT_THE_EDGE = "*"
"""The mark of a rate that is the lowest or the highest of those that were tried."""


class Updated(NamedTuple):
    """A network with a part of it updated after every word."""

    part: str
    """The part's name."""
    network: FinishedNetwork
    at: Mapping[UnitOfText, TestedNetwork]
    """The network by the unit of text at whose end what was updated is forgotten."""

    @property
    def first(self) -> TestedNetwork:
        """The one with the shortest unit of text, whose costs are shown."""
        return next(iter(self.at.values()))


def rows_of(results: Results, network: FinishedNetwork) -> list[Updated]:
    """What was updated in a network and, if its vector learns, in a static one beside it, as far as
    this was tested.

    The static one is the nearest in parameters, of those with at least as many hidden units of
    which weights were updated. If there are none, it is the smallest with at least as many
    parameters, or else that of as many hidden units.
    """
    static: FinishedNetwork | None = network
    rows = []
    if network.learns:
        static = updated_static_like(results, network)
        if static is None:
            as_many = static_of_as_many_units(results, network)
            static = next(iter(as_large_as(results, network)), as_many)
        rows = [
            Updated(part, network, _updating(network, parts))
            for part, parts in ((VECTOR, (DOCUMENT_VECTOR,)), (BOTH, PARTS))
        ]
    if static:
        of_static = [
            Updated(part, static, _updating(static, parts)) for part, parts in WEIGHTS.items()
        ]
        if DYNAMIC in static.tested:
            of_static.append(Updated(DYNAMICALLY, static, {"stream": static.tested[DYNAMIC]}))
        rows[1:1] = of_static
        # With nothing updated there is nothing to forget: it stands beside all that are.
        units = [unit for unit in UNITS if any(unit in row.at for row in rows)]
        nothing = dict.fromkeys(units or UNITS[:1], static.main) | _updating(static, ())
        rows.insert(0, Updated(NOTHING, static, nothing))
    return [row for row in rows if row.at]


def _updating(network: FinishedNetwork, parts: tuple[Part, ...]) -> dict[UnitOfText, TestedNetwork]:
    """A network with these parts updated, by the unit of text at whose end they are forgotten."""
    found = {unit: network.updating(parts, unit) for unit in UNITS}
    return {unit: tested for unit, tested in found.items() if tested is not None}


def blocks_of(results: Results) -> list[list[Updated]]:
    """The rows of each network whose vector learns: on each corpus those of the headline's hidden
    layer and unit of text first, by the number of hidden units.

    If no vector learns on a corpus, they are those of its other networks.
    """
    blocks = []
    for corpus in results.compared_corpora:
        regime = headline_on(results, corpus).regime
        networks = results.networks_on(corpus)
        shown = [network for network in networks if network.learns] or networks
        shown.sort(key=lambda one: (one.regime != regime, one.settings.hidden_size))
        blocks += [rows_of(results, network) for network in shown]
    return blocks


def make(results: Results) -> Table:
    """Make the table: for each network whose vector learns a block of rows, one an updated part.

    The CSV has a row for each evaluation of each network without a rival, and for dynamic
    evaluation.
    """
    rows = [row for block in blocks_of(results) for row in _block(block)]
    columns = [
        Column("Hidden units", "hidden_size", integer),
        Column("Network", "model", text=True),
        Column("Parameters", "parameters", integer),
        Column("Updated after every word", "part", text=True),
        *(
            Column(heading, unit, mean, best=partial(_is_lowest, unit=unit))
            for unit, heading in FORGOTTEN.items()
        ),
        Column("Rate", "rate", text=True),
        Column("Numbers that change after a word", "parameters_touched_per_word", integer),
        Column("Multiply-adds per word", "multiply_adds_per_word", integer),
        Column("Words/s", "timed_words_per_second", integer),
        Column(
            "Time, relative to updating nothing",
            "times_nothing",
            lambda value: number(value, ".2f"),
        ),
    ]
    lines = [line for network in results.networks for line in _lines(network)]
    return table_of(results, "What is updated in testing", rows, columns, _notes(results), lines)


def _block(block: Sequence[Updated]) -> list[Row]:
    """The rows for people of one network whose vector learns, and of the static one beside it."""
    nothing = [row.first for row in block if row.part == NOTHING]
    lowest: dict[UnitOfText, float] = {}
    for row in block:
        for unit, tested in row.at.items():
            lowest[unit] = min(tested.perplexity().mean(), lowest.get(unit, math.inf))
    vector = next((row.network for row in block if row.part == VECTOR), block[0].network)
    rows = []
    for updated in block:
        tested = updated.first
        timed = nothing and nothing[0].rounds and tested.rounds
        rates = [_rate(updated.at[unit]) if unit in updated.at else "–" for unit in UNITS]
        perplexities: Row = {
            unit: updated.at[unit].perplexity() if unit in updated.at else of_seeds([])
            for unit in UNITS
        }
        of_one = len({rate for rate in rates if rate != "–"}) == 1
        rows.append(
            {
                **_identity_and_costs(updated.network, tested),
                "hidden_size": vector.settings.hidden_size,
                "vector": vector.network_name,
                "part": updated.part,
                **perplexities,
                "lowest": lowest,
                "rate": _rate(tested) if of_one else " / ".join(rates),
                "times_nothing": tested.seconds_per_word / nothing[0].seconds_per_word
                if timed
                else None,
            }
        )
    return rows


def _is_lowest(row: Row, unit: UnitOfText) -> bool:
    """True if a perplexity is the lowest of its block."""
    return bool(row[unit].mean() == row["lowest"].get(unit))


def _identity_and_costs(network: FinishedNetwork, tested: TestedNetwork) -> Row:
    """The columns that tell a network from others, and what a word of its test costs."""
    costs = tested.by_seed[0].costs  # the same for all seeds
    return {
        **identity(network),
        "parameters": network.parameters,
        "parameters_touched_per_word": costs.parameters_touched_per_word,
        "multiply_adds_per_word": costs.multiply_adds_per_word,
        "timed_words_per_second": tested.words_per_second_in_turn,
    }


def _lines(network: FinishedNetwork) -> Iterator[Row]:
    """Yield the rows of the CSV of a network."""
    for tested in network.tested.values():
        if tested.rival and tested.evaluation != DYNAMIC:
            continue
        yield {
            **_identity_and_costs(network, tested),
            "evaluation": tested.evaluation,
            "forgotten_at": tested.forgotten_at,
            "seeds": len(network.runs),
            "rate": _rate(tested),
            "valid_perplexity": tested.perplexity("valid"),
            "test_perplexity": tested.perplexity("test"),
            "words_per_second": tested.metric("words_per_second", "test"),
        }


def _rate(tested: TestedNetwork) -> str:
    """The rates chosen on `valid`, such as `0.1`, or `0.1, α 0.2*` of weights and vector.

    If seeds chose others, they are the lowest and the highest: `0.1–0.3`. `AT_THE_EDGE` follows
    where a seed chose the lowest or the highest of those that were tried. It is the vector's rate
    in training where none is chosen, and empty where nothing is updated.
    """
    chosen: list[Mapping[str, Any]] = [record.chosen for record in tested.by_seed]
    if tested.evaluation == DOCUMENT_VECTOR:
        chosen = [{"document_rate": tested.network.settings.document_rate}]
    at_the_edge = {
        key
        for record in tested.by_seed
        for key in edges([trial.settings for trial in record.curve], record.chosen)
    }
    said = []
    for key in ("learning_rate", "document_rate"):
        values = sorted({settings[key] for settings in chosen if key in settings})
        if values:
            shown = "–".join(dict.fromkeys(f"{value:g}" for value in (values[0], values[-1])))
            said.append(f"{shown}{AT_THE_EDGE if key in at_the_edge else ''}")
    return ", α ".join(said)


def _notes(results: Results) -> list[str]:
    """Return notes on the columns."""
    return [
        f"Test perplexity. {spread_note(results)} Bold: the lowest of its hidden units and column. "
        "The static network beside one with a vector is the nearest in parameters of those with at "
        "least as many hidden units of which weights were updated, if there is one. What is "
        "updated in it takes plain steps, a word's loss propagated through "
        f"{results.experiment.testing.steps} hidden states. Dynamic evaluation updates everything "
        "after every five words.",
        "Rates are those best on valid, forgotten at the sentence / at the article / never; "
        f"{AT_THE_EDGE}: a seed chose the lowest or the highest of those that were tried. The "
        "vector alone has the rate of its training where it forgets as in training; beside "
        "everything, its rate is α or, if none is given, that of its training.",
        "Costs are those of the first column that is not empty. Words/s: timed in turn on one "
        "core, with the first seed; the median of several rounds.",
    ]
