"""MLflow's server, which shows the store of an experiment in a browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from threading import Event
from urllib.parse import urlencode
from urllib.request import urlopen

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import SETTINGS, mlflow, one_line_errors
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.store import address_of_files, own_store

HOST = "127.0.0.1"
_SECONDS = 0.1
"""Time between two tries to reach the server (s)."""
BEST_FIRST = {
    "searchFilter": " and ".join(
        f"tags.kind != '{kind}'" for kind in ("search", "evaluation", "summary")
    ),
    "orderByKey": "metrics.`perplexity/test`",
    "orderByAsc": "true",
    "startTime": "ALL",
    "compareRunsMode": "CHART",
    "workflowType": "machine_learning",
}
"""The parameters of the page of runs: the best run first, and beside them the metrics' charts."""


def serve(directory: ExperimentDirectory, port: int) -> None:
    """Run MLflow's server until Ctrl-C, and print the address of the runs once it answers.

    The server is for this machine only. Raises UserError if the folder has no store, if the port
    cannot be used, or if the server ends by itself.
    """
    if not directory.store.is_file():
        raise UserError(
            f"{directory.store}: missing: `online-rnnlm track {directory.path}` enters the runs"
        )
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise UserError(f"port {port}: {why}: choose another by `--port`") from None
    with one_line_errors():
        client = mlflow().MlflowClient(own_store(directory))
        # A folder that was renamed since has an experiment of another name: all are shown.
        found = client.get_experiment_by_name(directory.path.resolve().name)
    page = page_of_runs(found.experiment_id) if found else ""
    log = directory.logs / "ui.log"
    log.parent.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        f"--host={HOST}",
        f"--port={port}",
        "--workers=1",
        f"--allowed-hosts=localhost:{port},{HOST}:{port}",
        f"--backend-store-uri={own_store(directory)}",
        f"--default-artifact-root={address_of_files(directory)}",
        "--no-serve-artifacts",
    ]
    # Ctrl-C does not reach the server itself, which would show tracebacks: it is told to end.
    told = Event()
    with log.open("wb") as said:
        server = subprocess.Popen(
            command,
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
    while server.poll() is None and not _answers(port):
        told.wait(_SECONDS)
    if server.poll() is None and not told.is_set():
        print(f"http://{HOST}:{port}/{page}\nCtrl-C ends it.", flush=True)
    server.wait()
    if not told.is_set():
        raise UserError(f"MLflow's server has ended by itself: {log} says why")


def _answers(port: int) -> bool:
    """Return True if MLflow's server answers at a port of this machine."""
    with suppress(OSError), urlopen(f"http://{HOST}:{port}/health", timeout=1):
        return True
    return False


def page_of_runs(experiment_id: str) -> str:
    """Return the path of the page of an experiment's runs, the best first."""
    return f"#/experiments/{experiment_id}/runs?{urlencode(BEST_FIRST)}"
