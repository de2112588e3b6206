"""Kill a process at each of its writes, one after the other, and let another one finish its work.

SQLite tests its storage like that (`do_ioerr_test`): fail the first write, then the second, and so
on until none fails, and compare what is there in the end with what undisturbed work leaves.
"""

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

WRITES = ("os.rename", "os.link", "os.remove", "os.truncate", "os.mkdir", "shutil.rmtree")
Work = Callable[[Path], None]


def in_a_process(work: Callable[[], None]) -> int:
    """Run a function in a fork of this process; return its exit status as `waitpid` has it."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


def dies_at(number: int, folder: Path) -> None:
    """Let this process be killed just before its write of that number, from 1, below a folder.

    A write is all that changes what the next process finds: a temporary file counts when it gets
    its name, not when it is begun.
    """
    counted = itertools.count(1)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR) and not str(path).endswith(".tmp")
        else:
            path = arguments[0] if arguments else None
            writes = event in WRITES
            writes = writes and not (event == "os.remove" and str(path).endswith(".tmp"))
        ours = writes and isinstance(path, (str, bytes, os.PathLike))
        if ours and Path(os.fsdecode(path)).is_relative_to(folder) and next(counted) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(note)


def killed_at_every_write(
    prepared: Path, place: Path, work: Work, outcome: Callable[[Path], Any]
) -> int:
    """Kill `work` at each of its writes, finish it, and compare the outcomes; count the writes.

    `work` gets a fresh copy of the folder `prepared`, always at the path `place`. Every process is
    a fork of this one, which should have loaded what they need. Raises AssertionError if a process
    cannot finish the work of a killed one, or finishes it with another outcome.
    """
    shutil.copytree(prepared, place)
    assert in_a_process(lambda: work(place)) == 0
    expected = outcome(place)
    for number in itertools.count(1):
        shutil.rmtree(place)
        shutil.copytree(prepared, place)

        def killed(number: int = number) -> None:
            dies_at(number, place)
            work(place)

        ended = in_a_process(killed)
        if ended == 0:
            return number - 1
        assert ended == signal.SIGKILL, f"killed at write {number}: {ended}"
        assert in_a_process(lambda: work(place)) == 0, f"after a kill at write {number}"
        assert outcome(place) == expected, f"after a kill at write {number}"
        left = [file for file in place.rglob("*.tmp") if file.is_file()]
        assert not left, f"after a kill at write {number}: {left}"
    raise AssertionError
