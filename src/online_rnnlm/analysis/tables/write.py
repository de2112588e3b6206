"""Make and write the tables of an experiment."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from online_rnnlm.analysis.published import load_published
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.rendering import Table, write_table
from online_rnnlm.config.catalogue import TableEntry, tables_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.syntax import PACKAGE


class TableModule(Protocol):
    """A module that makes a table."""

    def make(self, results: Results) -> Table:
        """Make the table.

        Raises UserError for files that are missing or do not fit each other.
        """


def write_tables(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write the tables of the verb `tables`; `published` is `config/published.yaml`."""
    results = collect(experiment, directory, load_published(published))
    for entry in tables_of(experiment):
        if entry.verb == "tables":
            write_table(make_table(entry, results), directory)


def make_table(entry: TableEntry, results: Results) -> Table:
    """Make a table of the catalogue.

    Raises UserError for files that are missing or do not fit each other.
    """
    module = cast(TableModule, import_module(f"{PACKAGE}.{entry.module}"))
    return module.make(results)
