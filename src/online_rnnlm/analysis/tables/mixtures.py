"""The table `mixtures`: what each rival adds to a network alone, and on top of all the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import BySeed, FinishedNetwork, of_seeds
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
from online_rnnlm.analysis.tables.values import signed
from online_rnnlm.config.rivals import MIXTURE


@dataclass(frozen=True, eq=False)
class RivalRow(NetworkRow):
    """A network and a rival, a row of the CSV."""

    rival: str
    seeds: int
    test_perplexity: BySeed
    test_perplexity_alone: BySeed
    """The network mixed with this rival alone."""
    test_perplexity_without: BySeed
    """The network mixed with every rival but this one."""
    test_perplexity_all: BySeed
    """The network mixed with every rival."""
    weight: BySeed
    """The rival's weight among all."""
    alone_percent: float
    on_top_percent: float


def make(results: Results) -> Table[RivalRow]:
    """Make the table: a row for each network, and for each rival the two changes that it makes.

    The CSV has a row for each rival of each network. Raises NothingToShowError if no network has a
    mixture.
    """
    networks = [network for network in results.networks if MIXTURE in network.tested]
    if not networks:
        raise NothingToShowError("No mixture has finished.")
    rivals = results.experiment.testing.rivals_by_name[MIXTURE].parts
    names = [rival.name for rival in rivals]
    rows = {(row.network, row.rival): row for one in networks for row in _rows(one, names)}

    def changes(shown: RivalRow, rival: str) -> str:
        """Both changes that a rival makes."""
        row = rows[shown.network, rival]
        return f"{signed(row.alone_percent)} / {signed(row.on_top_percent)} %"

    # Of each network, the row of any rival has what does not depend on the rival.
    shown = [rows[network, names[0]] for network in networks]
    columns: list[Column[RivalRow]] = [
        Column("Network", lambda row: row.network.network_name, text=True),
        mean_column("By itself", shown, lambda row: row.test_perplexity),
        *corpus_column(results),
        *(Column(rival.label.capitalize(), partial(changes, rival=rival.name)) for rival in rivals),
        mean_column("All", shown, lambda row: row.test_perplexity_all),
    ]
    note = (
        f"{spread_note(results)} Bold: each column's lowest. Of a rival: the change of test "
        "perplexity if it alone is mixed with the network / if it is mixed in on top of all the "
        "others. The weights of each mixture, and the adaptation of a vector, are those best on "
        "valid."
    )
    caption = on_corpus("Test perplexity of mixtures: what each rival adds", results)
    return Table(caption, shown, columns, [note], data_of([*rows.values()], results))


def _rows(network: FinishedNetwork, rivals: Collection[str]) -> Iterator[RivalRow]:
    """Yield the values of a network with each rival.

    The adaptation of a vector is the one that is best on `valid`, as in the mixtures.
    """
    own = network.best_adapted.perplexity()
    mixture = network.tested[MIXTURE]
    everything = mixture.perplexity()
    every = frozenset(mixture.by_seed[0].chosen)

    def reached(names: frozenset[str]) -> BySeed:
        """Test perplexity of the mixture of these parts."""
        if names == every:
            return everything
        return of_seeds(
            smaller.test_perplexity
            for evaluation in mixture.by_seed
            for smaller in evaluation.mixtures
            if smaller.weights.keys() == names
        )

    for rival in rivals:
        alone = reached(every - set(rivals) | {rival})
        without = reached(every - {rival})
        yield RivalRow(
            network=network,
            rival=rival,
            seeds=len(network.runs),
            test_perplexity=own,
            test_perplexity_alone=alone,
            test_perplexity_without=without,
            test_perplexity_all=everything,
            weight=of_seeds(evaluation.chosen[rival] for evaluation in mixture.by_seed),
            alone_percent=(100 * (alone / own - 1)).mean(),
            on_top_percent=(100 * (everything / without - 1)).mean(),
        )
