"""Enter an experiment's files into MLflow: as often as one likes, while it runs, too.

A run's entry is found by its identity, so that the same training never shows twice. What is there
and right stays; what is missing is added; what does not fit the files, such as what is left of an
older training under the same name, is replaced.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import shutil
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, read_json, write_json
from online_rnnlm.settings import TestingSettings
from online_rnnlm.tracking import entries, served
from online_rnnlm.tracking.entries import Entry, Metric
from online_rnnlm.tracking.library import mlflow, retrying
from online_rnnlm.tracking.stores import Store, locked, prepare, store_for

BEST = "best"
"""The alias of the model that is best on `valid`."""
VIEW = "best"
"""The key of the view that the interface opens with."""
READY = "READY"
# MLflow takes no more at once. Epochs are entered whole, so that it is known which are there.
_METRICS_A_CALL, _PARAMETERS_A_CALL, _EPOCHS_A_CALL = 1000, 100, 50
_SECONDS = "epoch/seconds"
Item = TypeVar("Item")
_log = logging.getLogger(__name__)


@dataclass
class Synchronised:
    """What a store has now: MLflow's ids."""

    experiments: dict[str, str] = field(default_factory=dict)
    """By corpus."""
    runs: dict[str, str] = field(default_factory=dict)
    """By the names of runs; the summary of a corpus is `summary of CORPUS`."""
    unfinished: list[str] = field(default_factory=list)


def synchronise(directory: ExperimentDirectory, uri: str | None = None) -> Synchronised:
    """Make a store say what the files say; `uri` as `store_for` takes it.

    Safe at any time, from any number of processes. Raises UserError, in one line that names the
    store, if it cannot be reached or written; then it is completed by the next call that can.
    """
    store = store_for(directory, uri)
    with locked(directory):
        retrying(lambda: prepare(store))
        return _Synchronisation(directory, store).run()


def watch(directory: ExperimentDirectory, uri: str | None, seconds: float) -> None:
    """Synchronise whenever files have changed, until the parent process ends.

    A store that is away is warned of once, and waited for.
    """
    os.nice(19)
    parent, before, away = os.getppid(), None, False
    while os.getppid() == parent != 1:
        now = _state(directory)
        if now != before:
            try:
                synchronise(directory, uri)
            except UserError as error:
                if not away:
                    _log.warning("%s; runs go on, and are entered when it is back", error)
                away = True
            else:
                if away:
                    _log.warning("MLflow is back: all is entered")
                before, away = now, False
        time.sleep(seconds)


def _state(directory: ExperimentDirectory) -> list[tuple[str, int, int]]:
    """What tells whether anything has changed."""
    found = []
    for pattern in ("runs/*/*.json*", "evaluations/*/*.json", "report.html"):
        for path in directory.path.glob(pattern):
            try:
                about = path.stat()
            except FileNotFoundError:  # replaced just now
                continue
            found.append((str(path), about.st_mtime_ns, about.st_size))
    return sorted(found)


@dataclass(frozen=True)
class _Known:
    """An entry that a store has."""

    id: str
    tags: dict[str, str]
    metrics: dict[str, float]
    began: int
    described: bool
    """Whether it has its data set, which is said after its parameters."""


class _Synchronisation:
    """One pass over an experiment's files."""

    def __init__(self, directory: ExperimentDirectory, store: Store) -> None:
        self._directory = directory
        self._store = store
        self._owner = _owner(directory)
        self._testing = _testing(directory)
        self._found = Synchronised()

    def run(self) -> Synchronised:
        by_corpus: dict[str, list[Entry]] = {}
        for name in entries.run_names(self._directory):
            entry = entries.run_entry(self._directory, name)
            by_corpus.setdefault(entry.tags["corpus"], []).append(entry)
        with self._store.client() as client:
            for corpus, found in by_corpus.items():
                self._corpus(client, corpus, found)
        path = self._directory.tracked
        write_json(path, {"store": self._store.shown, "runs": self._found.runs})
        return self._found

    def _corpus(self, client: Any, corpus: str, found: Sequence[Entry]) -> None:
        name = f"{self._directory.path.resolve().name}/{corpus}"
        experiment = retrying(lambda: self._experiment(client, name, corpus))
        self._found.experiments[corpus] = experiment
        known = retrying(lambda: _known(client, experiment))
        for entry in found:
            enter = partial(self._enter, client, experiment, entry, known)
            self._found.runs[entry.run] = retrying(enter)
            if entry.digest is None:
                self._found.unfinished.append(entry.run)
        identity = f"{entries.SUMMARY} of {self._owner}"
        summary = entries.summary_entry(self._directory, identity)
        if summary is not None:
            self._found.runs[f"{entries.SUMMARY} of {corpus}"] = retrying(
                lambda: self._enter(client, experiment, summary, known)
            )
            retrying(lambda: self._register_best(client, experiment, name, found))

    def _experiment(self, client: Any, name: str, corpus: str) -> str:
        """The id of an experiment: made if it is missing, brought back if it was deleted."""
        there = client.get_experiment_by_name(name)
        if there is not None:
            if there.lifecycle_stage == "deleted":
                client.restore_experiment(there.experiment_id)
            return str(there.experiment_id)
        described = entries.DESCRIPTION.format(
            experiment=self._directory.path.resolve().name, corpus=corpus
        )
        tags = {
            # Model training, not language agents: MLflow's interface has two faces.
            "mlflow.experimentKind": "custom_model_development",
            "mlflow.note.content": described,
            f"mlflow.sharedViewState.{VIEW}": _shared(entries.BEST_FIRST),
        }
        try:
            location = self._store.artifact_location(name)
            return str(client.create_experiment(name, artifact_location=location, tags=tags))
        except mlflow().exceptions.MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return str(client.get_experiment_by_name(name).experiment_id)  # made by another

    def _enter(self, client: Any, experiment: str, entry: Entry, known: list[_Known]) -> str:
        """Make an entry say what the files say; returns MLflow's id of it."""
        same = [one for one in known if one.tags.get("identity") == entry.identity]
        of_name = [one for one in known if self._is_mine(one) and one.tags["run"] == entry.run]
        settled = next((one for one in same if self._is_up_to_date(one, entry)), None)
        keep = settled or next((one for one in same if _can_be_completed(client, one, entry)), None)
        for one in same + [one for one in of_name if one not in same]:
            if one is not keep:
                self._delete(client, experiment, one)
                known.remove(one)
        if settled is not None:
            return settled.id
        if keep is None:
            keep = self._begin(client, experiment, entry)
            known.append(keep)  # an attempt after this one goes on with it
        self._complete(client, experiment, entry, keep)
        return keep.id

    def _is_mine(self, one: _Known) -> bool:
        """Others' runs may have the same names on a shared server."""
        return one.tags.get("directory") == self._owner

    def _is_up_to_date(self, one: _Known, entry: Entry) -> bool:
        """Whether there is nothing to do.

        What is complete stays while it is tested anew, and so does what another results folder
        has entered: it is the same training.
        """
        digest = one.tags.get("digest")
        if entry.digest is None or not self._is_mine(one):
            return digest is not None
        return digest == entry.digest

    def _delete(self, client: Any, experiment: str, one: _Known) -> None:
        if self._store.own and self._store.artifacts is not None:
            place = client.get_run(one.id).info.artifact_uri.removeprefix("file://")
            shutil.rmtree(Path(place).parent, ignore_errors=True)
        for model in _models(client, experiment, one.id):
            self._delete_model(client, model)
        for version in client.search_model_versions(f"run_id = '{one.id}'"):
            client.delete_model_version(version.name, version.version)
        client.delete_run(one.id)

    def _complete(self, client: Any, experiment: str, entry: Entry, there: _Known) -> None:
        run_id = there.id
        if not there.described:
            self._describe(client, run_id, entry)
        entered = len(_epoch_seconds(client, there))
        for part in _parts(entry.epochs[entered:], _EPOCHS_A_CALL):
            _log_metrics(client, run_id, [metric for epoch in part for metric in epoch])
        has = there.metrics
        _log_metrics(client, run_id, [metric for metric in entry.final if metric[0] not in has])
        if entry.digest is not None:
            self._log_files(client, run_id, entry)
            if entry.has_model:
                self._log_model(client, experiment, run_id, entry)
            client.set_terminated(run_id, end_time=entry.ended)
            if "updates" in entry.tags:  # not known before
                client.set_tag(run_id, "updates", entry.tags["updates"])
            # Last: an entry without it was cut off.
            client.set_tag(run_id, "digest", entry.digest)

    def _begin(self, client: Any, experiment: str, entry: Entry) -> _Known:
        # A run can be renamed in the interface, so that its tag says which one it is.
        tags = entry.tags | {
            "run": entry.run,
            "identity": entry.identity,
            "directory": self._owner,
        }
        run = client.create_run(experiment, start_time=entry.began, tags=tags, run_name=entry.label)
        return _Known(str(run.info.run_id), tags, {}, entry.began, described=False)

    def _describe(self, client: Any, run_id: str, entry: Entry) -> None:
        """What a run's settings are and, last, what it is trained on."""
        library = mlflow().entities
        parameters = [library.Param(key, value) for key, value in entry.parameters.items()]
        for part in _parts(parameters, _PARAMETERS_A_CALL):
            client.log_batch(run_id, params=part)
        if "corpus" in entry.tags:
            corpus = entries.dataset(self._directory, entry.tags["corpus"])
            tag = library.InputTag("mlflow.data.context", "training")
            dataset = library.DatasetInput(library.Dataset(**corpus), [tag])
            client.log_inputs(run_id, [dataset])

    def _log_files(self, client: Any, run_id: str, entry: Entry) -> None:
        for folder, files in entry.files.items():
            for path in files:
                client.log_artifact(run_id, str(path), folder or None)

    def _log_model(self, client: Any, experiment: str, run_id: str, entry: Entry) -> None:
        """The trained model, once; what a killed process has left of it is removed."""
        for one in _models(client, experiment, run_id):
            if str(one.status) == READY:
                return
            self._delete_model(client, one)
        made = client.create_logged_model(
            experiment, name="model", source_run_id=run_id, params=entry.parameters
        )
        with TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            served.save_model(
                self._directory, entry.run, model, self._testing,
                run_id=run_id, model_id=made.model_id,
            )  # fmt: skip
            client.log_model_artifacts(made.model_id, str(model))
        output = mlflow().entities.LoggedModelOutput(made.model_id, 0)
        client.log_outputs(run_id, [output])
        client.finalize_logged_model(made.model_id, READY)

    def _delete_model(self, client: Any, model: Any) -> None:
        if self._store.own:
            place = Path(model.artifact_location.removeprefix("file://"))
            shutil.rmtree(place.parent, ignore_errors=True)
        client.delete_logged_model(model.model_id)

    def _register_best(
        self, client: Any, experiment: str, name: str, found: Sequence[Entry]
    ) -> None:
        """Register the model that is best on `valid` under the experiment's name."""
        perplexities = {
            entry.run: value
            for entry in found
            if entry.has_model
            for key, value, _, _ in entry.final
            if key == "valid_perplexity"
        }
        if not perplexities:
            return
        run_id = self._found.runs[min(perplexities, key=perplexities.__getitem__)]
        model = name.replace("/", "-")
        if not client.search_registered_models(f"name = '{model}'"):
            client.create_registered_model(model)
        versions = client.search_model_versions(f"name = '{model}'")
        version = next((one for one in versions if one.run_id == run_id), None)
        if version is None:
            [logged] = _models(client, experiment, run_id)
            version = client.create_model_version(
                model,
                source=logged.artifact_location,
                run_id=run_id,
                model_id=logged.model_id,
                await_creation_for=0,
            )
        if BEST not in version.aliases:
            client.set_registered_model_alias(model, BEST, version.version)


def _models(client: Any, experiment: str, run_id: str) -> list[Any]:
    """The models that belong to a run."""
    return list(client.search_logged_models([experiment], f"source_run_id = '{run_id}'"))


def _owner(directory: ExperimentDirectory) -> str:
    """A name for this results folder that it keeps wherever it is moved."""
    path = directory.path / "tracking" / "directory.json"
    if not path.is_file():
        write_json(path, {"id": uuid4().hex})
    return str(read_json(path)["id"])


def _shared(view: dict[str, Any]) -> str:
    """A view as MLflow's interface keeps those that are shared."""
    packed = zlib.compress(json.dumps(view).encode())
    return f"deflate;{base64.b64encode(packed).decode()}"


def _testing(directory: ExperimentDirectory) -> TestingSettings:
    """How the experiment tests."""
    if not directory.configuration.is_file():
        return TestingSettings()
    return TestingSettings.model_validate(read_json(directory.configuration)["testing"])


def _known(client: Any, experiment: str) -> list[_Known]:
    """All entries of an experiment, the oldest first."""
    found, token = [], None
    while True:
        page = client.search_runs(
            [experiment], order_by=["attributes.start_time"], page_token=token, max_results=1000
        )
        found += [
            _Known(
                run.info.run_id,
                run.data.tags,
                run.data.metrics,
                run.info.start_time,
                bool(run.inputs.dataset_inputs),
            )
            for run in page
        ]
        token = page.token
        if not token:
            return found


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Item by item, at most so many at once."""
    return (items[first : first + size] for first in range(0, len(items), size))


def _log_metrics(client: Any, run_id: str, metrics: list[Metric]) -> None:
    metric = mlflow().entities.Metric
    for part in _parts(metrics, _METRICS_A_CALL):
        client.log_batch(run_id, metrics=[metric(*one) for one in part])


def _can_be_completed(client: Any, one: _Known, entry: Entry) -> bool:
    """Whether all that the store says of a run is right, and only more has to be said."""
    if entry.run == entries.SUMMARY or one.began != entry.began:
        return False
    final = {key: value for key, value, _, _ in entry.final}
    said = {key: value for key, value in one.metrics.items() if not key.startswith("epoch/")}
    if any(final.get(key) != value for key, value in said.items()):
        return False
    epochs = _epoch_seconds(client, one)
    ours = [value for epoch in entry.epochs for key, value, _, _ in epoch if key == _SECONDS]
    return ours[: len(epochs)] == epochs


def _epoch_seconds(client: Any, one: _Known) -> list[float]:
    """How long each epoch took that the store has: no two trainings have the same."""
    if _SECONDS not in one.metrics:
        return []
    history = sorted(client.get_metric_history(one.id, _SECONDS), key=lambda metric: metric.step)
    return [metric.value for metric in history]
