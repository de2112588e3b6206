"""The display of progress: a bar on a terminal, or a line in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


def progress(items: Iterable[Item], unit: str) -> Iterator[Item]:
    """Yield the items, counted by a bar on a terminal and by a log line at the end."""
    from tqdm import tqdm  # noqa: PLC0415  # `snakemake --lint` does not need it

    start = time.monotonic()
    number = 0
    for item in tqdm(items, unit=f" {unit}", disable=None, leave=False):
        number += 1
        yield item
    logger.info("%d %s in %.1f s", number, unit, time.monotonic() - start)
