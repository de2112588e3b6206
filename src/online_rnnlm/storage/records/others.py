"""The records of an experiment as a whole."""

from __future__ import annotations

from typing import ClassVar, Literal

from online_rnnlm.storage.records.base import Part, Record


class Complete(Record):
    """The mark of an experiment that lacks nothing; it is not there if anything has diverged."""

    file: ClassVar = "complete.json"

    trainings: int
    """Number of trainings, all of which have finished."""


class Tracked(Record):
    """The entries of an experiment in MLflow."""

    file: ClassVar = "tracking/tracked.json"

    store: str
    """Address of the store."""
    runs: dict[str, str]
    """MLflow's id of every entry, by its name: a run's name, or `summary of <corpus>` for the
    tables, figures and report of a corpus."""


class ResultsFolder(Record):
    """The identity of an experiment's folder in MLflow, which stays when the folder is moved."""

    file: ClassVar = "tracking/directory.json"

    id: str
    """A random name that the folder's entries in MLflow carry."""


class Captions(Record):
    """The captions of the figures."""

    file: ClassVar = "figures/captions.json"
    missing: ClassVar = "draw the figures first"

    captions: dict[str, str]
    """Captions by the figures' names."""


RuleName = Literal["causality", "normalisation", "score before update", "single pass", "reset"]
Status = Literal["holds", "broken", "not tested"]


class BrokenRule(Part):
    """The shortest text found that breaks a rule of the audit."""

    said: str
    """A sentence that says what does not hold."""
    text: tuple[str, ...]
    """Its lines: tokenised sentences, and an empty line after each document."""
    other: tuple[str, ...]
    """The text that it is compared with, which can be the same."""
    line: int
    """Number, from 1, of the line of the text with the word in question."""
    word: int
    """Number of that word in its line, from 1; the end of a sentence counts as its last word."""
    before: float | None
    """log P (nats) of the word in the text, or the greatest sum allowed; `null`: none, or no number
    that is finite."""
    after: float | None
    """log P in the other text, or the sum of the probabilities; `null` as above."""


class AuditedRule(Part):
    """A rule that an audit tried to break."""

    rule: RuleName
    """The rule; docs/audit.md says what each means."""
    status: Status
    """`holds`: it could not be broken. `not tested`: the text or the scorer does not allow it."""
    said: str
    """A sentence on the trials, the fault, or the reason why nothing could be tried."""
    shortest: BrokenRule | None = None
    """The shortest text that breaks the rule; `null` if none does."""


class Audit(Part):
    """The audit of something that scores text."""

    name: str
    """The network and its corpus, the model, or the command."""
    tolerance: float
    """The difference of scores, in nats, and of sums of probabilities that is allowed."""
    rules: tuple[AuditedRule, ...]
    """The rules, all five."""

    @property
    def broken(self) -> list[str]:
        """The rules that are broken."""
        return [one.rule for one in self.rules if one.status == "broken"]


class Audits(Record):
    """The audits of an experiment's networks, each scored as for its number in the table."""

    file: ClassVar = "audits.json"
    missing: ClassVar = "the networks have not been audited yet: run the experiment first"

    audits: tuple[Audit, ...]
    """One for the first run of each row, if it has finished."""
