"""The settings and the epochs of a training in MLflow, which it can log itself while it runs."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from datetime import timedelta

from online_rnnlm.config.runs import Run
from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import STORE, mlflow, one_line_errors
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord
from online_rnnlm.tracking.store import (
    find_or_create_entry,
    kind_of,
    milliseconds,
    open_store,
)

logger = logging.getLogger(__name__)


def begin_run(experiment_id: str, record: RunRecord) -> str:
    """Return MLflow's id of a training, which is made with its settings if it is not there."""
    settings = record.settings
    run = Run(settings, record.corpus_folder, searched=record.searched)
    by_size = "online" if settings.document_size else "static"
    tags = {
        "kind": "search" if record.searched else by_size,
        "network": run.network_name,
    }
    run_id = find_or_create_entry(experiment_id, record.identity, run.label, record.began, tags)
    parameters = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in settings
        if key not in settings.unused
    }
    mlflow().log_params(parameters, run_id=run_id)
    return run_id


def log_epochs(run_id: str, record: RunRecord, epochs: Sequence[Epoch]) -> None:
    """Log the metrics of a run's epochs so far; what has been logged before is not stored twice.

    Records of earlier versions do not say when an epoch ended: it counts as uninterrupted.
    """
    library = mlflow()
    ended = record.began
    metrics = []
    for epoch in epochs:
        ended = epoch.ended or ended + timedelta(seconds=epoch.seconds)
        values = {
            "perplexity/valid": round(epoch.valid_perplexity, 2),
            "perplexity/train": round(epoch.train_perplexity, 2),
            "learning_rate": float(f"{epoch.learning_rate:.4g}"),
            "words_per_second": round(epoch.words_per_second),
        }
        for key, value in values.items():
            metrics.append(library.entities.Metric(key, value, milliseconds(ended), epoch.epoch))
    library.MlflowClient().log_batch(run_id, metrics=metrics)


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
