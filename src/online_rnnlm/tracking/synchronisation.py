"""Synchronisation of an experiment's files with MLflow, possible at any time, even during runs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Tracked
from online_rnnlm.tracking import entries, views
from online_rnnlm.tracking.entries import Entry, Reader
from online_rnnlm.tracking.ledger import Ledger
from online_rnnlm.tracking.library import mlflow, retrying
from online_rnnlm.tracking.stores import Store, locked, prepare, store_for

BEST = "best"
"""The alias of the model that is best on `valid`."""
_log = logging.getLogger(__name__)


@dataclass
class Synchronised:
    """The MLflow ids of the experiments and runs that a store holds."""

    experiments: dict[str, str] = field(default_factory=dict)
    """Ids of MLflow experiments, by corpus."""
    runs: dict[str, str] = field(default_factory=dict)
    """Ids of MLflow runs, by the run's name; `summary of CORPUS` is the summary of a corpus."""
    unfinished: list[str] = field(default_factory=list)
    """Names of the runs whose entries are not complete."""


def synchronise(
    directory: ExperimentDirectory, uri: str | None = None, reader: Reader | None = None
) -> Synchronised:
    """Update a store so that it agrees with the files; `uri` is the same as in `store_for`.

    Any number of processes may call this at any time. Raises UserError, in one line that names the
    store, if the store cannot be reached or written; the next successful call completes it. Callers
    that call often pass the same `reader`, which reads only what has changed.
    """
    store = store_for(directory, uri)
    with locked(directory):
        retrying(lambda: prepare(store))
        return _Synchronisation(directory, store, reader or Reader(directory)).run()


def watch(directory: ExperimentDirectory, uri: str | None, seconds: float) -> None:
    """Synchronise whenever files have changed, until the parent process ends.

    If the store cannot be reached, log one warning and keep trying.
    """
    os.nice(19)
    reader = Reader(directory)
    parent, before, away = os.getppid(), None, False
    while os.getppid() == parent != 1:
        now = reader.state()
        if now != before:
            try:
                synchronise(directory, uri, reader)
            except UserError as error:
                if not away:
                    _log.warning("%s; runs go on, and are entered when it is back", error)
                away = True
            else:
                if away:
                    _log.warning("MLflow is back: all is entered")
                before, away = now, False
        time.sleep(seconds)


class _Synchronisation:
    """A single synchronisation of an experiment's files with a store."""

    def __init__(self, directory: ExperimentDirectory, store: Store, reader: Reader) -> None:
        self._directory = directory
        self._store = store
        self._reader = reader
        self._found = Synchronised()

    def run(self) -> Synchronised:
        by_corpus: dict[str, list[Entry]] = {}
        for entry in self._reader.entries():
            by_corpus.setdefault(entry.tags["corpus"], []).append(entry)
        with self._store.client() as client:
            for corpus, found in by_corpus.items():
                self._corpus(client, corpus, found)
        tracked = Tracked(store=self._store.uri, runs=self._found.runs)
        records.write(self._directory.tracked, tracked)
        return self._found

    def _corpus(self, client: Any, corpus: str, found: Sequence[Entry]) -> None:
        name = f"{self._directory.path.resolve().name}/{corpus}"
        experiment = retrying(lambda: self._experiment(client, name, corpus))
        ledger = Ledger(client, self._store, self._directory, experiment)
        summary = entries.summary_entry(self._directory, f"{entries.SUMMARY} of {ledger.owner}")
        all_entries = [*found, *([summary] if summary else [])]
        ids = ledger.enter(all_entries)
        self._found.experiments[corpus] = experiment
        self._found.unfinished += [entry.run for entry in found if entry.digest is None]
        for entry, run_id in zip(all_entries, ids, strict=True):
            name_of = f"{entry.run} of {corpus}" if entry is summary else entry.run
            self._found.runs[name_of] = run_id
        if summary is not None:
            retrying(lambda: self._register_best(client, ledger, name, found))

    def _experiment(self, client: Any, name: str, corpus: str) -> str:
        """Return the id of an experiment, which is created or restored if necessary."""
        there = client.get_experiment_by_name(name)
        if there is not None:
            if there.lifecycle_stage == "deleted":
                client.restore_experiment(there.experiment_id)
            return str(there.experiment_id)
        tags = views.experiment_tags(self._directory.path.resolve().name, corpus)
        try:
            location = self._store.artifact_location(name)
            return str(client.create_experiment(name, artifact_location=location, tags=tags))
        except mlflow().exceptions.MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return str(
                client.get_experiment_by_name(name).experiment_id
            )  # Another process made it.

    def _register_best(
        self, client: Any, ledger: Ledger, name: str, found: Sequence[Entry]
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
            [logged] = ledger.models(run_id)
            version = client.create_model_version(
                model,
                source=logged.artifact_location,
                run_id=run_id,
                model_id=logged.model_id,
                await_creation_for=0,
            )
        if BEST not in version.aliases:
            client.set_registered_model_alias(model, BEST, version.version)
