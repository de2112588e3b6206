"""Calls functions in forks of a process that has already imported their modules, to save time.

A fresh interpreter takes seconds to load Snakemake, MLflow or the kernels. A fork starts at once.
It is a separate process: it can be killed, and then loses its state like any other process.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Fork:
    """A forked process."""

    pid: int
    _ask: Callable[..., int]

    def wait(self) -> int:
        """Wait for the exit status, as in `subprocess`.

        Raises TimeoutError if the fork takes too long; it is killed before.
        """
        return self._ask("wait", self.pid)


class Forks:
    """A process that has imported the given modules and forks itself for each call."""

    def __init__(
        self, modules: Sequence[str], environment: Mapping[str, str], said: Path | None = None
    ) -> None:
        """Start the process; its error stream goes to the file `said`."""
        with said.open("wb") if said else contextlib.nullcontext() as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", *modules],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )

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
        streams = [str(said or os.devnull), str(errors or said or os.devnull)]
        place = {"folder": str(folder), "environment": dict(environment or os.environ)}
        return Fork(self._ask("start", function, arguments, place, streams), self._ask)

    def call(self, function: str, *arguments: Any, folder: Path = ROOT) -> int:
        """Call `module:function` in the process itself, for forks to inherit what it loads.

        Returns the exit status.
        """
        return self._ask("call", function, arguments, {"folder": str(folder)})

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def _ask(self, order: str, *what: Any) -> int:
        pipes = self._process.stdin, self._process.stdout
        assert pipes[0] is not None and pipes[1] is not None
        pipes[0].write(json.dumps([order, *what]) + "\n")
        pipes[0].flush()
        late = not select.select([pipes[1]], [], [], PATIENCE)[0]
        if late:
            os.kill(what[0] if order == "wait" else self._process.pid, signal.SIGKILL)
        status = int(pipes[1].readline())
        if late:
            raise TimeoutError(f"{order} {what}: nothing after {PATIENCE:g} s")
        return status


def settle(folder: str, environment: Mapping[str, str] | None = None) -> None:
    """Make this process like an interpreter that was started in that folder."""
    os.chdir(folder)
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    sys.path[0] = folder


def _function(
    function: str, folder: str, environment: Mapping[str, str] | None = None
) -> Callable[..., Any]:
    """Return the function after settling in the folder."""
    settle(folder, environment)
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


def _start(function: str, arguments: Any, place: Any, streams: Sequence[str]) -> int:
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, file in enumerate(streams, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
    if function.endswith(":main"):  # a command finds its arguments where an interpreter puts them
        sys.argv = [function, *arguments[0]]
    _function(function, **place)(*arguments)
    sys.exit()


def _call(function: str, arguments: Any, place: Any) -> int:
    with Path(os.devnull).open("w") as file, contextlib.redirect_stdout(file):
        try:
            _function(function, **place)(*arguments)
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def _wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Read one order a line and answer each with a number: a process id or an exit status."""
    orders = {"start": _start, "call": _call, "wait": _wait}
    for module in sys.argv[1:]:
        import_module(module)
    for line in sys.stdin:
        order, *rest = json.loads(line)
        print(orders[order](*rest), flush=True)


if __name__ == "__main__":
    main()
