"""Calls functions in forks of a process that has already imported their modules, to save time.

A fresh interpreter takes seconds to load Snakemake, MLflow or the kernels. A fork starts at once.
It is a separate process: it can be killed, and then loses its state like any other process.
"""

from __future__ import annotations

import ast
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[1]
STREAMS = 3
LONGEST = 2**20
"""Bytes of a request, with all of the environment's variables, at most."""


class Fork:
    """A forked process; it is killed if this object, or the process that has it, goes."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self.pid = int(link.recv(LONGEST))

    def wait(self) -> int:
        """Wait for the exit status, as in `subprocess`.

        Raises TimeoutError if the fork takes too long; it is killed then.
        """
        self._link.settimeout(PATIENCE)
        try:
            return os.waitstatus_to_exitcode(int(self._link.recv(LONGEST)))
        finally:
            self._link.close()

    def __del__(self) -> None:
        self._link.close()


class Forks:
    """A process that has imported the given modules and forks itself for each call."""

    def __init__(
        self, modules: Sequence[str], environment: Mapping[str, str], said: Path | None = None
    ) -> None:
        """Start the process; its error stream goes to the file `said`."""
        self._folder = tempfile.mkdtemp(prefix="online-rnnlm-forks-")
        self.address = f"{self._folder}/socket"
        with said.open("wb") if said else contextlib.nullcontext() as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", self.address, *modules],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the process of the forks has failed"

    def start(
        self,
        function: str,
        *arguments: Any,
        folder: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        said: Path | None = None,
        errors: Path | None = None,
    ) -> Fork:
        """Call `module:function` in a fork, in that folder, with these environment variables.

        Its output goes to the file `said`, its error stream to `errors` or else to `said` as well;
        without these files, output is discarded.
        """
        out, err = (str(file or os.devnull) for file in (said, errors or said))
        variables = dict(os.environ if environment is None else environment)
        return self._ask(function, arguments, folder, variables, out, err)

    def call(self, function: str, *arguments: Any, folder: Path = ROOT) -> int:
        """Call `module:function` in the process itself, for forks to inherit what it loads.

        Returns the exit status.
        """
        return self._ask(function, arguments, folder, None, os.devnull, os.devnull).wait()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, function: str, arguments: Any, folder: Path, variables: Any, *said: str) -> Fork:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.connect(self.address)
        request = repr((function, arguments, str(folder), variables)).encode()
        with Path(os.devnull).open() as none, contextlib.ExitStack() as stack:
            files = [stack.enter_context(Path(file).open("ab")) for file in said]
            socket.send_fds(link, [request], [file.fileno() for file in (none, *files)])
        return Fork(link)


def _serve(address: str) -> NoReturn:
    """Answer every request with a process's number and, at its end, with its status."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    while True:
        # The input ends with the process that has started this one, however that ends.
        if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
            sys.exit()
        with listener.accept()[0] as link:
            request, streams, _, _ = socket.recv_fds(link, LONGEST, STREAMS)
            what = ast.literal_eval(request.decode())
            if what[-1] is None:
                link.send(b"%d" % os.getpid())
                link.send(b"%d" % (_status_of(*what) << 8))
            elif not os.fork():
                _attend(link, streams, what)
            for stream in streams:
                os.close(stream)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _attend(link: socket.socket, streams: Sequence[int], what: Any) -> None:
    """Fork a process for a call, and wait for its end; kill it if who has asked goes."""
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        link.detach()  # for the next line closes it
        os.closerange(STREAMS, 64)
        _call(*what)
        sys.exit()
    os.closerange(0, STREAMS)
    for stream in streams:
        os.close(stream)
    link.send(b"%d" % pid)
    ended = os.pidfd_open(pid)
    if ended not in select.select([ended, link], [], [])[0]:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    with contextlib.suppress(OSError):
        link.send(b"%d" % status)
    os._exit(0)


def _call(
    function: str, arguments: Any, folder: str, environment: Mapping[str, str] | None
) -> None:
    """Call a function in a process like one that was started in that folder."""
    os.chdir(folder)
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    sys.path[0] = folder
    module, _, name = function.partition(":")
    if name == "main":  # a command finds its arguments where an interpreter puts them
        sys.argv = [function, *arguments[0]]
    getattr(import_module(module), name)(*arguments)


def _status_of(*what: Any) -> int:
    with Path(os.devnull).open("w") as file, contextlib.redirect_stdout(file):
        try:
            _call(*what)
        except SystemExit as end:
            return int(end.code or 0)
    return 0


if __name__ == "__main__":
    for module in sys.argv[2:]:
        import_module(module)
    _serve(sys.argv[1])
