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
        model = [*sizes_in_name(s), *_layer(s), *_cell(s), *_unit(s), *_gradient(s)]
        return "-".join([s.corpus, *model, *_engine(s), *searched, f"seed{s.seed}"])

    @property
    def model(self) -> str:
        """The model's name in tables: `100/20`, `100/20 hidden`, `100/0 LSTM` or `100+20/0`."""
        by = [f"by {engine}" for engine in _engine(self.settings)]
        return " ".join([model_of(self.settings), *by])


def model_of(settings: RunSettings) -> str:
    """Return the model's name in tables, whatever its engine is."""
    context = f"+{settings.context_size}" if settings.context_size else ""
    sizes = f"{settings.hidden_size}{context}/{settings.document_size}"
    return " ".join([sizes, *variant_of(settings)])


def sizes_in_name(settings: RunSettings) -> list[str]:
    """Return the sizes that a run's name tells: M, C if there are context units, and D."""
    context = [f"C{settings.context_size}"] if settings.context_size else []
    return [f"M{settings.hidden_size}", *context, f"D{settings.document_size}"]


def variant_of(settings: RunSettings) -> list[str]:
    """Return the layer, the cell, the unit of text and the gradients, if not the default."""
    cell = [name.upper() for name in _cell(settings)]
    return [*_layer(settings), *cell, *_unit(settings), *_gradient(settings)]


def _layer(settings: RunSettings) -> list[str]:
    """Return the layers that the vector feeds, if they are not the paper's choice."""
    return [] if settings.document_layer == "output" else [settings.document_layer]


def _cell(settings: RunSettings) -> list[str]:
    """Return the cell, if it is not the paper's."""
    cell: str = settings.cell
    return [] if cell == "sigmoid" else [cell]


def _unit(settings: RunSettings) -> list[str]:
    """Return the unit of text, if it is a document, and the state or the vector, if it is alone."""
    if settings.unit_of_text == "sentence":
        return []
    return [settings.unit_of_text] + [settings.carry] * (settings.carry != "both")


def _gradient(settings: RunSettings) -> list[str]:
    """Return how gradients treat the vector's updates, if they are not constants."""
    default: str = RunSettings.model_fields["document_gradient"].default
    return [] if settings.document_gradient == default else [settings.document_gradient]


def _engine(settings: RunSettings) -> list[str]:
    """Return the engine, if it is not the default one."""
    default: str = RunSettings.model_fields["engine"].default
    return [] if settings.engine == default else [settings.engine]


class PlannedRun(_NamedRun):
    """A run as the configuration describes it, before the search has chosen its settings."""


class Run(_NamedRun):
    """A run with the settings that it is trained with, those chosen by the search included."""

    hopeless: bool = False
    """True if all its candidates have diverged: there are no settings to train it with."""
