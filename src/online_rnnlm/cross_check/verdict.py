"""The verdict on the engines: in float64 they compute the same, but for rounding."""

from __future__ import annotations

import logging

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.measurements import PlannedMeasurement, measurements_of
from online_rnnlm.cross_check.reading import read_measurement
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import EngineMeasurement

logger = logging.getLogger(__name__)


def judge(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Log the largest difference in float64; raise UserError if it is more than rounding explains.

    Raises UserError for a measurement that is missing or has been changed, too.
    """
    compared = 0
    worst: tuple[float, str, float] = (0.0, "", 0.0)
    for planned in measurements_of(experiment):
        record = read_measurement(planned, directory)
        if record is None:
            raise UserError(f"{directory.measurement(planned.name)}: missing: `make engines`")
        if record.measured is None or record.precision != "float64":
            continue
        compared += 1
        what, difference = record.measured.differences.largest()
        if difference >= worst[0]:
            worst = difference, _said(planned, record, what, difference), record.allowed
    largest, said, allowed = worst
    if not largest <= allowed:
        raise UserError(f"{said}: more than {allowed:g}, which rounding explains")
    logger.info("%d measurements in float64: %s", compared, said or "none to compare")


def _said(
    planned: PlannedMeasurement, record: EngineMeasurement, what: str, difference: float
) -> str:
    network = planned.network
    return (
        f"`{what}` by {planned.engine} and by {record.reference} differs by {difference:.1e} at "
        f"most after {record.updates} updates (network {planned.model}, "
        f"B = {network.batch_sentences}, D = {network.document_size})"
    )
