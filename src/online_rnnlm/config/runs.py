"""One training run of an experiment: its settings and its name, before and after the search."""

from __future__ import annotations

from collections.abc import Mapping
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
        layer, cell = _changed(s, "document_layer"), _changed(s, "cell")
        others = *_unit(s), *_changed(s, "document_gradient"), *_changed(s, "engine")
        model = [*sizes_in_name(s), *layer, *cell, *others]
        return "-".join([s.corpus, *model, *searched, f"seed{s.seed}"])

    @property
    def model(self) -> str:
        """The model's name in tables: `100/20`, `100/20 hidden`, `100/0 LSTM` or `100+20/0`."""
        by = [f"by {engine}" for engine in _changed(self.settings, "engine")]
        return " ".join([network_name(self.settings), *by])


def network_name(settings: RunSettings) -> str:
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
    layer, gradient = _changed(settings, "document_layer"), _changed(settings, "document_gradient")
    cell = [name.upper() for name in _changed(settings, "cell")]
    return [*layer, *cell, *_unit(settings), *gradient]


def _changed(settings: RunSettings, key: str) -> list[str]:
    """Return a setting's value, as a list of one, or no value if it is the default."""
    value = getattr(settings, key)
    return [] if value == RunSettings.model_fields[key].default else [value]


def _unit(settings: RunSettings) -> list[str]:
    """Return the unit of text, if it is a document, and the state or the vector, if it is alone."""
    if settings.unit_of_text == "sentence":
        return []
    return [settings.unit_of_text] + [settings.carry] * (settings.carry != "both")


class PlannedRun(_NamedRun):
    """A run as the configuration describes it, before the search has chosen its settings."""

    def settings_with(self, searched: Mapping[str, Any]) -> RunSettings:
        """The run's settings with these values of those that are searched."""
        return self.settings.model_copy(update=dict(searched)).without_unused()


class Run(_NamedRun):
    """A run with the settings that it is trained with, those chosen by the search included."""

    hopeless: bool = False
    """True if all its candidates have diverged: there are no settings to train it with."""
