"""Make and write the tables of an experiment."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from online_rnnlm.analysis.published import load_published
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.notices import make_or_notice
from online_rnnlm.analysis.tables.rendering import Table, write_table
from online_rnnlm.config.catalogue import Section, TableEntry, tables_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.syntax import PACKAGE


class TableModule(Protocol):
    """A module that makes a table."""

    def make(self, results: Results) -> Table:
        """Make the table.

        Raises NothingToShowError if what it is about has not finished, and UserError for files
        that are missing or do not fit each other.
        """


def write_tables(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write the tables of the verb `tables`; `published` is `config/published.yaml`."""
    results = collect(experiment, directory, load_published(published))
    for entry in tables_of(experiment):
        if entry.verb == "tables":
            write_table(make_table(entry, results), directory)


def make_table(entry: TableEntry, results: Results) -> Table:
    """Make a table of the catalogue; its first note names what is missing from the comparison.

    A table that has nothing to show says only that. Raises UserError for files that are missing or
    do not fit each other.
    """
    module = cast(TableModule, import_module(f"{PACKAGE}.{entry.module}"))
    compares = entry.section not in (Section.TEXT, Section.ENGINES)
    return make_or_notice(module.make, entry.name, results, compares=compares)
