"""The records of an experiment as a whole."""

from __future__ import annotations

from typing import ClassVar

from online_rnnlm.storage.audits import Audit
from online_rnnlm.storage.records import Record


class Audits(Record):
    """The audits of an experiment's networks, each scored as for its number in the table."""

    missing: ClassVar = "the networks have not been audited yet: run the experiment first"

    audits: tuple[Audit, ...]
    """One for the first run of each row, if it has finished."""


class Captions(Record):
    """The captions of the figures."""

    missing: ClassVar = "draw the figures first"

    captions: dict[str, str]
    """Captions by the figures' names."""


class Complete(Record):
    """The mark of an experiment that lacks nothing; it is not there if anything has diverged."""

    trainings: int
    """Number of trainings, all of which have finished."""
