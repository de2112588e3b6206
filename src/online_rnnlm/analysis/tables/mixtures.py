"""The table `mixtures`: what each rival adds to a network alone, and on top of all the others."""

from __future__ import annotations

from collections.abc import Iterator

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import BySeed, FinishedNetwork, of_seeds
from online_rnnlm.analysis.tables.table import (
    Column,
    Row,
    Table,
    identity,
    mean_column,
    spread_note,
    table_of,
)
from online_rnnlm.analysis.tables.values import signed
from online_rnnlm.config.rivals import MIXTURE


def make(results: Results) -> Table:
    """Make the table: a row for each network, and for each rival the two changes that it makes.

    The CSV has a row for each rival of each network. Raises NothingToShowError if no network has a
    mixture.
    """
    networks = [network for network in results.networks if MIXTURE in network.tested]
    if not networks:
        raise NothingToShowError("No mixture has finished.")
    rivals = results.experiment.rivals_by_name[MIXTURE].parts
    by_network = [list(_rows(network)) for network in networks]
    # Of each network, the row of any rival has what does not depend on the rival. The cell of a
    # rival that is not the network's is empty.
    empty = dict.fromkeys((rival.name for rival in rivals), "")
    shown = [
        {**rows[0], **empty, **{row["rival"]: _changes(row) for row in rows}} for rows in by_network
    ]
    columns = [
        Column("Network", "model", text=True),
        mean_column("By itself", "test_perplexity", shown),
        *(Column(rival.label.capitalize(), rival.name) for rival in rivals),
        mean_column("All", "test_perplexity_all", shown),
    ]
    note = (
        f"{spread_note(results)} Bold: each column's lowest. Of a rival: the change of test "
        "perplexity if it alone is mixed with the network / if it is mixed in on top of all the "
        "others. The weights of each mixture, and the adaptation of a vector, are those best on "
        "valid."
    )
    caption = "Test perplexity of mixtures: what each rival adds"
    lines = [row for rows in by_network for row in rows]
    return table_of(results, caption, shown, columns, [note], lines)


def _changes(row: Row) -> str:
    """Both changes that a rival makes."""
    return f"{signed(row['alone_percent'])} / {signed(row['on_top_percent'])} %"


def _rows(network: FinishedNetwork) -> Iterator[Row]:
    """Yield the values of a network with each of its rivals, by itself and in the mixtures with
    this rival alone, with every rival but this one, and with all; `weight` is the rival's among
    all.

    The adaptation of a vector is the one that is best on `valid`, as in the mixtures.
    """
    own = network.best_adapted.perplexity()
    mixture = network.tested[MIXTURE]
    everything = mixture.perplexity()
    _, *rivals = mixture.by_seed[0].chosen  # the first is the network
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
        yield {
            **identity(network),
            "rival": rival,
            "seeds": len(network.runs),
            "test_perplexity": own,
            "test_perplexity_alone": alone,
            "test_perplexity_without": without,
            "test_perplexity_all": everything,
            "weight": of_seeds(evaluation.chosen[rival] for evaluation in mixture.by_seed),
            "alone_percent": (100 * (alone / own - 1)).mean(),
            "on_top_percent": (100 * (everything / without - 1)).mean(),
        }
