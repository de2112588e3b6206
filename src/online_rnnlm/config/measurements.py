"""The measurements that the table of engines is made of: one network by one engine each."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from online_rnnlm.config.engine_table import ENGINE_OF
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import network_name, sizes_in_name, variant_of
from online_rnnlm.config.training import RunSettings

REFERENCE_ENGINE = "pytensor-c"
REFERENCE_PRECISION = "float64"


class PlannedMeasurement(NamedTuple):
    """One engine's updates of one network, in one precision."""

    network: RunSettings
    """A row's settings with the measurement's batch and document size, by the reference."""
    engine: str
    """The name that the table has for the engine."""
    precision: str

    @property
    def name(self) -> str:
        """Name of the measurement's file, such as `demo-M20-D0-B32-float64-jax`."""
        network = self.network
        parts = [network.corpus, *sizes_in_name(network), *map(str.lower, variant_of(network))]
        parts += [] if network.optimizer == "adagrad" else [network.optimizer]
        return "-".join([*parts, f"B{network.batch_sentences}", self.precision, self.engine])

    @property
    def model(self) -> str:
        """The network's name in tables."""
        return network_name(self.network)

    @property
    def reference(self) -> PlannedMeasurement:
        """The measurement of the same network that this one is compared with."""
        return self._replace(engine=REFERENCE_ENGINE, precision=REFERENCE_PRECISION)

    @property
    def settings(self) -> RunSettings:
        """The settings that are computed; raises ValidationError if the engine lacks some."""
        own = {"engine": ENGINE_OF[self.engine], "precision": self.precision}
        return RunSettings.model_validate({**self.network.model_dump(), **own})


def measurements_of(experiment: Experiment) -> list[PlannedMeasurement]:
    """Return the measurements of an experiment's table, in its order."""
    table = experiment.engine_table
    sizes = itertools.product(table.batch_sentences, table.document_sizes)
    of_sizes = list(sizes)
    planned = (
        PlannedMeasurement(_network(row, *of_size), engine, precision)
        for row in _one_of_each_kind(experiment)
        for engine in table.engines
        for precision in table.precisions
        for of_size in of_sizes
    )
    return list(dict.fromkeys(planned))


def references_of(experiment: Experiment) -> list[PlannedMeasurement]:
    """Return the measurements that those of the table are compared with."""
    return list(dict.fromkeys(one.reference for one in measurements_of(experiment)))


def _one_of_each_kind(experiment: Experiment) -> list[RunSettings]:
    """Return the settings of the first row of each kind of model.

    A kind is a cell, a layer that the document vector feeds, and an optimizer.
    """
    first: dict[object, RunSettings] = {}
    for run in experiment.runs():
        settings = run.settings
        kind = (settings.document_layer, settings.cell_name, settings.optimizer)
        first.setdefault(kind, settings)
    return list(first.values())


def _network(row: RunSettings, batch_sentences: int, document_size: int) -> RunSettings:
    """Return a row's settings with another batch and vector, for the engine of the reference."""
    reference = {
        "engine": ENGINE_OF[REFERENCE_ENGINE],
        "device": "cpu",
        "precision": REFERENCE_PRECISION,
    }
    sizes = {"batch_sentences": batch_sentences, "document_size": document_size}
    return row.model_copy(update=reference | sizes).without_unused()
