"""MLflow's interface to an experiment's own store, reachable from this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.stores import ENVIRONMENT, own_store
from online_rnnlm.tracking.synchronisation import synchronise
from online_rnnlm.tracking.views import VIEWS, page

HOST = "127.0.0.1"


def serve(directory: ExperimentDirectory, port: int) -> None:
    """Enter the experiment into its own store, then run MLflow's server until Ctrl-C is pressed.

    What the server says goes to `logs/ui.log` in the results. If the store is made again
    meanwhile, the server shows the new one. Raises UserError if the port is in use, or if the
    server ends by itself.
    """
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; choose another one") from None
    found = synchronise(directory)
    for corpus, experiment in found.experiments.items():
        for view in VIEWS:
            print(f"{corpus}, {view}: {address(port)}/{page(experiment, view)}", flush=True)
    print("Ctrl-C ends it.", flush=True)
    log = directory.log("ui")
    log.parent.mkdir(exist_ok=True)
    _run(ui_command(directory, port), log)


def _run(command: Sequence[str], log: Path) -> None:
    """Run a server until this process is told to end; raises UserError if it ends before.

    Ctrl-C does not reach the server itself, which would show tracebacks: it has a process group of
    its own, and is told to end.
    """
    told = False
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, env=os.environ | ENVIRONMENT, process_group=0, stdin=subprocess.DEVNULL,
            stdout=said, stderr=said,
        )  # fmt: skip

    def end(number: int, frame: object) -> None:
        nonlocal told
        told = True
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    status = server.wait()
    # Python gives signals their usual effect again while it ends: a late Ctrl-C would kill it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not told:
        raise UserError(f"MLflow's server has ended with status {status}; {log} says why")


def address(port: int) -> str:
    """Return the address of a server on this machine."""
    return f"http://{HOST}:{port}"


def ui_command(directory: ExperimentDirectory, port: int) -> list[str]:
    """Return the command that serves an experiment's own store; it needs `ENVIRONMENT`."""
    store = own_store(directory)
    assert store.artifacts is not None
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", store.uri),
        *("--allowed-hosts", f"localhost:{port},{HOST}:{port}"),
        *("--default-artifact-root", store.artifacts.as_uri(), "--no-serve-artifacts"),
    ]
