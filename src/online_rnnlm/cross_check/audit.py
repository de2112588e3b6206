"""An audit of whatever scores text and may learn from it, by its answers alone.

The rules are pairs of texts in which the same words must have the same scores, and sums of
probabilities. A text that breaks a rule is shrunk to the shortest one found that still does.
docs/audit.md says what the rules mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, chain
from random import Random
from typing import ClassVar, Literal, NamedTuple

from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.corpora.corpus import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.storage.records import Part, Record

Text = tuple[str, ...]
"""Words, with an `END` after each sentence, and one more, an empty line, after each document."""
Scores = Sequence[float]
Ask = Callable[[Text, Sequence[str]], Scores]
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
        return [one.rule for one in self.rules if one.status == "broken"]


class Audits(Record):
    """The audits of an experiment's networks, each scored as for its number in the table."""

    file: ClassVar = "audits.json"
    missing: ClassVar = "the networks have not been audited yet: run the experiment first"

    audits: tuple[Audit, ...]
    """One for the first run of each row, if it has finished."""


@dataclass(frozen=True)
class Scorer:
    """Something that scores texts; every call begins anew."""

    score: Callable[[Text], Scores]
    """Returns natural log P of all that a text consists of; 0 where nothing is predicted."""
    unit: UnitOfText
    """The unit of text at whose start all that was learnt is said to be forgotten."""
    vocabulary: Sequence[str] = ()
    """All that can be predicted, `END` for the end of a sentence; empty if it is not known."""
    most: int = 50
    """Number of words to try in a place if each needs a call."""
    ask: Ask | None = None
    """None if it cannot be asked for candidates."""
    halves: Callable[[Text, Text], Scores] | None = None
    """Scores a text, sending its second part only once the first is answered; empty if it is not.

    None if there is no sending.
    """


class Compared(NamedTuple):
    """Scores of a text, and those that they must be equal to, most of them of another text."""

    text: Text
    other: Text
    before: Scores
    after: Scores
    place: int | None = None
    """The place in the text that all scores are of; None: they are of its places in order."""
    names: Sequence[str] = ()
    """The candidates that the scores belong to; empty if they belong to words of the text."""
    said: str = ""
    """A sentence for a difference, in place of the trial's own."""


class Trial(NamedTuple):
    """A comparison made with two parts of a text, and the sentence for the case that it fails."""

    said: str
    compare: Callable[[Text, Text], Compared]
    first: Text
    second: Text = ()
    in_place: bool = False
    """True if the comparison is of the place of the first text's last word."""


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


def joined(lines: Sequence[Sequence[str]], scores: Sequence[Scores]) -> list[float]:
    """Return the scores of a text from those of its lines, whose ends may not be predicted."""
    pairs = zip(lines, scores, strict=True)
    return [log for words, logs in pairs for log in (*logs, 0.0)[: len(words) + 1]]


def audit(name: str, scorer: Scorer, text: Text, places: int, tolerance: float) -> Audit:
    """Audit a scorer on a text of some sentences, at so many drawn places of it."""
    rules = _Auditor(scorer, text, places, tolerance).rules()
    return Audit(name=name, tolerance=tolerance, rules=tuple(rules))


class _Auditor:
    """The rules, tried on one scorer with one text."""

    def __init__(self, scorer: Scorer, text: Text, places: int, tolerance: float) -> None:
        self._scorer, self._text, self._tolerance = scorer, text, tolerance
        self._chance, self._places, self._unit = Random(1), places, scorer.unit
        self._score = lru_cache(maxsize=200)(self._new_score)

    def _drawn(self, numbers: Sequence[int]) -> list[int]:
        return sorted(self._chance.sample(numbers, min(self._places, len(numbers))))

    def _new_score(self, text: Text) -> Scores:
        return self._scorer.score(_ended(text, (END,)))[: len(text)] if text else ()

    def rules(self) -> Iterator[AuditedRule]:
        """Try all rules."""
        text, unit, ends = self._text, self._unit, _ENDS[self._unit]
        borders = [n for n in range(len(ends), len(text)) if text[n - len(ends) : n] == ends]
        said = f"{{}} has another score if {unit}s change places"
        drawn = self._drawn(borders) if unit != "stream" else []
        moved = [Trial(said, self._moved, text[:n], text[n:]) for n in drawn]
        reset = self._tried("reset", moved, "" if moved else f"; the text is one {unit}")
        if reset.status == "broken":
            self._unit = "stream"
        yield reset

        parts = [(text[:n], text[n:]) for n in self._drawn(range(1, len(text)))]
        changes: dict[str, Callable[[Text], Text]] = {
            "is cut off": lambda _: (),
            "is other words": lambda later: text[: len(later)],
            "is shuffled": lambda later: tuple(Random(1).sample(later, len(later))),
        }
        said = "{} has another score if what follows "
        later = [
            Trial(said + how, partial(self._later, change), *two)
            for how, change in changes.items()
            for two in parts
        ]
        yield self._tried("causality", later)

        scores = self._score(text)
        predicted = [n for n, log in enumerate(scores) if log and _has_place(text[: n + 1])]
        # Where a word is most probable, a sum that is too large is likely.
        surest = sorted(predicted, key=lambda n: scores[n])[-1:]
        until = [text[: n + 1] for n in sorted({*self._drawn(predicted), *surest})]
        words, exact = self._candidates(ends=any(text[n] == END for n in predicted))
        said = f"the probabilities of {len(words)} words add up to another sum in the place of {{}}"
        said += "" if self._scorer.ask else ", or each is learnt before it is scored"
        add_up = partial(self._sum, words, exact)
        sums = [Trial(said, add_up, first, in_place=True) for first in until]
        kind = "the sum over all" if exact else "a lower bound of the sum, over"
        yield self._tried("normalisation", sums, f"; {kind} {len(words)} words")

        said = "{} has another score if the text is there once more after it"
        before = [Trial(said, self._repeated, first) for first, _ in [(text, ()), *parts]]
        weak = "; weak without --ask: see normalisation, too"
        if ask := self._scorer.ask:
            said, weak = "{} has another score than as a candidate", ""
            known = "candidate {} has another score if another word is there: the word was known"
            ways = {said: partial(self._asked, ask), known: partial(_known, ask, words)}
            before += [Trial(*way, a, in_place=True) for way in ways.items() for a in until]
        yield self._tried("score before update", before, weak)

        runs = [Trial("{} has another score in a second run", self._again, text)]
        if self._scorer.halves:
            middle = text.index(END, len(text) // 2 - 1) + 1
            said = "{} has another score if what follows is sent after the answer"
            runs.append(Trial(said, self._halves, text[:middle], text[middle:]))
        yield self._tried("single pass", runs)

    def _later(self, change: Callable[[Text], Text], a: Text, b: Text) -> Compared:
        other = a + change(b)
        return Compared(a + b, other, self._score(a + b)[: len(a)], self._score(other)[: len(a)])

    def _candidates(self, *, ends: bool) -> tuple[list[str], bool]:
        """Return the words to try in a place, and True if there are no others."""
        known, one_call = self._scorer.vocabulary, self._scorer.ask or self._unit != "stream"
        if known and ends and END not in known:
            raise UserError("the vocabulary has no `</s>`, but the end of a sentence is scored")
        most = len({*known, *self._text}) if one_call else self._scorer.most
        exact = 0 < len(known) <= most
        words = dict.fromkeys(known if exact else reversed(self._text))
        return [word for word in words if ends or word != END][:most], exact

    def _sum(self, words: Sequence[str], exact: bool, a: Text, _: Text) -> Compared:
        ask = self._scorer.ask
        logs = ask(a, words) if ask else self._put_in(a[:-1], words)
        # Words that a scorer does not know have the score of `<unk>`, which counts once.
        counted = logs if exact else {*logs}
        total = math.fsum(math.exp(min(log, 99.0)) for log in counted)
        return Compared(a, a, [1.0 if exact else min(total, 1.0)], [total], len(a) - 1)

    def _put_in(self, before: Text, words: Sequence[str]) -> list[float]:
        """Return the score of each of these words in the place after others."""
        if self._unit == "stream":
            return [self._new_score((*before, word))[-1] for word in words]
        alone = last_unit(before, self._unit)  # all that comes before is said to be forgotten
        units = [_ended((*alone, word), _ENDS[self._unit]) for word in words]
        scores = self._new_score(tuple(chain.from_iterable(units)))
        return [scores[n + len(alone)] for n in accumulate(map(len, units[:-1]), initial=0)]

    def _repeated(self, a: Text, _: Text) -> Compared:
        once = _ended(a, (END,))
        return Compared(once, once * 2, self._score(once), self._score(once * 2)[: len(once)])

    def _asked(self, ask: Ask, a: Text, _: Text) -> Compared:
        return Compared(a, a, self._score(a)[-1:], ask(a, a[-1:]), len(a) - 1)

    def _again(self, a: Text, _: Text) -> Compared:
        return Compared(a, a, self._score(a), self._new_score(a))

    def _halves(self, a: Text, b: Text) -> Compared:
        assert self._scorer.halves is not None
        a, b = (_ended(text, (END,)) for text in (a, b))
        after = self._scorer.halves(a, b)
        said = "" if after else "no answer before what follows is sent: is each line flushed?"
        return Compared(a + b, a + b, self._score(a + b), after, said=said)

    def _moved(self, a: Text, b: Text) -> Compared:
        a, b = (_ended(text, _ENDS[self._unit]) for text in (a, b))
        moved = self._score(b + a)
        return Compared(a + b, b + a, self._score(a + b), [*moved[len(b) :], *moved[: len(b)]])

    def _tried(self, rule: RuleName, trials: Sequence[Trial], said: str = "") -> AuditedRule:
        """Try to break a rule until it is broken."""
        for trial in trials:
            if (found := self._broken(trial)) is not None:
                if found.after is not None:  # waiting for no answer again and again takes long
                    # What differs from run to run may not do so once more.
                    found = self._broken(self._shrunk(trial)) or found
                return AuditedRule(rule=rule, status="broken", said=found.said, shortest=found)
        status: Status = "holds" if trials else "not tested"
        return AuditedRule(rule=rule, status=status, said=f"trials: {len(trials)}{said}")

    def _broken(self, trial: Trial) -> BrokenRule | None:
        """Return what the first scores that differ show; None if all are equal."""
        if trial.in_place and not _has_place(trial.first):
            return None
        text, other, before, after, place, names, said = trial.compare(trial.first, trial.second)
        for number, log in enumerate(before):
            now = after[number] if number < len(after) else math.nan
            if log != now and not abs(log - now) <= self._tolerance:
                at = number if place is None else place
                name = names[number] if names else text[at]
                return BrokenRule(
                    said=(said or trial.said).format(f"`{SENTENCE_END if name == END else name}`"),
                    text=tuple(map(" ".join, lines_of(text))),
                    other=tuple(map(" ".join, lines_of(other))),
                    line=text[:at].count(END) + 1,
                    word=at - max((n + 1 for n in range(at) if text[n] == END), default=0) + 1,
                    before=log if math.isfinite(log) else None,
                    after=now if math.isfinite(now) else None,
                )
        return None

    def _shrunk(self, trial: Trial) -> Trial:
        """Return the trial with the shortest parts found that break the rule."""
        for part in ("second", "first", "second"):
            size = len(getattr(trial, part))
            while size:
                at = 0
                while at < len(text := getattr(trial, part)):
                    fewer = trial._replace(**{part: text[:at] + text[at + size :]})
                    is_broken = self._broken(fewer) is not None
                    trial, at = (fewer, at) if is_broken else (trial, at + size)
                size //= 2
        return trial


def _known(ask: Ask, words: Sequence[str], a: Text, _: Text) -> Compared:
    """Compare candidates' scores with those where another word has taken the last one's place."""
    others = [word for word in words if word not in (*a[-1:], END)]
    if not others:
        return Compared(a, a, (), ())
    other = (*a[:-1], others[0])
    return Compared(a, other, ask(a, words), ask(other, words), len(a) - 1, words)


def _ended(text: Text, ends: Text) -> Text:
    """End a text by these `ends`."""
    while text[-len(ends) :] != ends:
        text = (*text, END)
    return text


def _has_place(text: Text) -> bool:
    """Return True if a text ends within a sentence, or with the end of one that has words."""
    return len(text) > 1 and text[-2] != END
