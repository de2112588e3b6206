"""A program that stands in Python's place: it lets the process of `jobs.py` run a job in a fork.

It asks for a fork, waits for its end and passes signals on; what is no job, or needs other settings
of libraries, it leaves to Python itself. It imports little, because it starts for every job.
"""

import _socket
import os
import signal
import sys

JOB = ["-m", "online_rnnlm"]
HERE = os.path.dirname(__file__)  # noqa: PTH120  # pathlib takes longer to import than the rest


def settings(environment: object, beginnings: tuple[str, ...]) -> str:
    """The variables whose names begin in one of these ways, as a line of text."""
    return repr(sorted(one for one in dict(environment).items() if one[0].startswith(beginnings)))


def main() -> None:
    """Run the job in a fork, and end as the fork does."""
    arguments = sys.argv[1:]
    with open(f"{HERE}/settings", encoding="utf-8") as file:  # noqa: PTH123
        address, beginnings, theirs = file.read().split("\n")
    if arguments[: len(JOB)] != JOB or settings(os.environ, tuple(beginnings.split())) != theirs:
        os.execv(sys.executable, [sys.executable, *arguments])
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    link.connect(address)
    request = repr(("tests.jobs:run", (arguments,), os.getcwd(), dict(os.environ)))  # noqa: PTH109
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    link.sendmsg([request.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    fork = int(link.recv(99))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda number, _: os.kill(fork, number))
    status = int(link.recv(99))
    if os.WIFSIGNALED(status):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
