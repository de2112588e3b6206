"""The epochs of a training in MLflow, while it runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import one_line_errors
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord
from online_rnnlm.tracking.runs import begin_run, log_epochs
from online_rnnlm.tracking.store import STORE, kind_of, open_store

logger = logging.getLogger(__name__)


class LiveLog:
    """The log of one training in the store that MLflow's variable names, called after every epoch.

    It does nothing if no store is named. Nor does it if that is a file, into which several
    trainings cannot write at once. Its first error is one warning, and the end of the logging; the
    workflow's rule `track` enters the rest.
    """

    def __init__(self, directory: ExperimentDirectory, name: str) -> None:
        """Prepare the log of the run of that name; nothing is entered yet."""
        address = os.environ.get(STORE, "")
        self._is_on = bool(address) and kind_of(address) != "file"
        self._directory = directory
        self._name = name
        self._run_id = ""

    def __call__(self, epochs: Sequence[Epoch]) -> None:
        """Log the run's epochs so far."""
        if not self._is_on:
            return
        try:
            record = records.read(RunRecord, self._directory.run(self._name).record)
            with one_line_errors():
                self._run_id = self._run_id or begin_run(open_store(self._directory), record)
                log_epochs(self._run_id, record, epochs)
        except UserError as error:
            self._is_on = False
            logger.warning("%s; the run goes on, and is entered when it has been tested", error)
