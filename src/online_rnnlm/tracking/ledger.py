"""Creation, completion and replacement of the entries of one experiment in MLflow.

A run's entry is found by the run's identity, so that no training shows twice. A correct entry
stays, an incomplete one is completed, and one that does not agree with the files, such as the entry
of an older training under the same name, is replaced.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from uuid import uuid4

from online_rnnlm.config.loading import load
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import ResultsFolder
from online_rnnlm.tracking import entries
from online_rnnlm.tracking.entries import FAILED, FINISHED, Entry, Metric
from online_rnnlm.tracking.library import mlflow, retrying
from online_rnnlm.tracking.saving import save_model
from online_rnnlm.tracking.stores import Store

READY = "READY"
_METRICS_A_CALL = 900
"""Most metrics in a call: MLflow takes 1000 values at once, and the rest is for parameters."""
_AT_ONCE = 4
"""Number of entries sent to a server in parallel, so that it does not wait for their making."""
_SECONDS = "epoch/seconds"


@dataclass(frozen=True)
class Known:
    """An entry in a store."""

    id: str
    tags: dict[str, str]
    metrics: dict[str, float]
    began: int
    status: str
    described: bool
    """True if its data set is logged, and thus its parameters, which are logged before."""

    @property
    def finished(self) -> bool:
        """True if it is complete and its run has finished."""
        return "digest" in self.tags and self.status == FINISHED


class Ledger:
    """The entries of one experiment in MLflow."""

    def __init__(
        self, client: Any, store: Store, directory: ExperimentDirectory, experiment: str
    ) -> None:
        self._client = client
        self._store = store
        self._directory = directory
        self._experiment = experiment
        self.owner = _owner(directory)
        self._testing = _testing(directory)
        self._alone = Lock()  # for the calls to MLflow that are not thread-safe

    def enter(self, found: Sequence[Entry]) -> list[str]:
        """Update the store to agree with the given entries; returns their ids in MLflow."""
        known = retrying(self._known)
        identities = {entry.identity for entry in found}
        pairs = [
            (entry, [one for one in known if self._is_of(one, entry, identities)])
            for entry in found
        ]
        with ThreadPoolExecutor(1 if self._store.artifacts else _AT_ONCE) as pool:
            return list(pool.map(lambda pair: retrying(lambda: self._enter(*pair)), pairs))

    def models(self, run_id: str) -> list[Any]:
        """Return the logged models of a run."""
        condition = f"source_run_id = '{run_id}'"
        return list(self._client.search_logged_models([self._experiment], condition))

    def _known(self) -> list[Known]:
        """Return all entries in the store, the oldest first."""
        found, token = [], None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                order_by=["attributes.start_time"],
                page_token=token,
                max_results=1000,
            )
            found += [_known(run) for run in page]
            token = page.token
            if not token:
                return found

    def _is_of(self, one: Known, entry: Entry, identities: Collection[str]) -> bool:
        """Return True if `one` is the run's entry.

        That includes an older training under its name that this results folder has entered.
        """
        identity = one.tags.get("identity")
        older = self._is_mine(one) and identity not in identities
        return identity == entry.identity or (older and one.tags["run"] == entry.run)

    def _is_mine(self, one: Known) -> bool:
        """Return True if this results folder made the entry; a server may hold equal names."""
        return one.tags.get("directory") == self.owner

    def _enter(self, entry: Entry, known: list[Known]) -> str:
        """Keep one of the entries of a run, complete it, and delete the others; returns its id."""
        same = [one for one in known if one.tags.get("identity") == entry.identity]
        settled = next((one for one in same if self._is_settled(one, entry)), None)
        keep = settled or next((one for one in same if self._can_be_completed(one, entry)), None)
        for one in [one for one in known if one is not keep]:
            self._delete(one)
            known.remove(one)
        if settled is not None:
            return settled.id
        if keep is None:
            keep = self._begin(entry)
            known.append(keep)  # The next attempt continues with this entry.
        self._complete(entry, keep)
        return keep.id

    def _is_settled(self, one: Known, entry: Entry) -> bool:
        """Return True if nothing has to be done.

        A finished entry stays while its run is tested again. An entry of another results folder is
        of the same training: it stays if it is finished, or if neither is finished and it began
        later than this one.
        """
        if not self._is_mine(one):
            return one.finished or (entry.status != FINISHED and one.began > entry.began)
        if entry.digest is None:
            return one.finished
        return one.tags.get("digest") == entry.digest

    def _can_be_completed(self, one: Known, entry: Entry) -> bool:
        """Return True if everything in the store is right, and only more has to be added."""
        if entry.run == entries.SUMMARY or one.began != entry.began:
            return False
        if one.status == FAILED != entry.status:
            return False
        final = {key: value for key, value, _, _ in entry.final}
        said = {key: value for key, value in one.metrics.items() if not entries.is_of_epoch(key)}
        if any(final.get(key) != value for key, value in said.items()):
            return False
        epochs = self._epoch_seconds(one)
        ours = [value for epoch in entry.epochs for key, value, _, _ in epoch if key == _SECONDS]
        return ours[: len(epochs)] == epochs

    def _epoch_seconds(self, one: Known) -> list[float]:
        """Return the seconds of each epoch in the store; they differ between any two trainings."""
        if _SECONDS not in one.metrics:
            return []
        history = self._client.get_metric_history(one.id, _SECONDS)
        return [metric.value for metric in sorted(history, key=lambda metric: metric.step)]

    def _delete(self, one: Known) -> None:
        client = self._client
        if self._store.own and self._store.artifacts is not None:
            place = client.get_run(one.id).info.artifact_uri.removeprefix("file://")
            shutil.rmtree(Path(place).parent, ignore_errors=True)
        for model in self.models(one.id):
            self._delete_model(model)
        for version in client.search_model_versions(f"run_id = '{one.id}'"):
            client.delete_model_version(version.name, version.version)
        client.delete_run(one.id)

    def _begin(self, entry: Entry) -> Known:
        tags = self._tags(entry)
        run = self._client.create_run(
            self._experiment, start_time=entry.began, tags=tags, run_name=entry.label
        )
        return Known(run.info.run_id, tags, {}, entry.began, run.info.status, described=False)

    def _complete(self, entry: Entry, there: Known) -> None:
        client, run_id = self._client, there.id
        self._log_values(entry, there)
        if not there.described and "corpus" in entry.tags:
            self._log_dataset(run_id, entry.tags["corpus"])
        if entry.digest is None:
            return
        self._log_files(run_id, entry)
        if entry.has_model:
            self._log_model(run_id, entry)
        client.set_terminated(run_id, entry.status, end_time=entry.ended)
        # The digest is logged last, since an entry without it counts as incomplete. Tags that were
        # not known before are logged with it.
        tags = self._tags(entry) | {"digest": entry.digest}
        changed = [one for one in tags.items() if there.tags.get(one[0]) != one[1]]
        client.log_batch(run_id, tags=[mlflow().entities.RunTag(*one) for one in changed])

    def _tags(self, entry: Entry) -> dict[str, str]:
        """Return an entry's tags, with the name of its run: the interface can rename the entry."""
        about = {"run": entry.run, "identity": entry.identity, "directory": self.owner}
        return entry.tags | about

    def _log_values(self, entry: Entry, there: Known) -> None:
        """Log the parameters and metrics that are not in the store yet, in few calls."""
        library = mlflow().entities
        settings = {} if there.described else entry.parameters
        parameters = [library.Param(key, value) for key, value in settings.items()]
        epochs = entry.epochs[len(self._epoch_seconds(there)) :]
        final = [metric for metric in entry.final if metric[0] not in there.metrics]
        for call in _calls([*epochs, final]):
            metrics = [library.Metric(*one) for one in call]
            if metrics or parameters:
                self._client.log_batch(there.id, metrics=metrics, params=parameters)
            parameters = []

    def _log_dataset(self, run_id: str, name: str) -> None:
        """Log the corpus that a run is trained on, after its parameters."""
        library = mlflow().entities
        tag = library.InputTag("mlflow.data.context", "training")
        dataset = library.Dataset(**entries.dataset(self._directory, name))
        with self._alone:
            self._client.log_inputs(run_id, [library.DatasetInput(dataset, [tag])])

    def _log_files(self, run_id: str, entry: Entry) -> None:
        for folder, files in entry.files.items():
            for path in files:
                self._client.log_artifact(run_id, str(path), folder or None)

    def _log_model(self, run_id: str, entry: Entry) -> None:
        """Log the trained model if it is missing; delete incomplete models of killed processes."""
        client = self._client
        for one in self.models(run_id):
            if str(one.status) == READY:
                return
            self._delete_model(one)
        made = client.create_logged_model(
            self._experiment, name="model", source_run_id=run_id, params=entry.parameters
        )
        with TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            with self._alone:
                save_model(
                    self._directory, entry.run, model, self._testing,
                    run_id=run_id, model_id=made.model_id,
                )  # fmt: skip
            client.log_model_artifacts(made.model_id, str(model))
        output = mlflow().entities.LoggedModelOutput(made.model_id, 0)
        client.log_outputs(run_id, [output])
        client.finalize_logged_model(made.model_id, READY)

    def _delete_model(self, model: Any) -> None:
        if self._store.own:
            place = Path(model.artifact_location.removeprefix("file://"))
            shutil.rmtree(place.parent, ignore_errors=True)
        self._client.delete_logged_model(model.model_id)


def _known(run: Any) -> Known:
    return Known(
        id=run.info.run_id,
        tags=run.data.tags,
        metrics=run.data.metrics,
        began=run.info.start_time,
        status=run.info.status,
        described=bool(run.inputs.dataset_inputs),
    )


def _owner(directory: ExperimentDirectory) -> str:
    """Return the id of this results folder, which it keeps when it is moved."""
    path = directory.path / "tracking" / "directory.json"
    if not path.is_file():
        records.write(path, ResultsFolder(id=uuid4().hex))
    return records.read(ResultsFolder, path).id


def _testing(directory: ExperimentDirectory) -> TestingSettings:
    """Read the experiment's settings of testing; the defaults if it has no configuration."""
    if not directory.configuration.is_file():
        return TestingSettings()
    return load(directory.configuration).testing


def _calls(groups: Iterable[list[Metric]]) -> Iterator[list[Metric]]:
    """Join groups of metrics into lists that are small enough for one call of MLflow.

    No group is divided, so that the store has all metrics of an epoch or none.
    """
    call: list[Metric] = []
    for group in groups:
        if len(call) + len(group) > _METRICS_A_CALL:
            yield call
            call = []
        call += group
    yield call
