"""The records of an experiment as a whole."""

from __future__ import annotations

from typing import ClassVar

from online_rnnlm.storage.records import Record


class Captions(Record):
    """The captions of the figures."""

    missing: ClassVar = "draw the figures first"

    captions: dict[str, str]
    """Captions by the figures' names."""


class Complete(Record):
    """The mark of an experiment that lacks nothing; it is not there if anything has diverged."""

    trainings: int
    """Number of trainings, all of which have finished."""
