"""Being told to end: by a signal, by the scheduler's time limit, by the end of who started this."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
PARENT = "ONLINE_RNNLM_PARENT"
"""The process that a job ends with: Snakemake names itself there (`pipeline.shell_prefix`)."""
END_TIME = "SLURM_JOB_END_TIME"
"""When the job will be killed (seconds, Unix): Slurm sets it."""
MARGIN_SECONDS = 90.0
"""So long before that a job ends by itself, or a tenth of its time if that is less."""
_PR_SET_PDEATHSIG = 1


class Stopped(Exception):
    """A job that was told to end has kept what it had; `status` is how its process exits."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def watching() -> Iterator[Watch]:
    """While the block runs, signals only set a flag."""
    watch = Watch()
    before = {number: signal.signal(number, watch.note) for number in SIGNALS}
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watch:
    """Whether this process has been told to end."""

    def __init__(self) -> None:
        self._signal: signal.Signals | None = None
        self._end = _end_of_job()

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: remember it."""
        self._signal = signal.Signals(number)
        if number == signal.SIGINT:  # who presses Ctrl-C again does not want to wait
            signal.signal(number, signal.default_int_handler)

    @property
    def told(self) -> str | None:
        """By what this process has been told to end, if it has."""
        if self._signal is not None:
            return self._signal.name
        return "the job's time limit" if time.monotonic() >= self._end else None

    def stop_if_told(self) -> None:
        """Raise Stopped if this process has been told to end.

        The status is what a shell gives for a process that a signal has ended, or "try again".
        """
        told, number = self.told, self._signal
        if told is not None:
            status = 128 + number if number is not None else os.EX_TEMPFAIL
            message = f"stopped by {told}: the next attempt goes on from there"
            raise Stopped(message, status)


def _end_of_job() -> float:
    """When to end by oneself, by the clock that never jumps; never, outside of a Slurm job."""
    try:
        left = float(os.environ[END_TIME]) - time.time()
    except (KeyError, ValueError):
        return float("inf")
    return time.monotonic() + left - min(MARGIN_SECONDS, max(left, 0) / 10)


def end_with_parent() -> None:
    """Let the kernel send SIGTERM when the Snakemake that started this job ends, killed or not.

    Nothing happens if it was not Snakemake: what a user has started may outlive its terminal.
    """
    parent = os.environ.get(PARENT)
    if not sys.platform.startswith("linux") or parent != str(os.getppid()):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent != str(os.getppid()):  # it has ended before it could be watched
        sys.exit(128 + signal.SIGTERM)
