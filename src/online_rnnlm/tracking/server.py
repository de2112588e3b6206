"""MLflow's interface for an experiment's own store, on this machine only."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing
from typing import NoReturn

from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory
from online_rnnlm.tracking.library import SERVER_ENVIRONMENT
from online_rnnlm.tracking.stores import store_for
from online_rnnlm.tracking.synchronisation import VIEW, synchronise

_HOST = "127.0.0.1"


def serve(directory: ExperimentDirectory, port: int) -> NoReturn:
    """Enter what is not there yet, then become MLflow's server."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; choose another one") from None
    found = synchronise(directory)
    for corpus, experiment in found.experiments.items():
        print(f"MLflow, {corpus}: http://{_HOST}:{port}/{page(experiment)}", flush=True)
    command = ui_command(directory, port)
    os.execve(command[0], command, os.environ | SERVER_ENVIRONMENT)


def page(experiment: str) -> str:
    """The page that shows an experiment's best runs first."""
    # The address says that it is about training: MLflow's interface has two faces.
    return f"#/experiments/{experiment}/runs?viewStateShareKey={VIEW}&workflowType=machine_learning"


def ui_command(directory: ExperimentDirectory, port: int) -> list[str]:
    """The command that serves this store; it needs `SERVER_ENVIRONMENT`."""
    hosts = f"localhost:{port},{_HOST}:{port}"
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port)),
        *("--workers", "1", "--allowed-hosts", hosts),
        *("--backend-store-uri", store_for(directory, None).uri),
        *("--default-artifact-root", directory.artifacts.resolve().as_uri()),
        "--no-serve-artifacts",
    ]
