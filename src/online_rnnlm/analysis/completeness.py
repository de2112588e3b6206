"""The check, after everything else, that an experiment lacks no result."""

from __future__ import annotations

import logging

from online_rnnlm.analysis.results import collect
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.storage import receipts, records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Complete

logger = logging.getLogger(__name__)


def check_complete(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the mark of an experiment that lacks nothing.

    If anything is missing, or was changed since it was made, log one line for each thing and raise
    UserError: the workflow has then made all that can be made, but it has not succeeded.
    """
    lines = [one.line for one in collect(experiment, directory).missing]
    lines += [
        f"{file}: changed or deleted since it was made: start the experiment again"
        for file in receipts.changed_outputs(directory)
    ]
    if not lines:
        records.write(directory.complete, Complete(trainings=len(experiment.trainings())))
        return
    directory.complete.unlink(missing_ok=True)
    for line in lines:
        logger.error("%s%s", ERROR_MARK, line)
    raise UserError(f"{directory.path}: everything else is there; {len(lines)} missing")
