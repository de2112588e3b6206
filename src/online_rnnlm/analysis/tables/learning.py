"""The table `learning`: perplexity of `valid` after each epoch of training."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from online_rnnlm.analysis.results import NO_NETWORK, NothingToShowError, Results
from online_rnnlm.analysis.systems import FinishedNetwork, of_seeds
from online_rnnlm.analysis.tables.table import (
    Column,
    NetworkRow,
    Table,
    corpus_column,
    data_of,
    on_corpus,
)
from online_rnnlm.analysis.tables.values import number
from online_rnnlm.storage.runs import read_epochs


@dataclass(frozen=True)
class EpochRow(NetworkRow):
    """An epoch of a run, a row of the CSV."""

    seed: int
    epoch: int
    valid_perplexity: float
    best: bool


def make(results: Results) -> Table[FinishedNetwork]:
    """Make the table: a row for each network, with means over the seeds after some epochs.

    The CSV has a row for each run and epoch. Raises NothingToShowError if no network has finished.
    """
    if not results.networks:
        raise NothingToShowError(NO_NETWORK)
    epochs = [
        EpochRow(
            network, run.seed, one.epoch, one.valid_perplexity, one.epoch == run.end.best_epoch
        )
        for network in results.networks
        for run in network.runs
        for one in read_epochs(results.directory.run(run.name))
    ]
    reached: dict[tuple[FinishedNetwork, int], list[float]] = defaultdict(list)
    for row in epochs:
        reached[row.network, row.epoch].append(row.valid_perplexity)

    def mean_after(network: FinishedNetwork, epoch: int) -> str:
        """The mean over the seeds that have had so many epochs."""
        return number(of_seeds(reached.get((network, epoch), [])).mean(), ".1f")

    means = "Means over the seeds that have had so many epochs. " if results.several_seeds else ""
    last = max(row.epoch for row in epochs)
    shown_after = sorted({*(2**power for power in range(last.bit_length())), last})
    first, *later = (
        Column(f"Epoch {epoch}", partial(mean_after, epoch=epoch)) for epoch in shown_after
    )
    columns: list[Column[FinishedNetwork]] = [
        Column("Network", lambda network: network.network_name, text=True),
        first,
        *corpus_column(results),
        *later,
        Column(
            "Best epochs",
            lambda network: ", ".join(str(run.end.best_epoch) for run in network.runs),
            text=True,
        ),
    ]
    return Table(
        on_corpus("Perplexity on valid by epoch", results),
        results.networks,
        columns,
        [f"{means}The best epochs, one for each seed, gave the weights."],
        data_of(epochs, results),
    )
