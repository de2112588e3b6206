"""The files of the tables and figures that a configuration asks for."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.config.catalogue import TableEntry, figures_of, tables_of, tables_on_request
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.measurements import measurements_of
from online_rnnlm.storage.paths import FIGURE_KINDS, TABLE_KINDS, ExperimentDirectory


def table_files(
    experiment: Experiment, directory: ExperimentDirectory, verb: str | None = None
) -> list[Path]:
    """Return the files of all tables, or of those that one verb writes."""

    def is_meant(table: TableEntry) -> bool:
        return verb in (None, table.verb)

    tables = filter(is_meant, tables_of(experiment))
    return [directory.table(table.name, kind) for table in tables for kind in TABLE_KINDS]


def files_on_request(experiment: Experiment, directory: ExperimentDirectory) -> list[Path]:
    """Return the files that the report shows tables on request from, whether they exist or not."""
    tables = [directory.table(table.name, "csv") for table in tables_on_request()]
    return [*tables, *(directory.measurement(one.name) for one in measurements_of(experiment))]


def figure_files(experiment: Experiment, directory: ExperimentDirectory) -> list[Path]:
    """Return the files of all figures, and that of their captions."""
    figures = figures_of(experiment)
    drawn = [directory.figure(figure.name, kind) for figure in figures for kind in FIGURE_KINDS]
    return [*drawn, directory.captions]
