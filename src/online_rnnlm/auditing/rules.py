"""The rules of a fair test, tried on whatever scores text, by its answers alone.

A rule is tried by checks. Each check gets a part of the text, or two, lets the scorer score texts
that are made of them, and returns the first score that is not as the rule demands. A text that
breaks a rule is shrunk to the shortest one found that still does. docs/audit.md says what the rules
mean. Importing this module imports no other package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import accumulate, chain, zip_longest
from random import Random

from online_rnnlm.core.way import UnitOfText
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import UserError, counted
from online_rnnlm.storage.audits import Audit, AuditedRule, BrokenRule, RuleName, Status

Token = Hashable
"""A word, or its number."""
Text = tuple[Token, ...]
"""Tokens, with an `END` after each sentence, and one more, an empty line, after each document."""
Logs = Sequence[float]
"""Natural log P of tokens; NaN where nothing is predicted, for 0 means a probability of 1."""
Check = Callable[..., BrokenRule | None]
"""A function that tries to break a rule by one part of a text, or by two; None if it cannot."""
Trials = list[tuple[Check, tuple[Text, ...]]]
"""Checks, each with the parts that it gets."""
END = "\n"
ENDS: dict[UnitOfText, Text] = {"sentence": (END,), "document": (END, END), "stream": (END,)}
"""The end of each unit of text."""


@dataclass(frozen=True)
class AuditedScorer:
    """Something that scores texts; every call begins anew."""

    score: Callable[[Text], Logs]
    """Returns log P of each token of a text whose last line is ended."""
    unit: UnitOfText
    """The unit of text at whose start all that was learnt is said to be forgotten."""
    vocabulary: Sequence[Token] = ()
    """All that can be predicted, `END` for the end of a sentence; empty if it is not known."""
    most: int = 50
    """Number of words to try in a place if each needs a call."""
    ask: Callable[[Text, Sequence[Token]], Logs] | None = None
    """Returns log P of candidates for the place of a text's last token; None: it cannot be asked.
    """
    in_halves: Callable[[Text, Text], Logs] | None = None
    """Scores two parts of a text, of which it gets the second once the first is answered; returns
    nothing if the first is not. None if it gets every text at once."""


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
    return Audit(name, tolerance, rules)


def lines_of(text: Text) -> list[list[Token]]:
    """Return the tokens of each line of a text; the last line may lack its end."""
    lines: list[list[Token]] = [[]]
    for token in text:
        if token == END:
            lines.append([])
        else:
            lines[-1].append(token)
    return lines if lines[-1] else lines[:-1]


def written(text: Text) -> tuple[str, ...]:
    """Return the lines of a text with spaces between the tokens."""
    return tuple(" ".join(map(str, line)) for line in lines_of(text))


def by_token(text: Text, by_line: Iterable[Logs]) -> list[float]:
    """Return the scores of a text's tokens from those of its lines, whose ends may have none."""
    pairs = zip(lines_of(text), by_line, strict=True)
    return [log for line, logs in pairs for log in (*logs, math.nan)[: len(line) + 1]]


def ended(text: Text, ends: Text = (END,)) -> Text:
    """Return a text with these ends: more are added until it has them."""
    while text[-len(ends) :] != ends:
        text = (*text, END)
    return text


def last_unit(text: Text, unit: UnitOfText) -> Text:
    """Return a text's last, unfinished unit; nothing if the text ends with a unit."""
    ends = ENDS[unit]
    borders = (n for n in range(len(text), 0, -1) if text[:n][-len(ends) :] == ends)
    return text if unit == "stream" else text[next(borders, 0) :]


def with_ends(vocabulary: Sequence[str]) -> list[str]:
    """Return a vocabulary with `END` in place of `</s>`."""
    return [END if word == SENTENCE_END else word for word in vocabulary]


def with_names(tokens: Iterable[Token]) -> list[str]:
    """Return tokens as a program and a network know them, `</s>` for `END`."""
    return [SENTENCE_END if token == END else str(token) for token in tokens]


def has_place(text: Text) -> bool:
    """Return True if a text ends within a sentence, or with the end of one that has words."""
    return any(token != END for token in text[-2:])


class Auditor:
    """The rules, tried on one scorer with one text."""

    def __init__(self, scorer: AuditedScorer, text: Text, places: int, tolerance: float) -> None:
        self.scorer = scorer
        self.text = text
        self.places = places
        self.tolerance = tolerance
        self.unit = scorer.unit
        """The unit of text; the whole text once the rule `reset` is broken."""
        self.distinguished = False
        """True once two words have not had the same score in a place."""
        self.chance = Random(1)
        self.score = lru_cache(maxsize=200)(self.score_anew)
        self.known = {*scorer.vocabulary}
        lacking = [word for word in dict.fromkeys(text) if word != END and word not in self.known]
        self.unknown = lacking[: scorer.most] if self.known else []
        """Words of the text that the vocabulary lacks, and that must be scored as `<unk>`."""
        if self.unknown and UNKNOWN not in self.known:
            raise UserError(
                f"`{lacking[0]}` is in the text, but not in the vocabulary, "
                f"which has no `{UNKNOWN}`"
            )

    # What is tried.

    def score_anew(self, text: Text) -> Logs:
        """Let the scorer score a text; `score` does so only if it has not scored it lately."""
        return self.scorer.score(ended(text))[: len(text)] if text else ()

    def ask(self, text: Text, words: Sequence[Token]) -> Logs:
        """Return the score of each of these words in the place of a text's last one.

        If the scorer cannot be asked for it, each is put there in a text of its own.
        """
        if self.scorer.ask is not None:
            return self.scorer.ask(text, words)
        before = text[:-1]
        if self.unit == "stream":
            return [self.score_anew((*before, word))[-1] for word in words]
        alone = last_unit(before, self.unit)  # all that comes before is said to be forgotten
        units = [ended((*alone, word), ENDS[self.unit]) for word in words]
        scores = self.score_anew(tuple(chain.from_iterable(units)))
        return [scores[n + len(alone)] for n in accumulate(map(len, units[:-1]), initial=0)]

    def drawn(self, numbers: Sequence[int]) -> list[int]:
        """Draw the places to try from these."""
        return sorted(self.chance.sample(numbers, min(self.places, len(numbers))))

    def cut(self, places: Sequence[int]) -> list[tuple[Text, Text]]:
        """Return the text cut in two at each drawn place."""
        return [(self.text[:n], self.text[n:]) for n in self.drawn(places)]

    @cached_property
    def parts(self) -> list[tuple[Text, Text]]:
        """The text cut in two at drawn places."""
        return self.cut(range(1, len(self.text)))

    @cached_property
    def predicted(self) -> list[int]:
        """The places of the words that the scorer predicts."""
        scores = self.score(self.text)
        places = range(len(self.text))
        return [n for n in places if has_place(self.text[: n + 1]) and not math.isnan(scores[n])]

    @cached_property
    def beginnings(self) -> list[Text]:
        """The text up to drawn words that are predicted, up to the most probable one (where a sum
        is too large, it is likely so there), and up to drawn words that are not predicted."""
        scores = self.score(self.text)
        surest = sorted(self.predicted, key=lambda n: scores[n])[-1:]
        others = [n for n, log in enumerate(scores) if math.isnan(log) and self.text[n] != END]
        places = {*self.drawn(self.predicted), *surest, *self.drawn(others)}
        return [self.text[: n + 1] for n in sorted(places)] if surest else []

    @cached_property
    def ends(self) -> bool:
        """True if the scorer predicts the ends of sentences."""
        return any(self.text[n] == END for n in self.predicted)

    def in_places(self, check: Check) -> Trials:
        """Return the trials of a check of a word's place; a shorter text must have one, too."""

        def in_place(text: Text) -> BrokenRule | None:
            is_place = has_place(text) and (self.ends or text[-1] != END)
            return check(text) if is_place else None

        return [(in_place, (text,)) for text in self.beginnings]

    @cached_property
    def candidates(self) -> tuple[list[Token], bool]:
        """The words to try in a place, and True if there are no others."""
        known = self.known
        if known and self.ends and END not in known:
            raise UserError("the vocabulary has no `</s>`, but the end of a sentence is scored")
        in_one_call = self.scorer.ask or self.unit != "stream"
        most = len({*known, *self.text}) if in_one_call else self.scorer.most
        exact = 0 < len(known) <= most
        read = [word for word in reversed(self.text) if not known or word in known]
        words = dict.fromkeys(self.scorer.vocabulary if exact else read)
        return [word for word in words if self.ends or word != END][:most], exact

    # The rules.

    def reset(self) -> AuditedRule:
        """Let two parts of the text that begin with a unit change places."""
        if self.unit == "stream":
            said = "the text is one stream, of which nothing is forgotten"
            return AuditedRule("reset", "not claimed", said)
        ends = ENDS[self.unit]
        borders = range(len(ends), len(self.text))
        parts = self.cut([n for n in borders if self.text[n - len(ends) : n] == ends])
        said = "" if parts else f"; the text is one {self.unit}"
        rule = self.tried("reset", [(self.exchange, two) for two in parts], said)
        if rule.status == "broken":
            self.unit = "stream"
        return rule

    def causality(self) -> AuditedRule:
        """Change what follows."""
        changes = ("is cut off", "is other words", "is shuffled")
        checks = [partial(self.change_later, how) for how in changes]
        return self.tried("causality", [(check, two) for check in checks for two in self.parts])

    def normalisation(self) -> AuditedRule:
        """Add up the probabilities of candidates for a place."""
        words, exact = self.candidates
        kind = "the sum over all" if exact else "a lower bound of the sum, over"
        said = f"; {kind} {len(words)} words"
        if self.unknown:
            said += f", and {counted(len(self.unknown), 'unknown word')} as `{UNKNOWN}`"
        rule = self.tried("normalisation", self.in_places(self.add_up), said)
        if rule.status == "holds" and not self.known and not self.distinguished:
            said = "all words have one score, as unknown words have: a vocabulary is needed"
            return AuditedRule("normalisation", "not tested", said)
        return rule

    def score_before_update(self) -> AuditedRule:
        """Let the text come once more, and ask for its words as candidates."""
        texts = [self.text, *(first for first, _ in self.parts)]
        trials: Trials = [(self.repeat, (text,)) for text in texts]
        if self.scorer.ask is None:
            weak = "; weak without candidates to ask for: see normalisation, too"
            return self.tried("score before update", trials, weak)
        trials += self.in_places(self.ask_for_it) + self.in_places(self.put_another)
        return self.tried("score before update", trials)

    def single_pass(self) -> AuditedRule:
        """Score the text in a second run, and send its second half after the first is answered."""
        trials: Trials = [(self.run_again, (self.text,))]
        if self.scorer.in_halves is not None:
            middle = self.text.index(END, len(self.text) // 2 - 1) + 1
            check = partial(self.send_halves, self.scorer.in_halves)
            trials.append((check, (self.text[:middle], self.text[middle:])))
        return self.tried("single pass", trials)

    def tried(self, rule: RuleName, trials: Trials, said: str = "") -> AuditedRule:
        """Try to break a rule, until it is broken."""
        for check, parts in trials:
            found = check(*parts)
            if found is not None:
                if found.after is not None:  # waiting for no answer again and again takes long
                    # What differs from run to run may not do so once more.
                    found = check(*shrunk(check, parts)) or found
                return AuditedRule(rule, "broken", found.said, found)
        status: Status = "holds" if trials else "not tested"
        return AuditedRule(rule, status, f"trials: {len(trials)}{said}")

    # The checks.

    def exchange(self, first: Text, second: Text) -> BrokenRule | None:
        """Compare the scores of two parts with those after they have changed places."""
        ends = ENDS[self.unit]
        first = ended(first, ends)
        second = ended(second, ends)
        text = first + second
        other = second + first
        moved = self.score(other)
        in_order = [*moved[len(second) :], *moved[: len(second)]]
        said = f"{{}} has another score if {self.unit}s change places"
        return self.difference(said, text, other, self.score(text), in_order)

    def change_later(self, how: str, first: Text, second: Text) -> BrokenRule | None:
        """Compare the scores of the first part if the second one is changed."""
        changed = {
            "is cut off": (),
            "is other words": self.text[: len(second)],
            "is shuffled": tuple(Random(1).sample(second, len(second))),
        }
        text = first + second
        other = first + changed[how]
        before = self.score(text)[: len(first)]
        after = self.score(other)[: len(first)]
        said = f"{{}} has another score if what follows {how}"
        return self.difference(said, text, other, before, after)

    def add_up(self, text: Text) -> BrokenRule | None:
        """Add up the probabilities of candidates for the place of a text's last word."""
        asks = self.scorer.ask is not None
        words, exact = self.candidates
        # A text cannot show the end of a sentence without words, of which there is no score.
        here = [word for word in words if asks or has_place((*text[:-1], word))]
        unknown = [*self.unknown, UNKNOWN] if self.unknown else []
        logs = [*self.ask(text, [*here, *unknown])]
        score = self.score(text)[-1]
        unlike = [log for log in logs if math.isnan(log) != math.isnan(score)]
        if unlike or math.isnan(score):
            said = "it depends on the word in the place of {} whether it is predicted"
            return self.difference(said, text, text, [score], unlike[:1] or [score], text[-1:])
        self.distinguished |= len({*logs}) > 1
        # Without a vocabulary, words that are not known have one score, which counts once; but no
        # two words are both sure to come.
        is_sure = max(logs, default=-math.inf) >= -self.tolerance
        counted = logs[: len(here)] if self.known or is_sure else {*logs}
        total = math.fsum(math.exp(min(log, 99.0)) for log in counted)
        is_bound = len(here) < len(words) or not exact
        most = total if is_bound and total < 1 else 1.0
        said = f"the probabilities of {len(words)} words add up to another sum in the place of {{}}"
        said += "" if asks else ", or each is learnt before it is scored"
        other = f"{{}}, which is not in the vocabulary, has another score than `{UNKNOWN}`"
        return self.difference(said, text, text, [most], [total], text[-1:]) or self.difference(
            other, text, text, logs[-1:] * len(unknown), logs[len(here) :], unknown
        )

    def repeat(self, text: Text) -> BrokenRule | None:
        """Compare the scores of a text with those if it is there once more after it."""
        once = ended(text)
        said = "{} has another score if the text is there once more after it"
        after = self.score(once * 2)[: len(once)]
        return self.difference(said, once, once * 2, self.score(once), after)

    def ask_for_it(self, text: Text) -> BrokenRule | None:
        """Compare the score of a text's last word with its score as a candidate."""
        said = "{} has another score than as a candidate"
        after = self.ask(text, text[-1:])
        return self.difference(said, text, text, self.score(text)[-1:], after, text[-1:])

    def put_another(self, text: Text) -> BrokenRule | None:
        """Compare the scores of candidates if another word is in the place of a text's last one."""
        words, _exact = self.candidates
        others = [word for word in words if word not in (*text[-1:], END)]
        if not others:
            return None
        other = (*text[:-1], others[0])
        said = "candidate {} has another score if another word is there: the word was known"
        before = self.ask(text, words)
        after = self.ask(other, words)
        return self.difference(said, text, other, before, after, words)

    def run_again(self, text: Text) -> BrokenRule | None:
        """Compare the scores of two runs."""
        said = "{} has another score in a second run"
        return self.difference(said, text, text, self.score(text), self.score_anew(text))

    def send_halves(
        self, in_halves: Callable[[Text, Text], Logs], first: Text, second: Text
    ) -> BrokenRule | None:
        """Compare the scores with those if the second part comes after the answer to the first."""
        first = ended(first)
        second = ended(second)
        text = first + second
        after = in_halves(first, second)
        said = "{} has another score if what follows is sent after the answer"
        if not after:
            said = "no answer before what follows is sent: is each line flushed?"
        return self.difference(said, text, text, self.score(text), after)

    def difference(
        self,
        said: str,
        text: Text,
        other: Text,
        before: Logs,
        after: Logs,
        words: Sequence[Token] = (),
    ) -> BrokenRule | None:
        """Return what the first scores that differ show; None if all are equal.

        `before` are scores of a text, `after` those that must be equal to them, most of them of
        another text. They are of the text's words in order, or all of `words` in the place of its
        last one. In `said`, `{}` stands for the word whose scores differ.
        """
        for number, (expected, found) in enumerate(zip_longest(before, after, fillvalue=math.nan)):
            is_close = math.isclose(expected, found, rel_tol=0, abs_tol=self.tolerance)
            if not is_close and not (math.isnan(expected) and math.isnan(found)):
                at = len(text) - 1 if words else number
                [word] = with_names([(words or text)[number]])
                before_it = lines_of((*text[:at], "a word"))
                return BrokenRule(
                    said=said.format(f"`{word}`"),
                    text=written(text),
                    other=written(other),
                    line=len(before_it),
                    word=len(before_it[-1]),
                    before=expected if math.isfinite(expected) else None,
                    after=found if math.isfinite(found) else None,
                )
        return None


def shrunk(check: Check, parts: tuple[Text, ...]) -> tuple[Text, ...]:
    """Return the shortest parts found with which a check still breaks a rule.

    Of two, the second is shrunk before and after the first.
    """
    for number in (0,) if len(parts) == 1 else (1, 0, 1):
        size = len(parts[number])
        while size:
            at = 0
            while at < len(parts[number]):
                shorter = parts[number][:at] + parts[number][at + size :]
                fewer = (*parts[:number], shorter, *parts[number + 1 :])
                if check(*fewer) is not None:
                    parts = fewer
                else:
                    at += size
            size //= 2
    return parts
