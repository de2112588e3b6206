"""A program that stands in Python's place: it lets the server in `jobs.py` run jobs in forks.

It asks for a fork, waits for its end and forwards signals; what is no job, or needs other settings
of libraries, it leaves to Python itself. It imports little, because it starts for every job.
"""

from __future__ import annotations

import _socket
import os
import signal
import sys

if __name__ != "__main__":
    from collections.abc import Mapping

JOB = ["-m", "online_rnnlm"]
HERE = os.path.dirname(__file__)  # noqa: PTH120  # pathlib takes longer to import than the rest
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def settings(environment: Mapping[str, str], beginnings: tuple[str, ...]) -> str:
    """The variables whose names begin in one of these ways, as a line of text."""
    return repr(sorted(one for one in environment.items() if one[0].startswith(beginnings)))


def main() -> None:
    """Run the job in a fork, and end as the fork does."""
    arguments = sys.argv[1:]
    with open(f"{HERE}/settings", encoding="utf-8") as file:  # noqa: PTH123
        beginnings, theirs = file.read().split("\n")
    if arguments[: len(JOB)] != JOB or settings(os.environ, tuple(beginnings.split())) != theirs:
        os.execv(sys.executable, [sys.executable, *arguments])
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link.connect(f"{HERE}/socket")
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    request = repr((os.getcwd(), arguments, dict(os.environ))).encode()  # noqa: PTH109
    header = len(request).to_bytes(8, "little")
    link.sendmsg([header], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    link.sendall(request)
    for number in FORWARDED:
        signal.signal(number, lambda number, _: link.sendall(bytes([number])))
    end(int.from_bytes(link.recv(4), "little"))


def end(status: int) -> None:
    """End with the fork's exit status, or by the signal that ended it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
