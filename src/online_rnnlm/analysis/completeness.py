"""The check, after everything else, that an experiment lacks no result."""

from __future__ import annotations

import logging

from online_rnnlm.analysis.results import collect
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Complete

logger = logging.getLogger(__name__)


def check_complete(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the mark of an experiment that lacks nothing.

    If anything is missing, log one line for each thing and raise UserError: the workflow has then
    made all that can be made, but it has not succeeded.
    """
    missing = collect(experiment, directory).missing
    if not missing:
        records.write(directory.complete, Complete(trainings=len(experiment.trainings())))
        return
    directory.complete.unlink(missing_ok=True)
    for one in missing:
        logger.error("%s%s", ERROR_MARK, one.line)
    raise UserError(f"{directory.report}: everything else is there; {len(missing)} missing")
