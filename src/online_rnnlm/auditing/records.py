"""The record of the audits of an experiment's networks."""

from __future__ import annotations

from typing import ClassVar

from online_rnnlm.auditing.found import Audit
from online_rnnlm.storage.records import Record


class Audits(Record):
    """The audits of an experiment's networks, each scored as for its number in the table."""

    missing: ClassVar = "the networks have not been audited yet: run the experiment first"

    audits: tuple[Audit, ...]
    """One for the first run of each row, if it has finished."""
