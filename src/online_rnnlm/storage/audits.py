"""The result of an audit: whether each rule holds, and the shortest text that breaks it.

To import this module, the standard library is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

RuleName = Literal["causality", "normalisation", "score before update", "single pass", "reset"]
Status = Literal["holds", "broken", "not tested", "not claimed"]
_DESCRIBED = {"use_attribute_docstrings": True}
"""Settings for pydantic, by which the docstrings below describe the keys of `audits.json`."""


@dataclass(frozen=True)
class BrokenRule:
    """The shortest text found that breaks a rule of the audit."""

    __pydantic_config__: ClassVar = _DESCRIBED

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
    """log P (nats) of the word in the text, or the greatest sum of probabilities that is allowed;
    `null` if the word is not predicted, or its probability is 0."""
    after: float | None
    """log P (nats) of the word in the other text, or the sum of the probabilities; `null` as for
    `before`, and if the scorer has not answered in its time."""

    def __str__(self) -> str:
        """Return the place, the two numbers, and the lines of both texts."""
        others = self.other if self.other != self.text else ()
        lines = [f"line {self.line}, word {self.word}: {self.before} against {self.after}"]
        lines += [f"< {line}" for line in self.text] + [f"> {line}" for line in others]
        return "\n".join(f"  {line}" for line in lines)


@dataclass(frozen=True)
class AuditedRule:
    """A rule that an audit tried to break."""

    __pydantic_config__: ClassVar = _DESCRIBED

    rule: RuleName
    """The rule; docs/audit.md says what each means."""
    status: Status
    """`holds`: it could not be broken. `not tested`: the text or the scorer does not allow it.
    `not claimed`: the reset of a text of which nothing is said to be forgotten."""
    said: str
    """A sentence on the trials, the fault, or the reason why nothing could be tried."""
    shortest: BrokenRule | None = None
    """The shortest text that breaks the rule; `null` if none does."""


@dataclass(frozen=True)
class Audit:
    """The audit of something that scores text."""

    __pydantic_config__: ClassVar = _DESCRIBED

    name: str
    """The network and its corpus, the model, or the command."""
    tolerance: float
    """The difference of scores, in nats, and of sums of probabilities that is allowed."""
    rules: tuple[AuditedRule, ...]
    """The rules, all five."""

    @property
    def broken(self) -> list[str]:
        """The rules that are broken."""
        return [rule.rule for rule in self.rules if rule.status == "broken"]

    @property
    def not_tested(self) -> list[str]:
        """The rules that should hold but could not be tested."""
        return [rule.rule for rule in self.rules if rule.status == "not tested"]

    @property
    def failure(self) -> str:
        """Why this is no success, such as `broken: causality; not tested: reset`; "" if it is."""
        failed = {"broken": self.broken, "not tested": self.not_tested}
        return "; ".join(f"{how}: {', '.join(rules)}" for how, rules in failed.items() if rules)

    def __str__(self) -> str:
        """Return what people read: a line for each rule, and the texts that break it."""
        lines = []
        for rule in self.rules:
            lines.append(f"{rule.rule:<19} {rule.status:<11} {rule.said}")
            lines += [str(rule.shortest)] if rule.shortest else []
        return "\n".join(lines)
