"""Waiting for what must be seen, for as long as it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 1800.0
"""Seconds: a net for what hangs. No test that works comes near it, however slow the machine."""

Seen = TypeVar("Seen")


def wait_until(condition: Callable[[], Seen], what: str = "what is waited for") -> Seen:
    """What the condition gives, as soon as that is something."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: not after {PATIENCE:g} s"
        time.sleep(0.02)
    return value
