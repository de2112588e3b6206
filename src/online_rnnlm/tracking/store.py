"""The MLflow store of an experiment, and MLflow's server that shows it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Event
from urllib.parse import urlencode

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import SETTINGS, mlflow
from online_rnnlm.storage.paths import ExperimentDirectory

STORE = "MLFLOW_TRACKING_URI"
"""MLflow's variable with the address of a server or database."""
HOST = "127.0.0.1"
BEST_FIRST = {
    "searchFilter": "tags.kind != 'search' and tags.kind != 'summary'",
    "orderByKey": "metrics.`perplexity/test`",
    "orderByAsc": "true",
    "startTime": "ALL",
    "compareRunsMode": "CHART",
    "workflowType": "machine_learning",
}
"""The parameters of the page of runs: the best run first, and beside them the metrics' charts."""


def own_store(directory: ExperimentDirectory) -> str:
    """Return the address of the database in an experiment's folder."""
    return f"sqlite:///{directory.store.resolve()}"


def experiment_here(directory: ExperimentDirectory) -> str | None:
    """Return MLflow's id of an experiment in its folder's own database.

    It is None if the folder had another name or place when its runs were entered, since MLflow
    keeps the whole paths of their files.
    """
    client = mlflow().MlflowClient(own_store(directory))
    found = client.get_experiment_by_name(directory.path.resolve().name)
    is_here = found is not None and found.artifact_location == _address_of_files(directory)
    return str(found.experiment_id) if is_here else None


def open_store(directory: ExperimentDirectory, address: str = "") -> str:
    """Let MLflow use a store; return its id of the experiment, which is made if it is not there.

    The store is at that address, or the one that `MLFLOW_TRACKING_URI` names, or else the folder's
    own database. Files of runs in a database lie in the experiment's folder, while a server chooses
    their place. In its own database, the entries of a folder that was moved get another name.
    """
    library = mlflow()
    address = address or os.environ.get(STORE) or own_store(directory)
    library.set_tracking_uri(address)
    name = directory.path.resolve().name
    if not address.startswith("http"):
        if address == own_store(directory) and experiment_here(directory) is None:
            old = library.get_experiment_by_name(name)
            if old is not None:
                moved = f"{name}, whose files were in {old.artifact_location}"
                library.MlflowClient().rename_experiment(old.experiment_id, moved)
        # Another process may have made it; any other error comes again in the call below.
        with suppress(library.exceptions.MlflowException):
            library.create_experiment(name, _address_of_files(directory))
    return str(library.set_experiment(name).experiment_id)


def _address_of_files(directory: ExperimentDirectory) -> str:
    """Return the address of the files of an experiment's entries in a database."""
    return directory.artifacts.resolve().as_uri()


def serve(directory: ExperimentDirectory, experiment_id: str, port: int) -> None:
    """Print the address of an experiment's runs, and run MLflow's server until Ctrl-C.

    The server is for this machine only. Raises UserError if it ends by itself.
    """
    print(f"http://{HOST}:{port}/{page_of_runs(experiment_id)}", flush=True)
    print("Ctrl-C ends it.", flush=True)
    log = directory.logs / "ui.log"
    log.parent.mkdir(exist_ok=True)
    # Ctrl-C does not reach the server itself, which would show tracebacks: it is told to end.
    told = Event()
    with log.open("wb") as said:
        server = subprocess.Popen(
            server_command(directory, port),
            env={**os.environ, **SETTINGS},
            process_group=0,
            stdout=said,
            stderr=said,
        )

    def end(number: int, frame: object) -> None:
        if not told.is_set():
            told.set()
            os.killpg(server.pid, signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    server.wait()
    if not told.is_set():
        raise UserError(f"port {port}: MLflow's server has ended: is it in use? {log} says why")


def page_of_runs(experiment_id: str) -> str:
    """Return the path of the page of an experiment's runs, the best first."""
    return f"#/experiments/{experiment_id}/runs?{urlencode(BEST_FIRST)}"


def server_command(directory: ExperimentDirectory, port: int) -> list[str]:
    """Return the command that serves an experiment's own store."""
    return [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        f"--host={HOST}",
        f"--port={port}",
        "--workers=1",
        f"--allowed-hosts=localhost:{port},{HOST}:{port}",
        f"--backend-store-uri={own_store(directory)}",
        f"--default-artifact-root={_address_of_files(directory)}",
        "--no-serve-artifacts",
    ]
