"""The table `learning`: perplexity of `valid` after each epoch of training."""

from __future__ import annotations

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import of_seeds
from online_rnnlm.analysis.tables.table import Column, Row, Table, identity, table_of
from online_rnnlm.analysis.tables.values import decimal
from online_rnnlm.storage.runs import read_epochs


def make(results: Results) -> Table:
    """Make the table: a row for each network, with means over the seeds after some epochs.

    The CSV has a row for each run and epoch.
    """
    lines: list[Row] = []
    rows: list[Row] = []
    for network in results.networks:
        of_network = [
            {
                **identity(network),
                "seed": run.seed,
                "epoch": one.epoch,
                "valid_perplexity": one.valid_perplexity,
                "best": one.epoch == run.end.best_epoch,
            }
            for run in network.runs
            for one in read_epochs(results.directory.run(run.name))
        ]
        lines += of_network
        best = ", ".join(str(run.end.best_epoch) for run in network.runs)
        rows.append({**identity(network), "epochs": of_network, "best": best})

    def after(epoch: int) -> Column:
        """The means over the seeds that have had so many epochs."""
        return Column(
            f"Epoch {epoch}",
            lambda row: of_seeds(
                one["valid_perplexity"] for one in row["epochs"] if one["epoch"] == epoch
            ).mean(),
            decimal,
        )

    means = "Means over the seeds that have had so many epochs. " if results.several_seeds else ""
    last = max(line["epoch"] for line in lines)
    shown_after = sorted({*(2**power for power in range(last.bit_length())), last})
    columns = [
        Column("Network", "model", text=True),
        *map(after, shown_after),
        Column("Best epochs", "best", text=True),
    ]
    notes = [f"{means}The best epochs, one for each seed, gave the weights."]
    return table_of(results, "Perplexity on valid by epoch", rows, columns, notes, lines)
