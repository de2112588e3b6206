"""The table `learning`: perplexity of `valid` after each epoch of training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    label,
    model_keys,
    number,
)
from online_rnnlm.storage.runs import read_epochs


def make(results: Results) -> Table:
    """Make the table: a row for each network, with means over the seeds after some epochs.

    The CSV has a row for each run and epoch. Raises NothingToShowError if no network has finished.
    """
    assert results.compared_corpora
    epochs = pd.DataFrame(
        {
            **model_keys(run.run),
            "seed": run.seed,
            "epoch": epoch.epoch,
            "valid_perplexity": epoch.valid_perplexity,
            "best": epoch.epoch == run.end.best_epoch,
        }
        for run in results.runs
        for epoch in read_epochs(results.directory.run(run.name))
    )
    last = int(epochs["epoch"].max())
    shown_after = sorted({*(2**power for power in range(last.bit_length())), last})
    rows = []
    for row in results.rows:
        own = epochs[(epochs["corpus"] == row.corpus) & (epochs["model"] == row.label)]
        means = own.groupby("epoch")["valid_perplexity"].mean()
        best = own[own["best"]]["epoch"]
        rows.append(
            {
                **model_keys(row.first.run),
                **{str(epoch): means.get(epoch, np.nan) for epoch in shown_after},
                "best_epochs": ", ".join(map(str, best)),
            }
        )
    columns = [
        Column("Network", label("model"), text=True),
        *(Column(f"Epoch {epoch}", number(str(epoch), ".1f")) for epoch in shown_after),
        Column("Best epochs", label("best_epochs"), text=True),
    ]
    note = "Means over the seeds. The best epochs, one for each seed, gave the weights."
    shown = pd.DataFrame(rows)
    caption = "Perplexity on valid by epoch"
    return comparison_table(results, "learning", caption, shown, columns, [note], epochs)
