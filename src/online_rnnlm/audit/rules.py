"""An audit of whatever scores text and may learn from it, by its answers alone.

The rules are pairs of texts in which the same words must have the same scores, and sums of
probabilities. A text that breaks a rule is shrunk to the shortest one found that still does.
docs/audit.md says what the rules mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import accumulate, chain
from random import Random
from typing import ClassVar, Literal, NamedTuple

from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.storage.records import Part, Record

Text = tuple[str, ...]
"""Words, with an `END` after each sentence, and one more, an empty line, after each document."""
Logs = Sequence[float]
"""Natural log P of words."""
Ask = Callable[[Text, Sequence[str]], Logs]
"""A function that returns log P of candidates for the place of a text's last word."""
END = "\n"
_ENDS: dict[UnitOfText, Text] = {"sentence": (END,), "document": (END, END), "stream": (END,)}
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
        return [rule.rule for rule in self.rules if rule.status == "broken"]


class Audits(Record):
    """The audits of an experiment's networks, each scored as for its number in the table."""

    file: ClassVar = "audits.json"
    missing: ClassVar = "the networks have not been audited yet: run the experiment first"

    audits: tuple[Audit, ...]
    """One for the first run of each row, if it has finished."""


@dataclass(frozen=True)
class AuditedScorer:
    """Something that scores texts; every call begins anew."""

    score: Callable[[Text], Logs]
    """Returns log P of all that a text consists of; 0 where nothing is predicted."""
    unit: UnitOfText
    """The unit of text at whose start all that was learnt is said to be forgotten."""
    vocabulary: Sequence[str] = ()
    """All that can be predicted, `END` for the end of a sentence; empty if it is not known."""
    most: int = 50
    """Number of words to try in a place if each needs a call."""
    ask: Ask | None = None
    """None if it cannot be asked for candidates."""
    halves: Callable[[Text, Text], Logs] | None = None
    """Scores a text, sending its second part only once the first is answered; empty if it is not.

    None if there is no sending.
    """


class Attempt(NamedTuple):
    """An attempt to break a rule by two parts of a text."""

    find: Callable[[Text, Text], BrokenRule | None]
    """Returns what breaks the rule with two parts, which may be shorter ones; None if nothing."""
    first: Text
    second: Text = ()

    def broken_rule(self) -> BrokenRule | None:
        """Make the attempt: what breaks the rule, or None."""
        return self.find(self.first, self.second)


def with_ends(vocabulary: Sequence[str]) -> list[str]:
    """Return a vocabulary with `END` in place of `</s>`, each word once."""
    return [*dict.fromkeys(END if word == SENTENCE_END else word for word in vocabulary)]


def lines_of(text: Text) -> list[list[str]]:
    """Return the words of each line of a text; the last line may lack its end."""
    lines = [[word for word in line.split(" ") if word] for line in " ".join(text).split(END)]
    return lines if lines[-1] else lines[:-1]


def last_unit(text: Text, unit: UnitOfText) -> Text:
    """Return a text's last, unfinished unit; nothing if the text ends with a unit."""
    ends = _ENDS[unit]
    borders = (n for n in range(len(text), 0, -1) if text[:n][-len(ends) :] == ends)
    return text if unit == "stream" else text[next(borders, 0) :]


def joined(lines: Sequence[Sequence[str]], scores: Sequence[Logs]) -> list[float]:
    """Return the scores of a text from those of its lines, whose ends may not be predicted."""
    pairs = zip(lines, scores, strict=True)
    return [log for words, logs in pairs for log in (*logs, 0.0)[: len(words) + 1]]


def ended(text: Text, ends: Text = (END,)) -> Text:
    """Return a text with these ends: more are added until it has them."""
    while text[-len(ends) :] != ends:
        text = (*text, END)
    return text


def has_place(text: Text) -> bool:
    """Return True if a text ends within a sentence, or with the end of one that has words."""
    return len(text) > 1 and text[-2] != END


def audit(name: str, scorer: AuditedScorer, text: Text, places: int, tolerance: float) -> Audit:
    """Audit a scorer on a text of some sentences, at so many drawn places of it."""
    auditor = Auditor(scorer, text, places, tolerance)
    rules = (
        auditor.reset(),  # the others need to know whether it is broken
        auditor.causality(),
        auditor.normalisation(),
        auditor.score_before_update(),
        auditor.single_pass(),
    )
    return Audit(name=name, tolerance=tolerance, rules=rules)


class Auditor:
    """The rules, tried on one scorer with one text."""

    def __init__(self, scorer: AuditedScorer, text: Text, places: int, tolerance: float) -> None:
        self.scorer = scorer
        self.text = text
        self.places = places
        self.tolerance = tolerance
        self.unit = scorer.unit
        """The unit of text; the whole text once the rule `reset` is broken."""
        self.chance = Random(1)
        self.score = lru_cache(maxsize=200)(self.score_anew)

    def score_anew(self, text: Text) -> Logs:
        """Let the scorer score a text; `score` does so only if it has not scored it lately."""
        return self.scorer.score(ended(text))[: len(text)] if text else ()

    def drawn(self, numbers: Sequence[int]) -> list[int]:
        """Draw the places to try from these."""
        return sorted(self.chance.sample(numbers, min(self.places, len(numbers))))

    @cached_property
    def parts(self) -> list[tuple[Text, Text]]:
        """The text cut in two at the drawn places."""
        return [(self.text[:n], self.text[n:]) for n in self.drawn(range(1, len(self.text)))]

    @cached_property
    def predicted(self) -> list[int]:
        """The places of the words that the scorer predicts."""
        scores = self.score(self.text)
        return [n for n, log in enumerate(scores) if log and has_place(self.text[: n + 1])]

    @cached_property
    def beginnings(self) -> list[Text]:
        """The text up to drawn words that are predicted, and up to the most probable one: where a
        sum is too large, it is likely so there."""
        scores = self.score(self.text)
        surest = sorted(self.predicted, key=lambda n: scores[n])[-1:]
        return [self.text[: n + 1] for n in sorted({*self.drawn(self.predicted), *surest})]

    @cached_property
    def candidates(self) -> tuple[list[str], bool]:
        """The words to try in a place, and True if there are no others."""
        ends = any(self.text[n] == END for n in self.predicted)
        known = self.scorer.vocabulary
        if known and ends and END not in known:
            raise UserError("the vocabulary has no `</s>`, but the end of a sentence is scored")
        in_one_call = self.scorer.ask or self.unit != "stream"
        most = len({*known, *self.text}) if in_one_call else self.scorer.most
        exact = 0 < len(known) <= most
        words = dict.fromkeys(known if exact else reversed(self.text))
        return [word for word in words if ends or word != END][:most], exact

    def reset(self) -> AuditedRule:
        """Let two parts of the text that begin with a unit change places."""
        text = self.text
        unit = self.unit
        ends = _ENDS[unit]

        def moved(first: Text, second: Text) -> BrokenRule | None:
            first = ended(first, ends)
            second = ended(second, ends)
            moved_scores = self.score(second + first)
            in_order = [*moved_scores[len(second) :], *moved_scores[: len(second)]]
            said = f"{{}} has another score if {unit}s change places"
            scores = self.score(first + second)
            return self.difference(said, first + second, second + first, scores, in_order)

        borders = [n for n in range(len(ends), len(text)) if text[n - len(ends) : n] == ends]
        drawn = [] if unit == "stream" else self.drawn(borders)
        attempts = [Attempt(moved, text[:n], text[n:]) for n in drawn]
        rule = self.tried("reset", attempts, "" if attempts else f"; the text is one {unit}")
        if rule.status == "broken":
            self.unit = "stream"
        return rule

    def causality(self) -> AuditedRule:
        """Change what follows."""

        def later(
            how: str, change: Callable[[Text], Text], first: Text, second: Text
        ) -> BrokenRule | None:
            text = first + second
            other = first + change(second)
            before = self.score(text)[: len(first)]
            after = self.score(other)[: len(first)]
            said = f"{{}} has another score if what follows {how}"
            return self.difference(said, text, other, before, after)

        changes: dict[str, Callable[[Text], Text]] = {
            "is cut off": lambda _: (),
            "is other words": lambda second: self.text[: len(second)],
            "is shuffled": lambda second: tuple(Random(1).sample(second, len(second))),
        }
        attempts = [
            Attempt(partial(later, how, change), first, second)
            for how, change in changes.items()
            for first, second in self.parts
        ]
        return self.tried("causality", attempts)

    def normalisation(self) -> AuditedRule:
        """Add up the probabilities of candidates for a place."""
        ask = self.scorer.ask
        words, exact = self.candidates
        said = f"the probabilities of {len(words)} words add up to another sum in the place of {{}}"
        said += "" if ask else ", or each is learnt before it is scored"

        def add_up(first: Text, _: Text) -> BrokenRule | None:
            if not has_place(first):
                return None
            logs = ask(first, words) if ask else self.put_in(first[:-1], words)
            # Words that a scorer does not know have the score of `<unk>`, which counts once.
            counted = logs if exact else {*logs}
            total = math.fsum(math.exp(min(log, 99.0)) for log in counted)
            most = 1.0 if exact else min(total, 1.0)
            return self.difference(said, first, first, [most], [total], len(first) - 1)

        attempts = [Attempt(add_up, first) for first in self.beginnings]
        kind = "the sum over all" if exact else "a lower bound of the sum, over"
        return self.tried("normalisation", attempts, f"; {kind} {len(words)} words")

    def put_in(self, before: Text, words: Sequence[str]) -> list[float]:
        """Return the score of each of these words in the place after others."""
        if self.unit == "stream":
            return [self.score_anew((*before, word))[-1] for word in words]
        alone = last_unit(before, self.unit)  # all that comes before is said to be forgotten
        units = [ended((*alone, word), _ENDS[self.unit]) for word in words]
        scores = self.score_anew(tuple(chain.from_iterable(units)))
        return [scores[n + len(alone)] for n in accumulate(map(len, units[:-1]), initial=0)]

    def score_before_update(self) -> AuditedRule:
        """Let the text come once more, and ask for its words as candidates."""

        def repeated(first: Text, _: Text) -> BrokenRule | None:
            once = ended(first)
            twice = once * 2
            after = self.score(twice)[: len(once)]
            said = "{} has another score if the text is there once more after it"
            return self.difference(said, once, twice, self.score(once), after)

        attempts = [
            Attempt(repeated, text) for text in (self.text, *(one for one, _ in self.parts))
        ]
        ask = self.scorer.ask
        if ask is None:
            weak = "; weak without --ask: see normalisation, too"
            return self.tried("score before update", attempts, weak)
        words, _ = self.candidates

        def asked(first: Text, _: Text) -> BrokenRule | None:
            if not has_place(first):
                return None
            before = self.score(first)[-1:]
            said = "{} has another score than as a candidate"
            after = ask(first, first[-1:])
            return self.difference(said, first, first, before, after, len(first) - 1)

        def with_another(first: Text, _: Text) -> BrokenRule | None:
            others = [word for word in words if word not in (*first[-1:], END)]
            if not others or not has_place(first):
                return None
            other = (*first[:-1], others[0])
            before = ask(first, words)
            after = ask(other, words)
            said = "candidate {} has another score if another word is there: the word was known"
            return self.difference(said, first, other, before, after, len(first) - 1, words)

        attempts += [Attempt(asked, first) for first in self.beginnings]
        attempts += [Attempt(with_another, first) for first in self.beginnings]
        return self.tried("score before update", attempts)

    def single_pass(self) -> AuditedRule:
        """Score the text in a second run, and send its second half after the first is answered."""
        text = self.text
        halves = self.scorer.halves

        def again(first: Text, _: Text) -> BrokenRule | None:
            said = "{} has another score in a second run"
            before = self.score(first)
            return self.difference(said, first, first, before, self.score_anew(first))

        attempts = [Attempt(again, text)]
        if halves is not None:

            def sent_in_halves(first: Text, second: Text) -> BrokenRule | None:
                first = ended(first)
                second = ended(second)
                both = first + second
                said = "{} has another score if what follows is sent after the answer"
                after = halves(first, second)
                if not after:
                    said = "no answer before what follows is sent: is each line flushed?"
                return self.difference(said, both, both, self.score(both), after)

            middle = text.index(END, len(text) // 2 - 1) + 1
            attempts.append(Attempt(sent_in_halves, text[:middle], text[middle:]))
        return self.tried("single pass", attempts)

    def tried(self, rule: RuleName, attempts: Sequence[Attempt], said: str = "") -> AuditedRule:
        """Try to break a rule until it is broken."""
        for attempt in attempts:
            shown = attempt.broken_rule()
            if shown is not None:
                if shown.after is not None:  # waiting for no answer again and again takes long
                    # What differs from run to run may not do so once more.
                    shown = shrunk(attempt).broken_rule() or shown
                return AuditedRule(rule=rule, status="broken", said=shown.said, shortest=shown)
        status: Status = "holds" if attempts else "not tested"
        return AuditedRule(rule=rule, status=status, said=f"trials: {len(attempts)}{said}")

    def difference(
        self,
        said: str,
        text: Text,
        other: Text,
        before: Logs,
        after: Logs,
        place: int | None = None,
        candidates: Sequence[str] = (),
    ) -> BrokenRule | None:
        """Return what the first scores that differ show; None if all are equal.

        `before` are scores of a text, `after` those that must be equal to them, most of them of
        another text. They are of the text's places in order, or all of one `place` and, in order,
        of `candidates` there. In `said`, `{}` stands for the word whose scores differ.
        """
        for number, expected in enumerate(before):
            found = after[number] if number < len(after) else math.nan
            if expected != found and not abs(expected - found) <= self.tolerance:
                at = number if place is None else place
                name = candidates[number] if candidates else text[at]
                word = SENTENCE_END if name == END else name
                line_start = max((n + 1 for n in range(at) if text[n] == END), default=0)
                return BrokenRule(
                    said=said.format(f"`{word}`"),
                    text=tuple(map(" ".join, lines_of(text))),
                    other=tuple(map(" ".join, lines_of(other))),
                    line=text[:at].count(END) + 1,
                    word=at - line_start + 1,
                    before=expected if math.isfinite(expected) else None,
                    after=found if math.isfinite(found) else None,
                )
        return None


def shrunk(attempt: Attempt) -> Attempt:
    """Return an attempt with the shortest parts found that break the rule."""
    for part in ("second", "first", "second"):
        size = len(getattr(attempt, part))
        while size:
            at = 0
            while at < len(text := getattr(attempt, part)):
                fewer = attempt._replace(**{part: text[:at] + text[at + size :]})
                if fewer.broken_rule() is not None:
                    attempt = fewer
                else:
                    at += size
            size //= 2
    return attempt
