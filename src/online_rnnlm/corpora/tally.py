"""Counting of what a stage of a corpus's preparation reads and drops, so that nothing gets lost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory
from online_rnnlm.storage.records import Counts

EMPTY = "empty"
TOO_SHORT, TOO_LONG, DUPLICATE = "too short", "too long", "duplicate"
CUT_OFF, NOT_SAMPLED = "cut off with an article", "not sampled"
logger = logging.getLogger(__name__)
Item = TypeVar("Item")


class Tally:
    """The number of articles or sentences that a stage has read, and of those that it dropped."""

    def __init__(self) -> None:
        self._read = 0
        self.dropped: Counter[str] = Counter()
        """The numbers of those that were dropped, by reason."""

    @property
    def kept(self) -> int:
        """Number of those that were not dropped."""
        return self._read - self.dropped.total()

    def reading(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, each counted as read."""
        for item in items:
            self._read += 1
            yield item

    def drop(self, reason: str, number: int = 1) -> None:
        """Count some of those that were read as dropped."""
        if number:
            self.dropped[reason] += number

    def __str__(self) -> str:
        """Return the number that was read and the reasons, such as `7 read, 2 too short`."""
        reasons = (f"{number} {reason}" for reason, number in self.dropped.items())
        return ", ".join([f"{self._read} read", *reasons])

    def write(self, directory: CorpusDirectory, stage: str) -> None:
        """Write the numbers of a stage into its file and into the log."""
        records.write(directory.counts(stage), Counts(read=self._read, dropped=dict(self.dropped)))
        logger.info("%s: %s", stage, self)
