"""MLflow's server, reachable from this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import FrameType

from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.library import SERVER_ENVIRONMENT
from online_rnnlm.tracking.links import is_writable, linked
from online_rnnlm.tracking.stores import store_for
from online_rnnlm.tracking.synchronisation import synchronise
from online_rnnlm.tracking.views import ROWS, page

HOST = "127.0.0.1"
_PATIENCE = 600.0
"""Most seconds for a server to start or to stop; a busy machine can take a minute."""


def serve(directory: ExperimentDirectory, port: int) -> None:
    """Synchronise the experiment's own store, then run MLflow's server until Ctrl-C is pressed.

    If the experiment's folder can only be read, the store is one in the user's cache. Raises
    UserError if the port is in use, or if the server ends by itself.
    """
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; choose another one") from None
    if not is_writable(directory):
        readable, directory = directory.path, linked(directory)
        print(f"{readable}: can only be read; its entries in MLflow are in {directory.path}")
    found = synchronise(directory)
    for corpus, experiment in found.experiments.items():
        print(f"MLflow, {corpus}: {address(port)}/{page(experiment)}", flush=True)
        if corpus in found.with_rows:
            print(f"means over the seeds: {address(port)}/{page(experiment, ROWS)}", flush=True)
    run_until_told(ui_command(directory, port))


def run_until_told(command: Sequence[str]) -> None:
    """Run a server until this process receives Ctrl-C or another signal to end.

    Ctrl-C does not reach the server itself, which would show tracebacks: it has a process group of
    its own, and is told to end. Raises UserError if it ends before.
    """
    received: list[int] = []
    servers: list[subprocess.Popen[bytes]] = []

    def end(number: int, frame: FrameType | None = None) -> None:
        received.append(number)
        for server in servers:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    environment = os.environ | SERVER_ENVIRONMENT
    server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, process_group=0)
    servers.append(server)
    if received:  # before there was a server to end
        end(received[0])
    status = server.wait()
    # Python gives signals their usual effect again while it ends: a late Ctrl-C would kill it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not received:
        raise UserError(f"MLflow's server has ended with status {status}")


def address(port: int) -> str:
    """Return the address of a server on this machine."""
    return f"http://{HOST}:{port}"


def ui_command(directory: ExperimentDirectory, port: int) -> list[str]:
    """Return the command that serves an experiment's own store; it needs `SERVER_ENVIRONMENT`."""
    return [
        *_command(port, store_for(directory, None).uri),
        *("--allowed-hosts", f"localhost:{port},{HOST}:{port}"),
        *("--default-artifact-root", directory.artifacts.resolve().as_uri()),
        "--no-serve-artifacts",
    ]


def team_command(port: int, backend: str, artifacts: Path) -> list[str]:
    """Return the command of a server for the runs of many; it needs `SERVER_ENVIRONMENT`."""
    return [*_command(port, backend), "--artifacts-destination", str(artifacts)]


def _command(port: int, backend: str) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", backend),
    ]


def free_port() -> int:
    """Return a port of this machine that is not in use."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """Run a server during the block, and append its output to a file.

    Raises UserError if the server does not answer in time.
    """
    with log.open("ab") as said:
        process = subprocess.Popen(
            command, env=os.environ | SERVER_ENVIRONMENT, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(process, port, log)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise UserError(f"MLflow's server does not answer at {address(port)}: see {log}")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"{address(port)}/health", timeout=5).close()
    except OSError:
        return False
    return True
