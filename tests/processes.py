"""Commands that tests run, servers that they start, and conditions that must become true."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

PATIENCE = 900.0
"""The time limit in seconds for what hangs; working tests stay far below it on slow machines."""

BARE_ENVIRONMENT = {
    name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ
}
BARE_ENVIRONMENT["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""A user's environment: a developer's variables, such as PYTHONUNBUFFERED, can hide faults."""

Seen = TypeVar("Seen")


def wait_until(
    condition: Callable[[], Seen | None],
    what: str | Callable[[], str] = "what is waited for",
    pause: float = 0.02,
) -> Seen:
    """Wait until the condition returns a true value; return that value.

    `what` is said if that takes too long; a function may look at what hinders it. The condition is
    looked at after every `pause`, in seconds, which should be long if that starts a process.
    """
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, (
            f"{what if isinstance(what, str) else what()}: not after {PATIENCE:g} s"
        )
        time.sleep(pause)
    return value


def output_of(
    command: Iterable[object], *, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; return its status, output and messages.

    A command that hangs is killed, and `subprocess.TimeoutExpired` is raised.
    """
    parts = [str(part) for part in command]
    return subprocess.run(
        parts, capture_output=True, text=True, timeout=PATIENCE, check=check, **options
    )


def heeding_interrupts(command: list[str]) -> list[str]:
    """Return a command that does the same but heeds SIGINT.

    Tests that run in the background ignore Ctrl-C, and so would the processes that they start.
    """
    heed = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)"
    return [sys.executable, "-c", f"{heed}; os.execvp(sys.argv[1], sys.argv[1:])", *command]


def free_port() -> int:
    """Return a port of this machine that is not in use."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(page: str) -> bool:
    """Return True if a server answers at this address of a page."""
    try:
        urllib.request.urlopen(page, timeout=5).close()
    except OSError:
        return False
    return True
