"""Creation, completion and replacement of the entries of one experiment in MLflow.

A run's entry is found by the run's identity, so that no training shows twice. A correct entry
stays, an incomplete one is completed, and one that does not agree with the files, such as the entry
of an older training under the same name, is replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from online_rnnlm.errors import UserError
from online_rnnlm.storage.records import RunRecord
from online_rnnlm.tracking import entries
from online_rnnlm.tracking.entries import FAILED, FINISHED, Entry, Metric
from online_rnnlm.tracking.known import Known, Target, known_entries, known_entry
from online_rnnlm.tracking.library import mlflow, retrying
from online_rnnlm.tracking.models import Models
from online_rnnlm.tracking.reading import refuse_missing

_METRICS_A_CALL = 900
"""Most metrics in a call: MLflow takes 1000 values at once, and the rest is for parameters."""
_AT_ONCE = 4
"""Number of entries sent to a server in parallel, so that it does not wait for their making."""
_SECONDS = "epoch/seconds"
_log = logging.getLogger(__name__)


class Ledger:
    """The entries of one experiment in MLflow."""

    def __init__(self, target: Target, owner: str, models: Models) -> None:
        self._target = target
        self._owner = owner
        self._models = models
        self._alone = Lock()  # because MLflow's logging of data sets is not thread-safe

    def enter(self, found: Sequence[Entry], asked: Collection[str]) -> list[str]:
        """Update the store to agree with the given entries; returns their ids in MLflow.

        `asked` has the names of the configuration's runs; the entries of others are marked. Raises
        the first UserError about a run's files, after all other runs have been entered.
        """
        known = retrying(lambda: known_entries(self._target.client, self._target.experiment))
        self._mark_left([one for one in known if one.tags.get("run") not in asked])
        identities = {entry.identity for entry in found}
        pairs = [
            (entry, [one for one in known if self._is_of(one, entry, identities)])
            for entry in found
        ]
        with ThreadPoolExecutor(1 if self._target.store.artifacts else _AT_ONCE) as pool:
            found_ids = list(pool.map(lambda pair: self._entered(*pair), pairs))
        for one in found_ids:
            if isinstance(one, UserError):
                raise one
        return [one for one in found_ids if isinstance(one, str)]

    def _entered(self, entry: Entry, known: list[Known]) -> str | UserError:
        """Enter a run; returns its id, or the error if its files are damaged."""
        try:
            return retrying(lambda: self._enter(entry, known))
        except UserError as error:
            return error

    def remove(self, identity: str) -> None:
        """Delete the entries of this results folder that have an identity."""
        for one in retrying(lambda: known_entries(self._target.client, self._target.experiment)):
            if one.tags.get("identity") == identity and self._is_mine(one):
                self._delete(one)

    def _is_of(self, one: Known, entry: Entry, identities: Collection[str]) -> bool:
        """Return True if `one` is the run's entry.

        That includes an older training under its name that this results folder has entered.
        """
        identity = one.tags.get("identity")
        older = self._is_mine(one) and identity not in identities
        return identity == entry.identity or (older and one.tags["run"] == entry.run)

    def _is_mine(self, one: Known) -> bool:
        """Return True if this results folder made the entry; a server may hold equal names.

        In the folder's own store it made all of them, under whatever id it had then; runs that a
        user has logged there by hand name no folder.
        """
        maker = one.tags.get("directory")
        return maker is not None and (self._target.store.own or maker == self._owner)

    def _enter(self, entry: Entry, known: list[Known]) -> str:
        """Keep one of the entries of a run, complete it, and delete the others; returns its id."""
        same = [one for one in known if one.tags.get("identity") == entry.identity]
        settled = next((one for one in same if self._is_settled(one, entry)), None)
        keep = settled or next((one for one in same if self._can_be_completed(one, entry)), None)
        for one in [one for one in known if one is not keep]:
            self._delete(one)
            known.remove(one)
        if settled is not None:
            self._mark(settled, entry.tags["kind"])
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
        same = one.tags.get("digest") == entry.digest and one.status == entry.status
        return same and self._says(one, entry) and self._is_whole(one, entry)

    def _says(self, one: Known, entry: Entry) -> bool:
        """Return True if nobody has changed the run's settings, tags or final metrics there.

        Its kind is not among them, as it changes with the configuration (`_mark`).
        """
        tags = {key: value for key, value in self._tags(entry).items() if key != "kind"}
        final = {key: value for key, value, _, _ in entry.final}
        agree = tags.items() <= one.tags.items() and final.items() <= one.metrics.items()
        return agree and one.parameters == entry.parameters

    def _is_whole(self, one: Known, entry: Entry) -> bool:
        """Return True if the copies of a run's files and of its model are there and undamaged.

        This is known only of a store whose artifacts are in a folder; those of a server are
        trusted.
        """
        place = self._target.store.folder_of(one.artifacts)
        if place is None:
            return True
        if self._target.copies.equal(place, entry.files) and self._models.were_whole(one.id, entry):
            return True
        _log.warning("%s: its copy in MLflow is missing or damaged: entered again", entry.run)
        return False

    def _mark_left(self, left: Iterable[Known]) -> None:
        """Mark entries of runs that have left the configuration, even if their files are gone."""
        for one in left:
            if one.tags.get("kind") != entries.SUMMARY:
                self._mark(one, entries.EARLIER)

    def _mark(self, one: Known, kind: str) -> None:
        """Change the kind of an entry of this results folder."""
        if self._is_mine(one) and one.tags.get("kind") != kind:
            retrying(lambda: self._target.client.set_tag(one.id, "kind", kind))

    def _can_be_completed(self, one: Known, entry: Entry) -> bool:
        """Return True if everything in the store is right, and only more has to be added."""
        if entry.run == entries.SUMMARY or one.began != entry.began:
            return False
        if one.status == FAILED != entry.status:
            return False
        if not one.parameters.items() <= entry.parameters.items():
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
        history = self._target.client.get_metric_history(one.id, _SECONDS)
        return [metric.value for metric in sorted(history, key=lambda metric: metric.step)]

    def _delete(self, one: Known) -> None:
        client = self._target.client
        self._target.delete_artifacts(one.artifacts)
        for model in self._models.of(one.id):
            self._models.delete(model)
        for version in client.search_model_versions(f"run_id = '{one.id}'"):
            client.delete_model_version(version.name, version.version)
        client.delete_run(one.id)

    def _begin(self, entry: Entry) -> Known:
        return known_entry(
            self._target.client.create_run(
                self._target.experiment,
                start_time=entry.began,
                tags=self._tags(entry),
                run_name=entry.label,
            )
        )

    def _complete(self, entry: Entry, there: Known) -> None:
        client, run_id = self._target.client, there.id
        self._log_values(entry, there)
        if not there.described and entry.record is not None:
            self._log_dataset(run_id, entry.record)
        if entry.digest is None:
            return
        self._log_files(run_id, entry)
        self._models.complete(run_id, entry)
        client.set_terminated(run_id, entry.status, end_time=entry.ended)
        # The digest is logged last, since an entry without it counts as incomplete. Tags that were
        # not known before are logged with it.
        tags = self._tags(entry) | {"digest": entry.digest}
        changed = [one for one in tags.items() if there.tags.get(one[0]) != one[1]]
        client.log_batch(run_id, tags=[mlflow().entities.RunTag(*one) for one in changed])

    def _tags(self, entry: Entry) -> dict[str, str]:
        """Return an entry's tags, with the name of its run: the interface can rename the entry."""
        about = {"run": entry.run, "identity": entry.identity, "directory": self._owner}
        return entry.tags | about

    def _log_values(self, entry: Entry, there: Known) -> None:
        """Log the parameters and metrics that are not in the store yet, in few calls."""
        library = mlflow().entities
        parameters = [
            library.Param(key, value)
            for key, value in entry.parameters.items()
            if key not in there.parameters
        ]
        epochs = entry.epochs[len(self._epoch_seconds(there)) :]
        final = [metric for metric in entry.final if metric[0] not in there.metrics]
        for call in _calls([*epochs, final]):
            metrics = [library.Metric(*one) for one in call]
            if metrics or parameters:
                self._target.client.log_batch(there.id, metrics=metrics, params=parameters)
            parameters = []

    def _log_dataset(self, run_id: str, record: RunRecord) -> None:
        """Log the corpus that a run is trained on, after its parameters."""
        library = mlflow().entities
        tag = library.InputTag("mlflow.data.context", "training")
        dataset = library.Dataset(**entries.dataset(self._target.directory, record))
        with self._alone:
            self._target.client.log_inputs(run_id, [library.DatasetInput(dataset, [tag])])

    def _log_files(self, run_id: str, entry: Entry) -> None:
        for folder, files in entry.files.items():
            for path in files:
                try:
                    self._target.client.log_artifact(run_id, str(path), folder or None)
                except Exception:
                    refuse_missing(path)  # It is no fault of MLflow's.
                    raise


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
