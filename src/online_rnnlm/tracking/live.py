"""Epochs in MLflow while their run trains, where `MLFLOW_TRACKING_URI` names a server."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord
from online_rnnlm.tracking.store import STORE

logger = logging.getLogger(__name__)


class LiveRun:
    """A run that is entered epoch by epoch.

    Without a server nothing is entered: an sqlite file has no place for several trainings at once.
    The first error is one warning, and the end of the entering; the workflow's rule `track` enters
    the rest.
    """

    def __init__(self, directory: ExperimentDirectory, name: str) -> None:
        self._directory, self._name = directory, name
        address = os.environ.get(STORE)
        self._is_on = bool(address) and not str(address).startswith("sqlite")
        self._run_id: str | None = None

    def log(self, epochs: Sequence[Epoch]) -> None:
        """Log the run's epochs so far in the MLflow run of that training."""
        if not self._is_on:
            return
        from online_rnnlm.tracking import entries  # noqa: PLC0415  # MLflow takes seconds
        from online_rnnlm.tracking.store import one_line_errors, open_store  # noqa: PLC0415

        record = records.read(RunRecord, self._directory.run(self._name).record)
        try:
            with one_line_errors():
                if self._run_id is None:
                    self._run_id = entries.begin_run(open_store(self._directory), record)
                entries.log_epochs(self._run_id, record, epochs)
        except UserError as error:
            self._is_on = False
            logger.warning("%s; the run goes on, and is entered when it has been tested", error)
