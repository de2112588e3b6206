"""The trained models of an experiment in MLflow: logging, checking and deleting them."""

from __future__ import annotations

import json
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.tracking.copies import digests_in
from online_rnnlm.tracking.entries import Entry
from online_rnnlm.tracking.known import Target, on_all_pages
from online_rnnlm.tracking.library import mlflow
from online_rnnlm.tracking.saving import save_model

READY = "READY"
_SAVED = "files"
"""A tag of models: the sha256 of the files that were saved, by their paths, as JSON.

MLflow adds files of its own to a model's folder when it loads the model.
"""


class Models:
    """The logged models of the runs of one experiment in MLflow."""

    def __init__(self, target: Target, testing: TestingSettings) -> None:
        self._target = target
        self._testing = testing
        self._alone = Lock()  # because MLflow's saving of models is not thread-safe

    def of(self, run_id: str) -> list[Any]:
        """Return the logged models of a run."""
        condition = f"source_run_id = '{run_id}'"
        return list(self._target.client.search_logged_models([self._target.experiment], condition))

    def were_whole(self, run_id: str, entry: Entry) -> bool:
        """Return True if the run had the model that it should have, and none that is damaged.

        The store is asked once, for the models of all runs.
        """
        whole = [self._is_whole(model) for model in self._at_first.get(run_id, ())]
        return all(whole) and (bool(whole) or not entry.has_model)

    @cached_property
    def _at_first(self) -> dict[str, list[Any]]:
        """All logged models by their runs' ids."""
        found: dict[str, list[Any]] = {}
        ask = partial(self._target.client.search_logged_models, [self._target.experiment])
        for model in on_all_pages(ask):
            found.setdefault(model.source_run_id, []).append(model)
        return found

    def _is_whole(self, model: Any) -> bool:
        """Return True if a model is complete and undamaged; a server's copy is trusted."""
        if str(model.status) != READY:
            return False
        place = self._target.store.folder_of(model.artifact_location)
        if place is None:
            return True
        return _SAVED in model.tags and self._target.copies.have(
            place, json.loads(model.tags[_SAVED])
        )

    def complete(self, run_id: str, entry: Entry) -> None:
        """Delete incomplete and damaged models of a run, then log its model if there is none."""
        kept = False
        for model in self.of(run_id):
            if self._is_whole(model):
                kept = True
            else:
                self.delete(model)
        if entry.has_model and not kept:
            self._log(run_id, entry)

    def _log(self, run_id: str, entry: Entry) -> None:
        client = self._target.client
        made = client.create_logged_model(
            self._target.experiment, name="model", source_run_id=run_id, params=entry.parameters
        )
        with TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            with self._alone:
                save_model(
                    self._target.directory, entry.run, model, self._testing,
                    run_id=run_id, model_id=made.model_id,
                )  # fmt: skip
            saved = json.dumps(digests_in(model), separators=(",", ":"))
            client.set_logged_model_tags(made.model_id, {_SAVED: saved})
            client.log_model_artifacts(made.model_id, str(model))
        output = mlflow().entities.LoggedModelOutput(made.model_id, 0)
        client.log_outputs(run_id, [output])
        client.finalize_logged_model(made.model_id, READY)

    def delete(self, model: Any) -> None:
        """Delete a model, and the registered versions that are made of it."""
        client = self._target.client
        self._target.delete_artifacts(model.artifact_location)
        for version in client.search_model_versions(f"run_id = '{model.source_run_id}'"):
            if version.source == model.artifact_location:
                client.delete_model_version(version.name, version.version)
        client.delete_logged_model(model.model_id)
