"""Entering of an experiment's files into MLflow, possible at any time, even during runs.

MLflow is a view of the files. A store gets what it lacks: an entry is found there by its tag
`identity`, so that no training shows twice, and is left alone while its tag `digest` is right.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

from online_rnnlm.config.loading import load
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Record
from online_rnnlm.tracking.about import RUN_ID, source_tags
from online_rnnlm.tracking.entries import EARLIER, RUNNING, Entry, Metric, entries_of, stamp
from online_rnnlm.tracking.models import log_model, register_best
from online_rnnlm.tracking.stores import (
    Store,
    Target,
    locked,
    mlflow,
    prepare_own_store,
    store_at,
)
from online_rnnlm.tracking.summaries import CLAIM, SUMMARY, summaries
from online_rnnlm.tracking.views import experiment_tags

_VALUES_A_CALL = 800
"""Most metrics in a call; MLflow takes 1000 values at once."""
_log = logging.getLogger(__name__)


class Tracked(Record):
    """The entries of an experiment in MLflow."""

    file: ClassVar = "tracking/tracked.json"

    store: str
    """Address of the store."""
    runs: dict[str, str]
    """MLflow's id of every entry, by its name: a run's name, or `summary of <corpus>` for the
    tables, figures and report of a corpus."""


class ResultsFolder(Record):
    """The identity of an experiment's folder in MLflow, which stays when the folder is moved."""

    file: ClassVar = "tracking/directory.json"

    id: str
    """A random name that the folder's entries in MLflow carry."""


@dataclass
class Entered:
    """The content of a store after an experiment has been entered."""

    entries: list[Entry]
    experiments: dict[str, str] = field(default_factory=dict)
    """Ids of MLflow's experiments, by corpus."""
    runs: dict[str, str] = field(default_factory=dict)
    """Ids of MLflow's runs by the names of the entries."""


def synchronise(directory: ExperimentDirectory, uri: str | None = None) -> Entered:
    """Enter an experiment into the store at `uri`, by default into its own.

    Any number of processes may call this at any time. Raises UserError, in one line, if the store
    cannot be reached or written (the next call completes it) or, after all others have been
    entered, if a run's files are damaged.
    """
    asked = None if uri is None else store_at(directory, uri)
    with locked(directory):
        experiment, folder = load(directory.configuration), _folder_id(directory)
        planned = {run.name for run in experiment.trainings()}
        entries, errors = entries_of(directory, experiment)
        entries += summaries(directory, experiment, entries, folder)
        store = asked or prepare_own_store(directory)

        found = Entered(entries)
        with store.client() as client:
            for corpus in dict.fromkeys(entry.corpus for entry in entries):
                name = f"{directory.path.resolve().name}/{corpus}"
                number = found.experiments[corpus] = _experiment(client, store, name)
                target = Target(client, store, number, directory, folder)
                of_corpus = [entry for entry in entries if entry.corpus == corpus]
                entered = _enter(target, of_corpus, planned, errors)
                register_best(target, name, entered)
                found.runs |= {entry.name: run for entry, run in entered}
        if experiment.tracking.store in (None, uri):  # else it is no output of the rule `track`
            records.write(directory.tracked, Tracked(store=store.uri, runs=found.runs))
    for error in errors:
        raise error
    return found


def watch(directory: ExperimentDirectory, uri: str | None, seconds: float) -> None:
    """Enter the experiment whenever its files have changed, until the parent process ends.

    If the store cannot be reached, log one warning for each reason and keep trying.
    """
    os.nice(19)
    parent, before, said = os.getppid(), None, ""
    while os.getppid() == parent:
        now = stamp(directory)
        if now != before:
            try:
                synchronise(directory, uri)
                before, said = now, ""
            except UserError as error:
                if str(error) != said:
                    _log.warning("%s; runs go on, and are entered when this is mended", error)
                said = str(error)
        time.sleep(seconds)


def _folder_id(directory: ExperimentDirectory) -> str:
    """Return the id that the folder's entries carry; it stays when the folder is moved."""
    known = records.read_if_there(ResultsFolder, directory.folder)
    if known is None:
        known = ResultsFolder(id=uuid4().hex)
        records.write(directory.folder, known)
    return known.id


def _experiment(client: Any, store: Store, name: str) -> str:
    """Return the id of an experiment, which is made or restored if necessary."""
    there = client.get_experiment_by_name(name)
    if there is None:
        place = None if store.artifacts is None else (store.artifacts / name).as_uri()
        return str(client.create_experiment(name, place, experiment_tags(name)))
    if there.lifecycle_stage == "deleted":
        client.restore_experiment(there.experiment_id)
    return str(there.experiment_id)


def _enter(
    target: Target, entries: Sequence[Entry], planned: Collection[str], errors: list[UserError]
) -> list[tuple[Entry, str]]:
    """Enter the runs and the summary of a corpus; returns each with MLflow's id of it.

    What another folder has entered stays as it is, unless it is not complete.
    """
    known, found = _known(target, entries, planned), []
    for entry in entries:
        there = known.get(entry.identity)
        is_right = there is not None and (
            there.data.tags.get("digest") == entry.digest
            or (there.info.status != RUNNING and not target.is_mine(there))
        )
        try:
            run_id = there.info.run_id if there and is_right else _complete(target, entry, there)
            found.append((entry, str(run_id)))
        except UserError as error:
            errors.append(error)
    return found


def _known(target: Target, entries: Sequence[Entry], planned: Collection[str]) -> dict[str, Any]:
    """Return MLflow's runs of these entries, by identity.

    This folder's runs that another training has replaced, or that are not `planned` and have no
    folder any more, are marked as earlier ones.
    """
    identities, names = {entry.identity for entry in entries}, {entry.name for entry in entries}
    known: dict[str, Any] = {}
    for run in target.runs():
        tags = run.data.tags
        if tags.get("identity") in identities:
            known.setdefault(tags["identity"], run)
            continue
        gone = tags.get("run") in names or tags.get("run") not in planned
        is_run = "identity" in tags and tags.get("kind") not in (EARLIER, SUMMARY)
        if is_run and gone and target.is_mine(run):
            target.client.set_tag(run.info.run_id, "kind", EARLIER)
    return known


def _complete(target: Target, entry: Entry, there: Any | None) -> str:
    """Make an entry if it is missing, add all that it lacks, and return MLflow's id of it.

    A value that is logged again is not stored twice.
    """
    client, library = target.client, mlflow().entities
    # The name of the run is in a tag, too, since the interface can rename the entry.
    about = {"run": entry.name, "identity": entry.identity, "directory": target.folder}
    tags = entry.tags | about
    if there is None:
        there = client.create_run(
            target.experiment, start_time=entry.began, tags=tags, run_name=entry.label
        )
    run_id = str(there.info.run_id)
    if entry.datasets:
        inputs = [
            library.DatasetInput(
                library.Dataset(**fields), [library.InputTag("mlflow.data.context", split)]
            )
            for split, fields in entry.datasets.items()
        ]
        client.log_inputs(run_id, inputs)
    model = log_model(target, entry, run_id) if entry.has_model else None
    metrics = [_metric(entry, one, model) for one in (*entry.final, *entry.epochs)]
    for begin in range(0, len(metrics), _VALUES_A_CALL):
        client.log_batch(run_id, metrics=metrics[begin : begin + _VALUES_A_CALL])
    if entry.ended is not None:
        for folder, path in entry.files:
            client.log_artifact(run_id, str(path), folder or None)
        client.set_terminated(run_id, entry.status, end_time=entry.ended)
    for key in there.data.tags.keys() - tags.keys():
        if key == "failure" or key.startswith(CLAIM):
            client.delete_tag(run_id, key)
    # The digest comes last, since an entry without it counts as incomplete.
    note = entry.description.replace(RUN_ID, run_id)
    tags |= {
        "mlflow.note.content": note,
        **source_tags(entry.tags.get("code_digest", "")),
        "digest": entry.digest,
    }
    said = [library.RunTag(*one) for one in tags.items()]
    parameters = [library.Param(*one) for one in entry.parameters.items()]
    client.log_batch(run_id, params=parameters, tags=said)
    return run_id


def _metric(entry: Entry, metric: Metric, model: str | None) -> Any:
    """Return MLflow's metric, rounded for people and tied to its data set and the model.

    The metrics of a split, such as `epoch/valid_perplexity`, belong to its data set.
    """
    key, value, when, step = metric
    split = key.rpartition("/")[2].partition("_")[0]
    dataset = entry.datasets.get(split, {})
    return mlflow().entities.Metric(
        *(key, round(value, 2), when, step),
        model_id=model if dataset and "/" not in key else None,
        dataset_name=dataset.get("name"),
        dataset_digest=dataset.get("digest"),
    )
