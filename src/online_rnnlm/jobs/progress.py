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
    read = {directory: _log_size(directory) for directory in directories}

    def follow() -> None:
        while True:
            time.sleep(seconds)
            for directory, place in read.items():
                begin = place if _log_size(directory) >= place else 0  # the run has begun anew
                lines = _lines_after(directory, begin)
                read[directory] = begin + sum(map(len, lines))
                for line in lines:
                    said = line.decode(errors="replace").rstrip("\n")
                    tell(f"{directory.path.name}: {said.split(' ', 2)[-1]}")  # without its time

    threading.Thread(target=follow, daemon=True).start()


def _log_size(directory: RunDirectory) -> int:
    return directory.log.stat().st_size if directory.log.is_file() else 0


def _lines_after(directory: RunDirectory, place: int) -> list[bytes]:
    """Return the complete lines of a run's log after a number of bytes."""
    if _log_size(directory) == place:
        return []
    with directory.log.open("rb") as file:
        file.seek(place)
        return [line for line in file if line.endswith(b"\n")]
