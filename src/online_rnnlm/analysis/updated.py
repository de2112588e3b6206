"""The experiment's axis: what is updated in testing, from nothing to everything.

`rows_of` sets a network whose vector learns beside a static one with as many parameters. The table
and the figure `updates` show these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, get_args

from online_rnnlm.analysis.opponents import (
    as_large_as,
    headline_on,
    static_of_as_many_units,
    updated_static_like,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import FinishedNetwork, TestedNetwork
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
