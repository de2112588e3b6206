"""The files of the tables and figures that a configuration asks for."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.config.catalogue import figures_of, tables_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage.paths import FIGURE_KINDS, TABLE_KINDS, ExperimentDirectory


def table_files(experiment: Experiment, directory: ExperimentDirectory) -> list[Path]:
    """Return the files of all tables."""
    tables = tables_of(experiment)
    return [directory.table(table.name, kind) for table in tables for kind in TABLE_KINDS]


def figure_files(experiment: Experiment, directory: ExperimentDirectory) -> list[Path]:
    """Return the files of all figures, and that of their captions."""
    figures = figures_of(experiment)
    drawn = [directory.figure(figure.name, kind) for figure in figures for kind in FIGURE_KINDS]
    return [*drawn, directory.captions]
