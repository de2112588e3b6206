"""MLflow stores: the experiment's own database file, or a server or database by its address."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from online_rnnlm.config.addresses import SQLITE, why_no_address
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import lock
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.copies import folder_of
from online_rnnlm.tracking.library import (
    SERVER_ENVIRONMENT,
    mlflow,
    one_line_errors,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Store:
    """An MLflow store."""

    uri: str
    artifacts: Path | None
    """The folder for artifacts; None if a server chooses it."""
    own: bool
    """True for the experiment's own store, which can be rebuilt from the files at any time."""

    @property
    def file(self) -> Path | None:
        """The file of the database; None if the store is not a file."""
        return Path(self.uri.removeprefix(SQLITE)) if self.uri.startswith(SQLITE) else None

    def folder_of(self, uri: str) -> Path | None:
        """Return the folder at an address of artifacts; None if a server keeps them."""
        return folder_of(uri) if self.artifacts is not None else None

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Provide a client of this store, and close its connections at the end of the block.

        MLflow itself would keep them until the process ends, even if a new file replaces the store.
        """
        with one_line_errors(self.uri):
            client = mlflow().MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            try:
                yield client
            finally:
                _dispose(client)

    def artifact_location(self, experiment: str) -> str | None:
        """Return the address for an experiment's artifacts; None if a server chooses it."""
        if self.artifacts is None:
            return None
        return (self.artifacts / experiment.replace("/", "--")).as_uri()


def _dispose(client: Any) -> None:
    for store in (client._tracking_client.store, client._get_registry_client().store):
        if hasattr(store, "engine"):
            store.engine.dispose()


def store_for(directory: ExperimentDirectory, uri: str | None) -> Store:
    """Return the store at an address, or the experiment's own store if `uri` is None.

    Raises UserError, which does not repeat the address, for one that MLflow does not support or
    that may hold a password.
    """
    if uri is None:
        own = directory.store.resolve()
        return Store(f"{SQLITE}{own}", directory.artifacts.resolve(), own=True)
    reason = why_no_address(uri)
    if reason is not None:
        raise UserError(f"--store: {reason}")
    if uri.startswith("http"):
        return Store(uri, None, own=False)
    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE)).resolve()
        if file.is_dir():
            raise UserError(f"store `{uri}`: {file}: is a directory, not a file")
        return Store(f"{SQLITE}{file}", file.with_name("mlartifacts"), own=False)
    return Store(uri, directory.artifacts.resolve(), own=False)


@contextmanager
def locked(directory: ExperimentDirectory) -> Iterator[None]:
    """Wait for the experiment's lock and hold it during the block; a killed process releases it.

    Without the lock, two processes could enter a run twice, or destroy a new sqlite store by
    opening it at the same time. On a file system that has no locks, a warning says so.
    Raises UserError if the lock's file cannot be written.
    """
    path = directory.path / "tracking" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    with file:
        if lock(file, wait=True) is None:
            _log.warning("%s: cannot be locked, since the file system has no locks", path)
        yield


def prepare(store: Store) -> None:
    """Make a database ready for use; call it while holding `locked`.

    A missing file is created. The experiment's own database is rebuilt if the results folder has
    been moved, and upgraded if another version of MLflow made it. Raises UserError if any other
    database needs an upgrade, or if a database that is not a file refuses a connection.
    """
    file = store.file
    if file is None:
        _connect(store)
        return
    if not file.is_file():
        _make(store)
        return
    found = _look_at(store, file)
    if store.own and found.is_of_elsewhere(store):
        _log.warning("%s: was made for %s: it is rebuilt", file, found.places[0])
        file.unlink()
        _make(store)
    elif found.revision != _newest_revision():
        _bring_up_to_date(store)


def _connect(store: Store) -> None:
    """Connect once to a database that is not a file; raises UserError at once if it refuses.

    MLflow itself would try again for 100 seconds, even after a wrong password.
    """
    if store.uri.startswith("http"):
        return
    with one_line_errors(store.uri):
        from sqlalchemy import create_engine  # noqa: PLC0415

        engine = create_engine(store.uri)
        engine.connect().close()
        engine.dispose()


@dataclass(frozen=True)
class _Database:
    """The version and the artifact locations that are stored in a database's file."""

    revision: str | None
    """The version of its tables."""
    places: list[str]
    """The artifact locations of its experiments, which MLflow stores as absolute addresses."""

    def is_of_elsewhere(self, store: Store) -> bool:
        assert store.artifacts is not None
        here = f"{store.artifacts.as_uri()}/"
        return bool(self.places) and not any(place.startswith(here) for place in self.places)


def _look_at(store: Store, file: Path) -> _Database:
    """Read a database without MLflow, which would change it.

    Raises UserError if the file is not a database of MLflow.
    """
    places = "SELECT artifact_location FROM experiments WHERE experiment_id != 0"
    try:
        # What a killed process has left half done is undone when a table is read: this writes.
        half_done = file.with_name(f"{file.name}-journal").is_file()
        mode = "rw" if half_done else "ro"
        with closing(sqlite3.connect(f"{file.as_uri()}?mode={mode}", uri=True)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            where = [str(row[0]) for row in connection.execute(places)]
    except sqlite3.DatabaseError as error:
        what = "delete it: it will be rebuilt from the runs' files"
        advice = what if store.own else "it is no database of MLflow's"
        if "locked" in str(error):
            advice = "another program holds it: end that program, or try again later"
        raise UserError(f"{file}: {error}; {advice}") from None
    return _Database(str(found[0]) if found else None, where)


def _make(store: Store) -> None:
    """Make an empty database in one step, without MLflow's experiment `Default`."""
    file = store.file
    assert file is not None and store.artifacts is not None
    if store.own:
        shutil.rmtree(store.artifacts, ignore_errors=True)
    with one_line_errors(store.uri):
        store.artifacts.mkdir(parents=True, exist_ok=True)
        # The path must be new, because MLflow remembers until the process ends which paths have
        # tables.
        with TemporaryDirectory(prefix=".mlflow.", dir=file.parent) as folder:
            fresh = Path(folder) / file.name
            with Store(f"{SQLITE}{fresh}", store.artifacts, store.own).client() as client:
                client.delete_experiment("0")
            # The journal of a database that was here would be played into the new one.
            for kind in ("journal", "wal", "shm"):
                file.with_name(f"{file.name}-{kind}").unlink(missing_ok=True)
            fresh.replace(file)


@cache
def _newest_revision() -> str | None:
    """Return the version of the tables that the installed MLflow works with."""
    library = mlflow()
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    migrations = Path(library.__file__).parent / "store" / "db_migrations"
    return ScriptDirectory(str(migrations)).get_current_head()


def _bring_up_to_date(store: Store) -> None:
    """Upgrade the tables of the experiment's own database, and keep a copy of the old file.

    Raises UserError if the database is not the experiment's own, or if the upgrade fails.
    """
    file = store.file
    assert file is not None
    if not store.own:
        raise UserError(
            f"MLflow at {store.uri}: made by another version of MLflow: back it up, then run "
            f"`mlflow db upgrade {store.uri}`"
        )
    copy = file.with_name(f"{file.name}.{time.strftime('%Y%m%d-%H%M%S')}.old")
    shutil.copy2(file, copy)
    _log.warning("%s: made by another MLflow: brought up to date, copied to %s", file, copy)
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", store.uri],
        env=os.environ | SERVER_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"{file}: cannot be brought up to date: {said}")
