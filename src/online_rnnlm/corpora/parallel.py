"""Parallel work in processes, with results in the order of the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TypeVar

from online_rnnlm.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")

WAITING_PER_PROCESS = 4


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], processes: int
) -> Iterator[Result]:
    """Compute `map(function, items)` in so many processes: the same results in the same order.

    Items are drawn only as fast as they are processed, so a corpus of any size can be streamed.
    With `processes` 1, the work is done in this process. `function` must be picklable, as a
    `partial` is. Raises UserError if a process is killed.
    """
    if processes <= 1:
        yield from map(function, items)
        return
    # Processes are spawned, as a fork of a process that has threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_follow_parent)
    try:
        yield from _in_order(pool, function, items, processes * WAITING_PER_PROCESS)
    except BrokenProcessPool:
        raise UserError(
            "a worker process was killed, most likely for want of memory: try fewer processes"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    most_waiting: int,
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for item in items:
        with _interrupts_kept_back():  # the first call starts the processes
            waiting.append(pool.submit(function, item))
        if len(waiting) >= most_waiting:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextmanager
def _interrupts_kept_back() -> Iterator[None]:
    """Leave Ctrl-C to this process, after the block: processes that the block starts get none."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _follow_parent() -> None:
    """End when the parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
