"""Synchronisation of an experiment's files with MLflow, possible at any time, even during runs."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from online_rnnlm.errors import UserError
from online_rnnlm.process.stop_signals import PARENT
from online_rnnlm.storage import records
from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Tracked
from online_rnnlm.tracking import views
from online_rnnlm.tracking.best import BestModel
from online_rnnlm.tracking.current import Reader
from online_rnnlm.tracking.entries import Entry
from online_rnnlm.tracking.folder import identify
from online_rnnlm.tracking.known import Target
from online_rnnlm.tracking.ledger import Ledger
from online_rnnlm.tracking.library import mlflow, retrying
from online_rnnlm.tracking.marks import marks_in
from online_rnnlm.tracking.models import Models
from online_rnnlm.tracking.reading import BeingMade
from online_rnnlm.tracking.rows import row_entries
from online_rnnlm.tracking.stores import Store, locked, prepare, store_for
from online_rnnlm.tracking.summary import summary_entry, summary_identity

_NOT_IN_A_NAME = r"[/:'\"]"
"""Letters that MLflow does not take in the name of a registered model, or in a search for it."""
_ATTEMPTS = 20
_PAUSE = 0.1
"""Number of attempts, and the seconds between two of them, if files are just being made."""
_log = logging.getLogger(__name__)


@dataclass
class Synchronised:
    """The MLflow ids of the experiments and runs that a store holds."""

    experiments: dict[str, str] = field(default_factory=dict)
    """Ids of MLflow experiments, by corpus."""
    runs: dict[str, str] = field(default_factory=dict)
    """Ids of MLflow runs, by the run's name; `summary of CORPUS` is the summary of a corpus, and
    `row MODEL of CORPUS` a row."""
    with_rows: list[str] = field(default_factory=list)
    """The corpora that have entries of rows."""
    unfinished: list[str] = field(default_factory=list)
    """Names of the runs whose entries are not complete."""
    earlier: list[str] = field(default_factory=list)
    """Names of the runs that the configuration does not ask for any more."""


def synchronise(
    directory: ExperimentDirectory, uri: str | None = None, reader: Reader | None = None
) -> Synchronised:
    """Update a store so that it agrees with the files; `uri` is the same as in `store_for`.

    Any number of processes may call this at any time. Raises UserError, in one line that names the
    store, if the store cannot be reached or written; the next successful call completes it. Callers
    that call often pass the same `reader`, which reads only what has changed.
    """
    store, reader = store_for(directory, uri), reader or Reader(directory)
    with locked(directory):
        retrying(lambda: prepare(store))
        return _repeated(lambda: _Synchronisation(directory, store, reader).run())


def _repeated(action: Callable[[], Synchronised]) -> Synchronised:
    """Synchronise, and do it again while a job of the experiment makes files anew."""
    for _ in range(_ATTEMPTS):
        try:
            return action()
        except BeingMade:
            time.sleep(_PAUSE)
    return action()


def watch(directory: ExperimentDirectory, uri: str | None, seconds: float) -> None:
    """Synchronise whenever files have changed, until the parent process ends.

    If the store cannot be reached, log one warning and keep trying.
    """
    os.nice(19)
    reader = Reader(directory)
    parent, before, away = int(os.environ.get(PARENT, os.getppid())), None, False
    while os.getppid() == parent:
        now = reader.state()
        if now != before:
            try:
                synchronise(directory, uri, reader)
            except UserError as error:
                if not away:
                    _log.warning("%s; runs go on, and are entered when this is mended", error)
                away = True
            else:
                if away:
                    _log.warning("all is entered into MLflow again")
                before, away = now, False
        time.sleep(seconds)


class _Synchronisation:
    """A single synchronisation of an experiment's files with a store."""

    def __init__(self, directory: ExperimentDirectory, store: Store, reader: Reader) -> None:
        self._directory = directory
        self._store = store
        self._reader = reader
        self._asked = Asked(directory)
        self._owner = identify(directory)
        self._found = Synchronised()

    def run(self) -> Synchronised:
        by_corpus: dict[str, list[Entry]] = {}
        for entry in self._reader.entries(self._asked):
            by_corpus.setdefault(entry.tags["corpus"], []).append(entry)
        with self._store.client() as client:
            for corpus, found in by_corpus.items():
                self._corpus(client, corpus, found)
        records.write(self._directory.tracked, self._tracked())
        return self._found

    def _tracked(self) -> Tracked:
        file, runs = self._store.file, self._found.runs
        return Tracked(
            store=self._store.uri,
            configuration=self._asked.digest,
            runs=runs,
            marks=None if file is None else marks_in(file, runs.values()),
        )

    def _corpus(self, client: Any, corpus: str, found: Sequence[Entry]) -> None:
        name = f"{self._directory.path.resolve().name}/{corpus}"
        experiment = retrying(lambda: self._experiment(client, name, corpus))
        target = Target(client, self._store, self._directory, experiment, self._reader.copies)
        models = Models(target, self._asked.testing)
        ledger = Ledger(target, self._owner, models)
        summary = self._summary(ledger, found)
        rows = row_entries(self._directory, self._asked, found, self._owner)
        all_entries = [*found, *rows, *([summary] if summary else [])]
        names = [entry.run for entry in all_entries]
        entered = ledger.enter(all_entries, {*self._asked.names, *(row.run for row in rows)})
        ids = dict(zip(names, entered, strict=True))
        self._note(corpus, experiment, found, ids)
        self._found.with_rows += [corpus] if rows else []
        registered = re.sub(_NOT_IN_A_NAME, "-", name)
        best = retrying(
            lambda: BestModel(client, registered, self._owner, shared=not self._store.own)
        )
        retrying(best.forget_earlier)
        if summary is not None:
            retrying(lambda: best.register(found, ids, models))

    def _summary(self, ledger: Ledger, found: Sequence[Entry]) -> Entry | None:
        """Return the entry of a corpus's summary; it has none once it left the configuration."""
        if any(entry.of_configuration for entry in found):
            return summary_entry(self._directory, self._asked, self._owner)
        ledger.remove(summary_identity(self._owner))
        return None

    def _note(
        self, corpus: str, experiment: str, found: Sequence[Entry], ids: Mapping[str, str]
    ) -> None:
        """Note what has been entered of a corpus."""
        self._found.experiments[corpus] = experiment
        runs = {entry.run for entry in found}
        for name, run_id in ids.items():
            self._found.runs[name if name in runs else f"{name} of {corpus}"] = run_id
        self._found.unfinished += [entry.run for entry in found if entry.digest is None]
        self._found.earlier += [entry.run for entry in found if not entry.of_configuration]

    def _experiment(self, client: Any, name: str, corpus: str) -> str:
        """Return the id of an experiment, which is created or restored if necessary."""
        there = client.get_experiment_by_name(name)
        if there is not None:
            if there.lifecycle_stage == "deleted":
                client.restore_experiment(there.experiment_id)
            self._bring_view_up_to_date(client, there)
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

    def _bring_view_up_to_date(self, client: Any, there: Any) -> None:
        """Replace the view that an older version of this program made."""
        for key, value in views.view_tags().items():
            if there.tags.get(key) != value:
                client.set_experiment_tag(there.experiment_id, key, value)
