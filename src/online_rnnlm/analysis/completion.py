"""The mark of an experiment that lacks nothing, or what one lacks."""

from __future__ import annotations

import logging

from online_rnnlm.analysis.reading import collect
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Audits, Complete
from online_rnnlm.storage.paths import ExperimentDirectory

logger = logging.getLogger(__name__)


def mark_complete(directory: ExperimentDirectory) -> None:
    """Write the mark of an experiment that lacks nothing.

    If anything is missing, log one line for each thing and raise UserError: the workflow has then
    made all that can be made, but it has not succeeded.
    """
    results = collect(directory)
    audits = records.read(Audits, directory.audits).audits
    lines = [missing.line for missing in results.missing]
    lines += [f"{audit.name}: the audit: {audit.failure}" for audit in audits if audit.failure]
    if not lines:
        trainings = len(results.experiment.trainings())
        records.write(directory.complete, Complete(trainings=trainings))
        return
    directory.complete.unlink(missing_ok=True)
    for line in lines:
        logger.error("%s%s", ERROR_MARK, line)
    raise UserError(f"{directory.path}: everything else is there; {len(lines)} missing or broken")
