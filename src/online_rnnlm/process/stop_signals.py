"""Stop signals: a signal, the scheduler's time limit, or the end of the parent process."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
PARENT = "ONLINE_RNNLM_PARENT"
"""Variable with the id of the Snakemake process whose end also ends the job (`shell_prefix`)."""
FORCED = "ONLINE_RNNLM_FORCED_AT"
"""Variable with the time (Unix, seconds) of a start of Snakemake that forces trainings."""
START_TIME, END_TIME = "SLURM_JOB_START_TIME", "SLURM_JOB_END_TIME"
"""Variables, set by Slurm, with the times of a job's start and of its limit (seconds, Unix)."""
MARGIN_SECONDS = 90.0
"""A job ends by itself this long before that time, or a tenth of its time if that is less."""
GOES_ON = "the next attempt goes on from there"
"""The end of the last line of a log whose job was told to end."""
_PR_SET_PDEATHSIG = 1


class Stopped(Exception):
    """The error that a job has been told to end and has saved its state.

    `status` is the exit status of its process.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def watching() -> Iterator[Watch]:
    """Let stop signals only set a flag while the block runs; a second Ctrl-C interrupts it."""
    watch = Watch()
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # `nohup` ignores it
    heard = (*SIGNALS, signal.SIGHUP) if hangs_up else SIGNALS
    before = {number: signal.signal(number, watch.note) for number in heard}
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watch:
    """A record of the stop signals that this process has received."""

    def __init__(self) -> None:
        self._signal: signal.Signals | None = None
        self._end = _end_of_job()

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal by remembering it."""
        self._signal = signal.Signals(number)
        if number == signal.SIGINT:  # a second Ctrl-C ends the process at once
            signal.signal(number, signal.default_int_handler)

    @property
    def told(self) -> str | None:
        """The cause for which this process must end, in words; None if it may go on."""
        if self._signal is not None:
            return self._signal.name
        return "the job's time limit" if time.monotonic() >= self._end else None

    def stop_if_told(self) -> None:
        """Raise Stopped if this process has been told to end.

        The status is that of a shell for a process ended by a signal, or else EX_TEMPFAIL.
        """
        told, number = self.told, self._signal
        if told is not None:
            status = 128 + number if number is not None else os.EX_TEMPFAIL
            message = f"stopped by {told}: {GOES_ON}"
            raise Stopped(message, status)


def hide_interrupts() -> None:
    """Let Ctrl-C end this process without a traceback, whatever it is doing."""
    sys.excepthook = _show_unless_interrupted


def _show_unless_interrupted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


class Interrupts:
    """The handling of Ctrl-C in a process that has started jobs, in order and without a traceback.

    The first Ctrl-C raises KeyboardInterrupt. The process then waits for its jobs. The second
    changes nothing here: it reaches the jobs, too, and they end at once. The third ends the process
    without waiting for them. Nothing changes in a process that ignores Ctrl-C.
    """

    def __init__(self) -> None:
        self.received = 0
        """The number of times that this process has received Ctrl-C."""
        hide_interrupts()
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Handle a Ctrl-C."""
        self.received += 1
        if self.received == 1:
            raise KeyboardInterrupt
        if self.received > 2:
            os._exit(128 + number)


def _end_of_job() -> float:
    """Return the time at which this process must end, by the monotonic clock.

    It is infinite outside a Slurm job.
    """
    now = time.time()
    try:
        end = float(os.environ[END_TIME])
        limit = end - float(os.environ.get(START_TIME, now))
    except (KeyError, ValueError):
        return float("inf")
    return time.monotonic() + end - now - min(MARGIN_SECONDS, max(limit, 0) / 10)


def end_with_parent() -> None:
    """Let Linux send SIGTERM when the Snakemake process that started this job ends in any way.

    This changes nothing if a user has started the process: it may outlive its terminal.
    """
    parent = os.environ.get(PARENT)
    if parent != str(os.getppid()):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent != str(os.getppid()):  # the parent ended before the call above took effect
        sys.exit(128 + signal.SIGTERM)
