"""A bar on a terminal, a line in a log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


def progress(items: Iterable[Item], unit: str) -> Iterator[Item]:
    """The items as they come: counted by a bar on a terminal, and by a log line at the end."""
    from tqdm import tqdm  # noqa: PLC0415  # `snakemake --lint` can do without

    start = time.monotonic()
    number = 0
    for item in tqdm(items, unit=f" {unit}", disable=None, leave=False):
        number += 1
        yield item
    logger.info("%d %s in %.1f s", number, unit, time.monotonic() - start)
