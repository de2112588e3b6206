"""Measurements of engines are read: those of the configuration that nobody has changed."""

from __future__ import annotations

from online_rnnlm.config.measurements import PlannedMeasurement
from online_rnnlm.errors import UserError
from online_rnnlm.storage import receipts, records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import EngineMeasurement, Statistics

RULE = "measure_engine"
"""The rule under whose name the receipts of measurements are kept."""


def read_measurement(
    planned: PlannedMeasurement, directory: ExperimentDirectory
) -> EngineMeasurement | None:
    """Read a measurement; None if there is none of this network and of the corpus as it is now.

    Raises UserError for one that has been changed since it was made.
    """
    file = directory.measurement(planned.name)
    record = records.read_if_there(EngineMeasurement, file)
    if record is None or record.network != planned.network:
        return None
    if any(receipts.changed_files(directory, RULE, planned.name, [file])):
        raise UserError(f"{file}: changed since it was made: delete it, and it is measured again")
    corpus = directory.corpus(planned.network.corpus).statistics
    statistics = records.read_if_there(Statistics, corpus)
    is_of_corpus = statistics is not None and statistics.digest == record.corpus_digest
    return record if is_of_corpus else None
