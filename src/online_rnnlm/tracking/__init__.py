"""An experiment's runs in MLflow: a view of the files, which can be rebuilt at any time.

The only importer of MLflow. Everything happens under one lock a store: processes that open a
fresh store together destroy it, and sqlite has one writer anyway.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, TypeVar

import pandas as pd

from online_rnnlm.tracking import entries
from online_rnnlm.configuration import Run
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, read_json, write_json

REPORT = "report"
COMPLETE = "complete"  # the tag that is set last: an entry without it was cut off
_HOST = "127.0.0.1"
_ATTEMPTS = 6
_BATCH = 1000  # metrics that MLflow takes at once
SERVER_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def create_store(directory: ExperimentDirectory) -> None:
    """Make sure that there is a usable store.

    A new one, and one that replaces a store moved here from elsewhere (MLflow keeps absolute
    paths), gets all finished runs at once. Safe at any time, from any number of processes.
    """
    with _locked(directory):
        _retrying(lambda: _make_store(directory))
        _retrying(lambda: _synchronise(directory))


def track(directory: ExperimentDirectory, run: Run | str) -> str:
    """Enter a finished and evaluated run; returns MLflow's run id.

    The same files are never entered twice. What is there of an older training under the same
    name, or of a killed process, is replaced. Raises UserError if the run is not finished.
    """
    name = run if isinstance(run, str) else run.name
    missing = [path for path in entries.run_files(directory, name) if not path.is_file()]
    if missing:
        raise UserError(f"{missing[0]}: missing; the run `{name}` is not finished")
    with _locked(directory):
        _retrying(lambda: _ensure_store(directory))
        return _retrying(lambda: _track(directory, name))


def track_report(directory: ExperimentDirectory) -> str:
    """Enter tables, figures, claims and report as one run; returns MLflow's run id."""
    if not directory.report.is_file():
        raise UserError(f"{directory.report}: missing; write the report first")
    with _locked(directory):
        _retrying(lambda: _ensure_store(directory))
        return _retrying(lambda: _track_report(directory))


def serve(directory: ExperimentDirectory, port: int) -> NoReturn:
    """Become MLflow's server for this store, on the loopback interface only."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; choose another one") from None
    create_store(directory)
    # The first experiment after `Default`; the address says that it is about training.
    address = f"http://{_HOST}:{port}/#/experiments/1/runs?workflowType=machine_learning"
    print(f"MLflow: {address}", flush=True)
    command = ui_command(directory, port)
    os.execve(command[0], command, os.environ | SERVER_ENVIRONMENT)


def ui_command(directory: ExperimentDirectory, port: int) -> list[str]:
    """The command that serves this store; see `SERVER_ENVIRONMENT` for the environment it needs.

    Without that environment the server starts ten processes of 240 MB each.
    """
    hosts = f"localhost:{port},{_HOST}:{port}"
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port)),
        *("--workers", "1", "--allowed-hosts", hosts),
        *("--backend-store-uri", _uri(directory.store)),
        *("--default-artifact-root", _root(directory), "--no-serve-artifacts"),
    ]


def _mlflow() -> Any:
    """MLflow, silent and without telemetry: it reads its settings while it is imported."""
    for name, value in SERVER_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: PLC0415

    for logger in ("alembic", "mlflow"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return mlflow


def _uri(store: Path) -> str:
    return f"sqlite:///{store.resolve()}"


def _root(directory: ExperimentDirectory) -> str:
    return directory.artifacts.resolve().as_uri()


@contextmanager
def _locked(directory: ExperimentDirectory) -> Iterator[None]:
    """Wait until no other process works on the store; a killed one gives the lock back."""
    path = directory.store.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _retrying(action: Callable[[], Result]) -> Result:
    """Repeat while another program, such as MLflow's server, holds the database."""
    exception = _mlflow().exceptions.MlflowException
    for attempt in range(_ATTEMPTS):
        try:
            return action()
        except exception as error:
            message = str(error).splitlines()[0]
            if "database is locked" not in str(error):
                raise UserError(f"MLflow: {message}") from error
            time.sleep(2.0**attempt / 4)
    raise UserError("MLflow: the database stayed locked by another program")


def _ensure_store(directory: ExperimentDirectory) -> None:
    """Make a missing or moved store, with all that is finished."""
    if _make_store(directory):
        _synchronise(directory)


def _make_store(directory: ExperimentDirectory) -> bool:
    """Make an empty store if there is none that can be used; says whether it did."""
    if directory.store.is_file():
        location = _location(directory)
        if location == _root(directory):
            return False
        _log.warning("%s: was made for %s: it is rebuilt", directory.store, location or "nothing")
        directory.store.unlink()
    shutil.rmtree(directory.artifacts, ignore_errors=True)
    directory.artifacts.mkdir(parents=True)
    # A path that was never used: MLflow remembers for the process's life which have tables.
    with TemporaryDirectory(prefix=".mlflow.", dir=directory.path) as folder:
        fresh = Path(folder) / directory.store.name
        _create(fresh, directory)
        fresh.replace(directory.store)
    return True


def _synchronise(directory: ExperimentDirectory) -> None:
    """Enter all that is finished and evaluated, and the report."""
    names = sorted(path.parent.name for path in directory.path.glob("runs/*/result.json"))
    for name in names:
        if all(path.is_file() for path in entries.run_files(directory, name)):
            _track(directory, name)
    if directory.report.is_file():
        _track_report(directory)


def _location(directory: ExperimentDirectory) -> str | None:
    """Where the store believes its artifacts to lie; None if it has no experiment of ours."""
    query = "SELECT artifact_location FROM experiments WHERE name = ?"
    try:
        with closing(sqlite3.connect(directory.store)) as connection:
            row = connection.execute(query, [_experiment(directory)]).fetchone()
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"{directory.store}: {error}; delete it: it will be rebuilt from the runs' files"
        ) from None
    return str(row[0]) if row else None


def _experiment(directory: ExperimentDirectory) -> str:
    return directory.path.resolve().name


def _create(path: Path, directory: ExperimentDirectory) -> None:
    """A store with one experiment; MLflow's own `Default` would only be in the way."""
    with _client(path) as client:
        root = _root(directory)
        # Model training, not language agents: MLflow's interface has two faces.
        tags = {"mlflow.experimentKind": "custom_model_development"}
        client.create_experiment(_experiment(directory), artifact_location=root, tags=tags)
        client.delete_experiment("0")


@contextmanager
def _client(store: Path) -> Iterator[Any]:
    """A client whose connections are closed in the end.

    MLflow keeps them for the process's life, even if a new file takes the store's place.
    """
    client = _mlflow().MlflowClient(tracking_uri=_uri(store))
    try:
        yield client
    finally:
        client._tracking_client.store.engine.dispose()


def _track(directory: ExperimentDirectory, name: str) -> str:
    record, result = read_json(directory.run(name).run), read_json(directory.run(name).result)
    files = entries.run_files(directory, name)
    digest = entries.digest(directory, files)
    with _client(directory.store) as client:
        run_id = _settled(client, directory, name, digest)
        if run_id is None:
            end = directory.run(name).result.stat().st_mtime
            start = round(1000 * (end - result["seconds"]))
            tags = entries.tags(directory, name, record) | {"digest": digest}
            run_id = _begin(client, directory, name, tags, start)
            _log_run(client, directory, run_id, name, start)
            for path in files:
                folder = "evaluations" if path.parent.parent.name == "evaluations" else None
                client.log_artifact(run_id, str(path), folder)
            _end(client, run_id, round(1000 * end))
    write_json(directory.tracked(name), {"mlflow_run_id": run_id, "identity": record["identity"]})
    return run_id


def _settled(client: Any, directory: ExperimentDirectory, name: str, digest: str) -> str | None:
    """The id of a complete entry with these files, if any; all others of the name are deleted."""
    found = None
    experiment = client.get_experiment_by_name(_experiment(directory)).experiment_id
    for run in client.search_runs([experiment], f"tags.run = '{name}'"):
        tags = run.data.tags
        if found is None and tags.get(COMPLETE) == "true" and tags.get("digest") == digest:
            found = str(run.info.run_id)
        else:
            client.delete_run(run.info.run_id)
            shutil.rmtree(directory.artifacts / run.info.run_id, ignore_errors=True)
    return found


def _begin(
    client: Any, directory: ExperimentDirectory, name: str, tags: dict[str, str], start: int
) -> str:
    experiment = client.get_experiment_by_name(_experiment(directory)).experiment_id
    # A run can be renamed in the interface, so that its tag says which one it is.
    tags = tags | {"run": name}
    run = client.create_run(experiment, start_time=start, tags=tags, run_name=name)
    return str(run.info.run_id)


def _end(client: Any, run_id: str, end: int) -> None:
    client.set_terminated(run_id, end_time=end)
    client.set_tag(run_id, COMPLETE, "true")


def _log_run(
    client: Any, directory: ExperimentDirectory, run_id: str, name: str, start: int
) -> None:
    """Settings as parameters; metrics by epoch and final ones; the epochs as a table."""
    entities = _mlflow().entities
    settings = read_json(directory.run(name).run)["settings"]
    epochs = entries.read_epochs(directory, name)
    metrics = [
        *entries.epoch_metrics(epochs, start),
        *((key, value, start, 0) for key, value in entries.final_metrics(directory, name).items()),
    ]
    parameters = [entities.Param(key, str(value)) for key, value in settings.items()]
    client.log_batch(run_id, params=parameters)
    for first in range(0, len(metrics), _BATCH):
        batch = [entities.Metric(*metric) for metric in metrics[first : first + _BATCH]]
        client.log_batch(run_id, metrics=batch)
    client.log_table(run_id, pd.DataFrame(epochs), "epochs.json")


def _track_report(directory: ExperimentDirectory) -> str:
    folders = entries.report_files(directory)
    digest = entries.digest(directory, [path for files in folders.values() for path in files])
    with _client(directory.store) as client:
        run_id = _settled(client, directory, REPORT, digest)
        if run_id is None:
            written = round(1000 * directory.report.stat().st_mtime)
            tags = {"kind": REPORT, "digest": digest}
            run_id = _begin(client, directory, REPORT, tags, written)
            for folder, files in folders.items():
                for path in files:
                    client.log_artifact(run_id, str(path), folder or None)
            _end(client, run_id, written)
    write_json(directory.tracked(REPORT), {"mlflow_run_id": run_id, "identity": digest})
    return run_id
