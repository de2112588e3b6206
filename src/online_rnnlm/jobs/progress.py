"""The progress of trainings, told by the process that starts them as jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from online_rnnlm.storage.paths import RunDirectory

_POLLING_SECONDS = 2.0


def follow_trainings(
    directories: Iterable[RunDirectory],
    tell: Callable[[str], None],
    seconds: float = _POLLING_SECONDS,
) -> None:
    """Begin to call `tell` with each line that is added to the logs of runs, after the run's name.

    A thread looks for new lines every `seconds` (s), until this process ends. It reads files, so it
    follows jobs on other machines, too.
    """
    logs = [_Log(directory) for directory in directories]

    def follow() -> None:
        while True:
            time.sleep(seconds)
            for log in logs:
                for line in log.new_lines():
                    tell(line)

    threading.Thread(target=follow, daemon=True).start()


class _Log:
    """The log of a run, and how many of its bytes have been read."""

    def __init__(self, directory: RunDirectory) -> None:
        self._file = directory.log
        self._run = directory.path.name
        self._read = self._size()

    def new_lines(self) -> list[str]:
        """Return the complete lines that were added since the last call, without their times."""
        size = self._size()
        if size < self._read:  # the run has begun anew
            self._read = 0
        if size == self._read:
            return []
        with self._file.open("rb") as file:
            file.seek(self._read)
            added = file.read().rpartition(b"\n")
        self._read += len(added[0]) + len(added[1])
        lines = added[0].decode(errors="replace").splitlines()
        return [f"{self._run}: {line.split(' ', 2)[-1]}" for line in lines]

    def _size(self) -> int:
        return self._file.stat().st_size if self._file.is_file() else 0
