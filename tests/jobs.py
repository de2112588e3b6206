"""Runs jobs in forks of a process that has already loaded numerical libraries, to save time.

A job, `python3 -m online_rnnlm VERB`, loads numba, PyTensor, pandas or MLflow, which takes longer
than most jobs of a test. So Snakemake finds a small program in the place of Python. It asks the
server in this file for a fork, passes its streams on and waits. The fork loads the package from the
test's copy of the project, and is otherwise like any other process. Signals are forwarded, and the
fork is killed if the program in Python's place is.
"""

from __future__ import annotations

import ast
import atexit
import gc
import os
import runpy
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from tests import in_pythons_place
from tests.forking import settle
from tests.in_pythons_place import settings
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[1]
PACKAGE = "online_rnnlm"
STAGES = (
    "training.train",
    "evaluation.evaluate",
    "corpora.tokenisation",
    "corpora.encoding",
    "analysis.tables.write",
    "analysis.figures.write",
    "analysis.claims.write",
    "analysis.report.write",
    "use.model",
)
"""Modules of the package whose libraries are loaded, but not kept: each copy has its own."""
SETTINGS = (
    "PYTENSOR",
    "NUMBA",
    "MLFLOW",
    "JAX",
    "XLA",
    "OMP",
    "OPENBLAS",
    "MKL",
    "PYTHONH",
    "VERBS",
)
"""Beginnings of the variables that libraries, or Python itself, read when they are loaded."""
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
"""The variables that Snakemake and the workflow set for a job of one thread."""
STREAMS = 3


class JobServer:
    """The server, and the folder with the programs in the place of Python."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start the server with these variables; it ends with this process."""
        self._folder = Path(tempfile.mkdtemp(prefix="online-rnnlm-jobs-"))
        atexit.register(self._close)
        address = str(self._folder / "socket")
        ours = {**environment, **ONE_THREAD}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs", address],
            cwd=ROOT,
            env=ours,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        known = settings(ours, SETTINGS)
        (self._folder / "settings").write_text(f"{' '.join(SETTINGS)}\n{known}", encoding="utf-8")
        program = f"#!{sys.executable} -IS\n{Path(in_pythons_place.__file__).read_text('utf-8')}"
        for name in ("python", "python3"):
            (self._folder / name).write_text(program, encoding="utf-8")
            (self._folder / name).chmod(0o755)
        assert self._process.stdout is not None
        assert select.select([self._process.stdout], [], [], PATIENCE)[0]
        assert self._process.stdout.readline()

    @property
    def python(self) -> str:
        """The program in the place of Python; other things than jobs it lets Python do."""
        return str(self._folder / "python")

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def main(arguments: Sequence[str], python: str) -> None:
    """Run Snakemake, whose jobs take `python` for Python."""
    sys.executable = python
    import_module("snakemake.cli").main(list(arguments))


@dataclass(frozen=True)
class Request:
    """A request to run a job, which the program in Python's place sends for itself."""

    folder: str
    arguments: list[str]
    environment: dict[str, str]
    streams: list[int]


def _received(link: socket.socket) -> Request | None:
    """Read a request; None if its sender has gone."""
    length, streams, _, _ = socket.recv_fds(link, 8, STREAMS)
    left, parts = int.from_bytes(length, "little"), list[bytes]()
    while left and (part := link.recv(left)):
        parts.append(part)
        left -= len(part)
    if left or not parts:
        return None
    return Request(*ast.literal_eval(b"".join(parts).decode()), streams)


def _run(request: Request) -> NoReturn:
    """Become the process that the request asks for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
    os.closerange(STREAMS, 64)
    settle(request.folder, request.environment)
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = filter(None, folders)
    sys.argv = request.arguments[1:]  # the module's name takes the place of its path
    import_module(f"{PACKAGE}.process.environment").prepare_process()
    import_module("numba").core.config.reload_config()
    runpy.run_module(PACKAGE, run_name="__main__", alter_sys=True)
    sys.exit()


def _load() -> None:
    """Load what the package's stages load, and forget the package."""
    environment = dict(os.environ)
    import_module(f"{PACKAGE}.process.environment").prepare_process()
    for stage in STAGES:
        import_module(f"{PACKAGE}.{stage}")
    import_module(f"{PACKAGE}.tracking.library").mlflow()
    for store in ("tracking", "model_registry"):
        import_module(f"mlflow.store.{store}.sqlalchemy_store")
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)
    gc.collect()
    gc.freeze()


class _Server:
    """Forks for requests, and tells each sender how its fork has ended."""

    def __init__(self, address: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ, self._begin)
        # The input ends with the process that has started this one, however that ends.
        self._selector.register(sys.stdin, selectors.EVENT_READ, sys.exit)

    def serve(self) -> NoReturn:
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _begin(self) -> None:
        link, _ = self._listener.accept()
        request = _received(link)
        if request is None:
            link.close()
            return
        pid = os.fork()
        if not pid:
            _run(request)
        for stream in request.streams:
            os.close(stream)
        watch = os.pidfd_open(pid)
        self._selector.register(watch, selectors.EVENT_READ, lambda: self._ended(pid, watch, link))
        self._selector.register(link, selectors.EVENT_READ, lambda: self._told(pid, link))

    def _told(self, pid: int, link: socket.socket) -> None:
        """Send the fork the signal that its program has received, or kill it if that has gone."""
        if link.fileno() < 0:  # The fork has just ended, too.
            return
        numbers = link.recv(1)
        os.kill(pid, numbers[0] if numbers else signal.SIGKILL)
        if not numbers:
            self._selector.unregister(link)

    def _ended(self, pid: int, watch: int, link: socket.socket) -> None:
        _, status = os.waitpid(pid, 0)
        self._selector.unregister(watch)
        os.close(watch)
        with suppress(KeyError):  # It is not registered if the program was killed.
            self._selector.unregister(link)
        with link, suppress(OSError):
            link.sendall(status.to_bytes(4, "little"))


if __name__ == "__main__":
    _load()
    server = _Server(sys.argv[1])
    print("ready", flush=True)
    server.serve()
