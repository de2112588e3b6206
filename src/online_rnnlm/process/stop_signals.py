"""Stop signals: a signal, or the scheduler's time limit."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
START_TIME = "SLURM_JOB_START_TIME"
"""Variable, set by Slurm, with the time of a job's start (seconds, Unix)."""
END_TIME = "SLURM_JOB_END_TIME"
"""Variable, set by Slurm, with the time of a job's limit (seconds, Unix)."""
MARGIN_SECONDS = 90.0
"""A job ends by itself this many seconds before its limit, or a tenth of its whole time before it,
if that is shorter."""


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
        self._end = math.inf
        """The time at which this process must end, by the monotonic clock; only Slurm sets one."""
        now = time.time()
        with suppress(KeyError, ValueError):
            end = float(os.environ[END_TIME])
            limit = end - float(os.environ.get(START_TIME, now))
            margin = min(MARGIN_SECONDS, max(limit, 0) / 10)
            self._end = time.monotonic() + end - now - margin

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
        if self.told is not None:
            status = os.EX_TEMPFAIL if self._signal is None else 128 + self._signal
            raise Stopped(f"stopped by {self.told}: the next attempt goes on from there", status)


def hide_interrupts() -> None:
    """Let Ctrl-C end this process without a traceback, whatever it is doing."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = show
