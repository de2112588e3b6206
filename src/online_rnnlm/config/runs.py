"""One training run of an experiment: its settings and its name, before and after the search."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from online_rnnlm.config.base import Settings
from online_rnnlm.config.training import RunSettings


class _NamedRun(Settings):
    """The settings of a run, and the names that they give it."""

    settings: RunSettings
    searched: dict[str, Any] = Field(default={})
    """The values that a run of the search tries; empty for a row's run."""
    candidates: tuple[str, ...] = ()
    """Names of the runs of the search, for a row's run; it takes the values of the best one."""

    @property
    def name(self) -> str:
        """Name of the run's directory, such as `wikipedia-vital-M100-D20-seed1`."""
        s = self.settings
        searched = [f"{key}{value}" for key, value in self.searched.items()]
        sizes = [f"M{s.hidden_size}", f"D{s.document_size}", *_layer(s), *_cell(s)]
        return "-".join([s.corpus, *sizes, *searched, f"seed{s.seed}"])

    @property
    def model(self) -> str:
        """The model's name in tables, such as `100/20`, `100/20 hidden` or `100/0 LSTM`."""
        s = self.settings
        return " ".join([f"{s.hidden_size}/{s.document_size}", *variant_of(s)])


def variant_of(settings: RunSettings) -> list[str]:
    """Return the layer that the vector feeds and the cell, where they differ from the paper's."""
    return [*_layer(settings), *(name.upper() for name in _cell(settings))]


def _layer(settings: RunSettings) -> list[str]:
    """Return the layers that the vector feeds, if they are not the paper's choice."""
    return [] if settings.document_layer == "output" else [settings.document_layer]


def _cell(settings: RunSettings) -> list[str]:
    """Return the cell, if it is not the paper's."""
    cell: str = settings.cell
    return [] if cell == "sigmoid" else [cell]


class PlannedRun(_NamedRun):
    """A run as the configuration describes it, before the search has chosen its settings."""


class Run(_NamedRun):
    """A run with the settings that it is trained with, those chosen by the search included."""

    hopeless: bool = False
    """True if all its candidates have diverged: there are no settings to train it with."""
