"""An audit of whatever scores text and may learn from it, by its answers alone.

The rules are pairs of texts in which the same tokens must have the same scores, and sums of
probabilities. A text that breaks a rule is shrunk to the shortest one found that still does.
docs/audit.md says what the rules mean. Importing this module imports no other package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import accumulate, chain
from random import Random
from typing import Any, ClassVar, Literal, NamedTuple

from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import UserError

Token = Hashable
"""A word, or its number."""
Text = tuple[Token, ...]
"""Tokens, with an `END` after each sentence, and one more, an empty line, after each document."""
Lines = list[list[Token]]
"""The tokens of each line of a text; a document ends with an empty line."""
Logs = Sequence[float]
"""Natural log P of tokens; NaN where nothing is predicted, for 0 means a probability of 1."""
Ask = Callable[[Text, Sequence[Token]], Logs]
"""A function that returns log P of candidates for the place of a text's last token."""
END = "\n"
_ENDS: dict[UnitOfText, Text] = {"sentence": (END,), "document": (END, END), "stream": (END,)}
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
    """log P (nats) of the word in the text, or the greatest sum allowed; `null`: none, or no number
    that is finite."""
    after: float | None
    """log P in the other text, or the sum of the probabilities; `null` as above."""


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

    def __str__(self) -> str:
        """Return what people read: a line for each rule, and the texts that break it."""
        lines = []
        for rule in self.rules:
            lines.append(f"{rule.rule:<19} {rule.status:<11} {rule.said}")
            shown = rule.shortest
            if shown is not None:
                where = f"line {shown.line}, word {shown.word}"
                lines.append(f"  {where}: {shown.before} against {shown.after}")
                lines += [f"  < {line}" for line in shown.text]
                if shown.other != shown.text:
                    lines += [f"  > {line}" for line in shown.other]
        return "\n".join(lines)


@dataclass(frozen=True)
class AuditedScorer:
    """Something that scores texts; every call begins anew."""

    score: Callable[[Lines], Iterable[Logs]]
    """Returns log P of each line's tokens and, if it predicts that, of the line's end."""
    unit: UnitOfText
    """The unit of text at whose start all that was learnt is said to be forgotten."""
    vocabulary: Sequence[Token] = ()
    """All that can be predicted, `END` for the end of a sentence; empty if it is not known."""
    most: int = 50
    """Number of words to try in a place if each needs a call."""
    ask: Ask | None = None
    """None if it cannot be asked for candidates."""
    halves: Callable[[Lines, Lines], Iterable[Logs]] | None = None
    """Scores two parts of a text, sending the second only once the first is answered, and returns
    nothing if it is not. None if there is no sending."""


class Attempt(NamedTuple):
    """An attempt to break a rule by two parts of a text."""

    find: Callable[[Text, Text], BrokenRule | None]
    """Returns what breaks the rule with two parts, which may be shorter ones; None if nothing."""
    first: Text
    second: Text = ()

    def broken_rule(self) -> BrokenRule | None:
        """Make the attempt: what breaks the rule, or None."""
        return self.find(self.first, self.second)


def lines_of(text: Text) -> Lines:
    """Return the tokens of each line of a text; the last line may lack its end."""
    lines: Lines = [[]]
    for token in text:
        if token == END:
            lines.append([])
        else:
            lines[-1].append(token)
    return lines if lines[-1] else lines[:-1]


def last_unit(text: Text, unit: UnitOfText) -> Text:
    """Return a text's last, unfinished unit; nothing if the text ends with a unit."""
    ends = _ENDS[unit]
    borders = (n for n in range(len(text), 0, -1) if text[:n][-len(ends) :] == ends)
    return text if unit == "stream" else text[next(borders, 0) :]


def joined(lines: Lines, scores: Iterable[Logs]) -> list[float]:
    """Return the scores of a text from those of its lines, whose ends may not be predicted."""
    pairs = zip(lines, scores, strict=True)
    return [log for words, logs in pairs for log in (*logs, math.nan)[: len(words) + 1]]


def ended(text: Text, ends: Text = (END,)) -> Text:
    """Return a text with these ends: more are added until it has them."""
    while text[-len(ends) :] != ends:
        text = (*text, END)
    return text


def has_place(text: Text) -> bool:
    """Return True if a text ends within a sentence, or with the end of one that has words."""
    return any(token != END for token in text[-2:])


def audit(
    score: Callable[[list[list[Any]]], Iterable[Iterable[float | None]]],
    ask: Callable[[list[list[Any]], list[Any]], Iterable[float]] | None = None,
    *,
    text: Iterable[Sequence[Any]],
    vocabulary: Sequence[Any] = (),
    unit: UnitOfText = "stream",
    places: int = 5,
    tolerance: float = 1e-4,
) -> Audit:
    """Audit a function that scores tokens (words, or their numbers) and may learn from them.

    `score(text)` begins anew, reads a list of lists of tokens, in order, and returns for each list
    the natural log P of its tokens; None or NaN where nothing is predicted. `ask(text, candidates)`
    returns log P of each candidate as the token that comes after the text, whose last list may be
    empty. `text` is the text to try, and `vocabulary` all tokens that can be predicted, such as
    `range(50257)`. `unit` says after what all that was learnt is forgotten: after each list, be it
    a `sentence` or a `document`, or never (`stream`). `places` is the number of places at which a
    rule is tried, and `tolerance` the allowed difference of scores (nats) and of sums.

    Nothing is broken if `broken` of the result is empty, and all was tested if `not_tested` is;
    `print` shows it. Raises UserError for what cannot be audited. docs/audit.md has an example.
    """

    def score_lines(lines: Lines) -> list[list[float]]:
        read = [line for line in lines if line]
        logs = [[*map(_number, of_line)] for of_line in score(read)]
        if [*map(len, logs)] != [*map(len, read)]:
            raise UserError("`score`: a list of log P for each list, one for each token, is needed")
        remaining = iter(logs)
        return [next(remaining) if line else [] for line in lines]

    def ask_after(text: Text, candidates: Sequence[Token]) -> list[float]:
        before = [line for line in lines_of(text[:-1]) if line]
        begins = text[-2:-1] in ((), (END,))
        logs = [*map(_number, ask(before + [[]] * begins, [*candidates]))] if ask else []
        if len(logs) != len(candidates):
            raise UserError("`ask`: a log P for each candidate is needed")
        return logs

    if unit not in _ENDS:
        raise UserError(f"`unit`: {unit!r}: allowed: {', '.join(_ENDS)}")
    parts = [part for part in text if len(part)]
    if not parts or any(isinstance(part, str) for part in parts):
        raise UserError("`text`: lists of tokens are needed, such as [['the', 'cat'], ['it']]")
    if END in {*vocabulary, *chain.from_iterable(parts)}:
        raise UserError("`text`: a line's end cannot be a token: give the numbers of tokens")
    flat = tuple(chain.from_iterable((*part, *_ENDS[unit]) for part in parts))
    scorer = AuditedScorer(score_lines, unit, vocabulary, ask=ask_after if ask else None)
    return audit_scorer(getattr(score, "__name__", "scorer"), scorer, flat, places, tolerance)


def _number(log: float | None) -> float:
    return math.nan if log is None else float(log)


def audit_scorer(
    name: str, scorer: AuditedScorer, text: Text, places: int, tolerance: float
) -> Audit:
    """Audit a scorer on a text of some sentences, at so many drawn places of it.

    Raises UserError if the text has words that the vocabulary lacks, and it has no `<unk>`.
    """
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
        self.known = {*scorer.vocabulary}
        lacking = [word for word in dict.fromkeys(text) if word not in {*self.known, END}]
        self.unknown = lacking if self.known else []
        """The words of the text that the vocabulary lacks, and that must be scored as `<unk>`."""
        if self.unknown and UNKNOWN not in self.known:
            raise UserError(
                f"`{lacking[0]}` is in the text, but not in the vocabulary, "
                f"which has no `{UNKNOWN}`"
            )

    def score_anew(self, text: Text) -> Logs:
        """Let the scorer score a text; `score` does so only if it has not scored it lately."""
        lines = lines_of(ended(text))
        return joined(lines, self.scorer.score(lines))[: len(text)] if text else ()

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
        return [
            n
            for n, log in enumerate(scores)
            if not math.isnan(log) and has_place(self.text[: n + 1])
        ]

    @cached_property
    def beginnings(self) -> list[Text]:
        """The text up to drawn words that are predicted, up to the most probable one (where a sum
        is too large, it is likely so there), and up to drawn words that are not predicted."""
        scores = self.score(self.text)
        surest = sorted(self.predicted, key=lambda n: scores[n])[-1:]
        others = [n for n, log in enumerate(scores) if math.isnan(log) and self.text[n] != END]
        drawn = {*self.drawn(self.predicted), *surest, *self.drawn(others)}
        return [self.text[: n + 1] for n in sorted(drawn)] if surest else []

    @cached_property
    def candidates(self) -> tuple[list[Token], bool]:
        """The words to try in a place, and True if there are no others."""
        ends = any(self.text[n] == END for n in self.predicted)
        known = self.known
        if known and ends and END not in known:
            raise UserError("the vocabulary has no `</s>`, but the end of a sentence is scored")
        in_one_call = self.scorer.ask or self.unit != "stream"
        most = len({*known, *self.text}) if in_one_call else self.scorer.most
        exact = 0 < len(known) <= most
        read = [word for word in reversed(self.text) if not known or word in known]
        words = dict.fromkeys(self.scorer.vocabulary if exact else read)
        return [word for word in words if ends or word != END][:most], exact

    def reset(self) -> AuditedRule:
        """Let two parts of the text that begin with a unit change places."""
        if self.unit == "stream":
            said = "the text is one stream, of which nothing is forgotten"
            return AuditedRule(rule="reset", status="not claimed", said=said)
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
        attempts = [Attempt(moved, text[:n], text[n:]) for n in self.drawn(borders)]
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
        unknown = [*self.unknown[: self.scorer.most], UNKNOWN] if self.unknown else []
        said = f"the probabilities of {len(words)} words add up to another sum in the place of {{}}"
        said += "" if ask else ", or each is learnt before it is scored"

        def add_up(first: Text, _: Text) -> BrokenRule | None:
            if not has_place(first):
                return None
            begins = first[-2:-1] in ((), (END,))
            # A text cannot show the end of a sentence without words, of which there is no score.
            here = [word for word in words if ask or not begins or word != END]
            asked = [*here, *unknown]
            logs = [*(ask(first, asked) if ask else self.put_in(first[:-1], asked))]
            at = len(first) - 1
            score = self.score(first)[-1]
            unlike = [log for log in logs if math.isnan(log) != math.isnan(score)]
            if unlike or math.isnan(score):
                chosen = "it depends on the word in the place of {} whether it is predicted"
                return self.difference(chosen, first, first, [score], unlike or [score], at)
            # Without a vocabulary, words that are not known have one score, which counts once.
            counted = logs[: len(here)] if self.known else {*logs}
            total = math.fsum(math.exp(min(log, 99.0)) for log in counted)
            is_bound = len(here) < len(words) or not exact
            most = total if is_bound and total < 1 else 1.0
            other = f"{{}}, which is not in the vocabulary, has another score than `{UNKNOWN}`"
            return self.difference(said, first, first, [most], [total], at) or self.difference(
                other, first, first, logs[-1:] * len(unknown), logs[len(here) :], at, unknown
            )

        attempts = [Attempt(add_up, first) for first in self.beginnings]
        kind = "the sum over all" if exact else "a lower bound of the sum, over"
        lacking = f", and {len(unknown) - 1} unknown words as `{UNKNOWN}`" if unknown else ""
        return self.tried("normalisation", attempts, f"; {kind} {len(words)} words{lacking}")

    def put_in(self, before: Text, words: Sequence[Token]) -> list[float]:
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
            weak = "; weak without candidates to ask for: see normalisation, too"
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
                answers = [*halves(lines_of(first), lines_of(second))]
                after = joined(lines_of(both), answers) if answers else ()
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
        candidates: Sequence[Token] = (),
    ) -> BrokenRule | None:
        """Return what the first scores that differ show; None if all are equal.

        `before` are scores of a text, `after` those that must be equal to them, most of them of
        another text. They are of the text's places in order, or all of one `place` and, in order,
        of `candidates` there. In `said`, `{}` stands for the word whose scores differ.
        """
        for number, expected in enumerate(before):
            found = after[number] if number < len(after) else math.nan
            both_unpredicted = math.isnan(expected) and math.isnan(found)
            close = expected == found or abs(expected - found) <= self.tolerance
            if not both_unpredicted and not close:
                at = number if place is None else place
                name = candidates[number] if candidates else text[at]
                word = SENTENCE_END if name == END else name
                line_start = max((n + 1 for n in range(at) if text[n] == END), default=0)
                return BrokenRule(
                    said=said.format(f"`{word}`"),
                    text=tuple(" ".join(map(str, line)) for line in lines_of(text)),
                    other=tuple(" ".join(map(str, line)) for line in lines_of(other)),
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
