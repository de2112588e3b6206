"""MLflow and its stores: the experiment's own database file, or a server or database.

MLflow is imported without logs and telemetry; its errors are one line, without passwords.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from online_rnnlm.config.addresses import SQLITE, why_no_address
from online_rnnlm.errors import UserError, needing_packages
from online_rnnlm.storage.files import lock, replacing, saying_what_cannot_be_written
from online_rnnlm.storage.paths import ExperimentDirectory

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",
    # Otherwise a server starts ten processes of 240 MB each.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # No connection is kept open: it would be one to the old file when a database is made again.
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
    # MLflow would wait for minutes for a server that does not answer. The process that enters runs
    # while they train asks again soon anyway, so each request gives up early.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""The settings with which MLflow's client and server run."""
_MEANINGS = {
    "database is locked": "the database stayed locked by another program",
    "Max retries exceeded": "the server does not answer",
    "No module named": "the driver of this kind of database is not installed",
}


def mlflow() -> Any:
    """Import MLflow with this project's settings; the first call takes seconds.

    MLflow reads its settings while it is imported. Raises UserError if it is not installed.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with needing_packages():
        import mlflow as library  # noqa: PLC0415
        from mlflow.store.db import utils  # noqa: PLC0415

    for logger in ("alembic", "mlflow", "urllib3"):
        # MLflow logs the traceback of every error of a database before it raises the error.
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    # MLflow would try for 100 seconds to connect to a database, even after a wrong password.
    utils.MAX_RETRY_COUNT = 1
    return library


def without_password(text: str) -> str:
    """Return the text with user and password in every address replaced by asterisks.

    No store's address has a password, but that of a proxy may have one, and is quoted in errors.
    """
    return re.sub(r"//\S*@", "//***@", text)


@contextmanager
def one_line_errors(store: str) -> Iterator[None]:
    """Turn the errors of MLflow and its databases into UserError: one line that names the store."""
    library = mlflow()
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (library.exceptions.MlflowException, SQLAlchemyError, OSError, ImportError) as error:
        text = without_password(" ".join(str(error).split()))
        meanings = (meaning for sign, meaning in _MEANINGS.items() if sign in text)
        shortened = text if len(text) < 300 else f"{text[:300]} …"
        raise UserError(f"MLflow at {store}: {next(meanings, shortened)}") from error


@dataclass(frozen=True)
class Store:
    """An MLflow store."""

    uri: str
    artifacts: Path | None = None
    """The folder for artifacts; None if a server chooses it."""
    is_own: bool = False
    """True if only this experiment is entered there."""

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Provide a client of this store; errors in the block are UserErrors that name it."""
        with one_line_errors(self.uri):
            yield mlflow().MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)


def own_store(directory: ExperimentDirectory) -> Store:
    """Return the experiment's own store.

    MLflow's database has absolute paths and serves one version. So the artifacts' folder is
    named by a digest of path and version: a store without it is made again.
    """
    uri = f"{SQLITE}{directory.store.resolve()}"
    fits = hashlib.sha256(f"{uri} {mlflow().__version__}".encode()).hexdigest()[:8]
    return Store(uri, directory.artifacts.resolve() / f"own-{fits}", is_own=True)


def prepare_own_store(directory: ExperimentDirectory) -> Store:
    """Return the experiment's own store, an empty one in place of one that does not fit."""
    store, file = own_store(directory), directory.store
    assert store.artifacts is not None
    if not (file.is_file() and store.artifacts.is_dir()):
        with one_line_errors(store.uri):
            for old in directory.artifacts.glob("own-*"):
                shutil.rmtree(old)
            journals = (f"{file.name}-*", f".{file.name}.*.tmp-*")
            for old in (file, *(found for name in journals for found in file.parent.glob(name))):
                old.unlink(missing_ok=True)
            # MLflow cannot go on with a database whose making was killed.
            with replacing(file) as new, Store(f"{SQLITE}{new.resolve()}").client() as client:
                client.delete_experiment("0")  # MLflow's experiment `Default`
            store.artifacts.mkdir(parents=True)
    return store


def store_at(directory: ExperimentDirectory, uri: str) -> Store:
    """Return the store at an address.

    Raises UserError, which does not repeat the address, for one that MLflow does not support or
    that may hold a password.
    """
    reason = why_no_address(uri)
    if reason is not None:
        raise UserError(f"--store: {reason}")
    if uri.startswith("http"):
        return Store(uri)
    if not uri.startswith(SQLITE):
        return Store(uri, directory.artifacts.resolve() / "shared")
    file = Path(uri.removeprefix(SQLITE)).resolve()
    return Store(f"{SQLITE}{file}", file.with_name("mlartifacts"))


@dataclass(frozen=True)
class Target:
    """One of MLflow's experiments, and the results folder that is entered there."""

    client: Any
    store: Store
    experiment: str
    """MLflow's id of the experiment."""
    directory: ExperimentDirectory
    folder: str
    """The id of the results folder."""

    def runs(self) -> list[Any]:
        """Return the experiment's runs that were not deleted."""
        return list(self.client.search_runs([self.experiment], max_results=50_000))

    def models(self, run_id: str) -> list[Any]:
        """Return the logged models of a run."""
        of_run = f"source_run_id = '{run_id}'"
        return list(self.client.search_logged_models([self.experiment], of_run))

    def is_mine(self, run: Any) -> bool:
        """Return True if this results folder made an entry: others may use the same server."""
        return self.store.is_own or bool(run.data.tags.get("directory") == self.folder)


@contextmanager
def locked(directory: ExperimentDirectory) -> Iterator[None]:
    """Wait for the experiment's lock and hold it during the block; a killed process releases it.

    Without the lock, two processes could make the same store at the same time. Raises UserError if
    the lock's file cannot be written.
    """
    path = directory.tracked.parent / "lock"
    with saying_what_cannot_be_written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    with file:
        lock(file, wait=True)
        yield
