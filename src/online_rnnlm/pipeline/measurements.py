"""Inputs of the measurements of engines: the files, settings and code that each depends on."""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.measurements import PlannedMeasurement, references_of
from online_rnnlm.cross_check.compilers import why_not
from online_rnnlm.cross_check.reading import RULE
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.pipeline.inputs import as_json, code, encoded_files
from online_rnnlm.pipeline.jobs import PlannedJob
from online_rnnlm.storage.paths import ExperimentDirectory


def measured_corpus(planned: PlannedMeasurement, directory: ExperimentDirectory) -> list[str]:
    """Return the files of the text that a measurement's network learns from."""
    return encoded_files(directory.corpus(planned.network.corpus), ("train", "valid"))


def measurement_code(planned: PlannedMeasurement) -> str:
    """Return the digest of the code that measures an engine, and of the engine itself.

    An engine that lacks the network computes nothing, so only the first part counts.
    """
    try:
        chosen = chosen_modules(planned.settings)
    except ValidationError:
        return code("measure_engine")
    return code("measure_engine", *chosen)


def measurement_settings(experiment: Experiment, planned: PlannedMeasurement) -> str:
    """Return what a measurement depends on but code and text, as JSON that Snakemake compares.

    An engine that is installed later is measured then.
    """
    table = experiment.engine_table.model_dump(mode="json", include={"updates", "empty_caches"})
    network = planned.network.model_dump(mode="json")
    return as_json({**table, "network": network, "lacking": why_not(planned)})


def job_of(
    experiment: Experiment, planned: PlannedMeasurement, directory: ExperimentDirectory
) -> PlannedJob:
    """Return the job that makes a measurement, by whose receipt a changed one is noticed."""
    is_reference = planned.name in {one.name for one in references_of(experiment)}
    kinds = ("json", "npz") if is_reference else ("json",)
    read = measured_corpus(planned, directory)
    if not is_reference:
        read = [*read, str(directory.measurement(planned.reference.name, "npz"))]
    return PlannedJob(
        RULE,
        planned.name,
        read,
        [str(directory.measurement(planned.name, kind)) for kind in kinds],
        partial(measurement_code, planned),
        measurement_settings(experiment, planned),
    )
