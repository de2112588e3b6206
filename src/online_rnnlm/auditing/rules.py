"""The rules of a fair test; docs/audit.md says what they mean.

A rule is a function that tries its checks, which stand below it, and returns what they found.
`causality` is the simplest. To add one, write such a function, put it into `RULES`, and its name
into `RuleName` of `storage/audits.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from online_rnnlm.auditing.scorer import (
    END,
    ENDS,
    AuditedScorer,
    Exam,
    Lines,
    Scores,
    Token,
    Tokens,
    draw_exam,
    lines_of,
    with_end,
)
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import counted
from online_rnnlm.storage.audits import Audit, AuditedRule, BrokenRule, RuleName

WORD = "{word}"
"""Stands for the word whose scores differ, in a sentence that says what does not hold."""


@dataclass(frozen=True)
class ScorePair:
    """Scores of words in places of a text that are equal if a rule holds."""

    said: str
    """A sentence on the word whose scores differ, if any do."""
    text: Tokens
    before: Scores
    """The scores of the text's first tokens, or of the `candidates` for its last place."""
    after: Scores | None
    """The scores that must be equal to them; None: the scorer has not answered in its time."""
    other: Tokens | None = None
    """The text that `after` is from; None: the same one."""
    candidates: Sequence[Token] = ()

    def differing(self, tolerance: float) -> list[int]:
        """Return the numbers of the words whose scores differ by more than this."""
        if self.after is None:
            return [*range(len(self.before))]
        differing = []
        for number, (before, after) in enumerate(zip(self.before, self.after, strict=True)):
            is_close = math.isclose(before, after, rel_tol=0, abs_tol=tolerance)
            if not is_close and not (math.isnan(before) and math.isnan(after)):
                differing.append(number)
        return differing

    def shown(self, number: int) -> BrokenRule:
        """Return what is shown of a word whose scores differ."""
        place = len(self.text) - 1 if self.candidates else number
        word = self.candidates[number] if self.candidates else self.text[number]
        before = self.before[number]
        after = math.nan if self.after is None else self.after[number]
        up_to_it = lines_of((*self.text[:place], "a word"))
        return BrokenRule(
            said=self.said.replace(WORD, f"`{SENTENCE_END if word == END else word}`"),
            text=_written(self.text),
            other=_written(self.text if self.other is None else self.other),
            line=len(up_to_it),
            word=len(up_to_it[-1]),
            before=before if math.isfinite(before) else None,
            after=after if math.isfinite(after) else None,
        )


def _written(text: Tokens) -> tuple[str, ...]:
    return tuple(" ".join(map(str, line)) for line in lines_of(text))


@dataclass(frozen=True)
class Attempt:
    """A check of a rule, and the parts of the exam's text that it gets."""

    check: Callable[..., ScorePair | None]
    """Makes texts of the part, or the two, and lets them be scored; returns the scores that must be
    equal, or None if the part ends in a place where nothing is predicted."""
    parts: tuple[Tokens, ...]

    def failure(self, exam: Exam) -> ScorePair | None:
        """Return the scores if some of them differ, else None."""
        pair = self.check(exam, *self.parts)
        return pair if pair and pair.differing(exam.tolerance) else None

    def shrunk(self, exam: Exam) -> Attempt:
        """Return the attempt with the shortest parts found that still fails.

        Of two parts, the second is shrunk, then the first, then the second once more.
        """
        shortest = self
        for number in (0,) if len(self.parts) == 1 else (1, 0, 1):
            size = len(shortest.parts[number])
            while size:
                at = 0
                while at < len(shortest.parts[number]):
                    parts = [*shortest.parts]
                    parts[number] = parts[number][:at] + parts[number][at + size :]
                    shorter = Attempt(self.check, tuple(parts))
                    if shorter.failure(exam) is not None:
                        shortest = shorter
                    else:
                        at += size
                size //= 2
        return shortest


def try_to_break(
    name: RuleName, exam: Exam, attempts: Sequence[Attempt], remark: str = ""
) -> AuditedRule:
    """Try to break a rule until it is broken, and shrink the text that breaks it."""
    for attempt in attempts:
        found = attempt.failure(exam)
        if found is not None:
            if found.after is not None:  # else each time would take as long
                # What differs from run to run may not do so once more.
                found = attempt.shrunk(exam).failure(exam) or found
            broken = found.shown(found.differing(exam.tolerance)[0])
            return AuditedRule(name, "broken", broken.said, broken)
    said = f"trials: {len(attempts)}{remark}"
    return AuditedRule(name, "holds" if attempts else "not tested", said)


def reset(exam: Exam) -> AuditedRule:
    """Test that what stands before a unit of text changes no score in it."""
    unit = exam.scorer.unit
    if unit == "stream":
        said = "the text is one stream, of which nothing is forgotten"
        return AuditedRule("reset", "not claimed", said)
    remark = "" if exam.units else f"; the text is one {unit}"
    return try_to_break("reset", exam, [Attempt(exchange, two) for two in exam.units], remark)


def exchange(exam: Exam, first: Tokens, second: Tokens) -> ScorePair:
    """Compare the scores of two parts with those after they have changed places."""
    unit = exam.scorer.unit
    first = with_end(first, ENDS[unit])
    second = with_end(second, ENDS[unit])
    text = first + second
    before = exam.score(text)
    moved = exam.score(second + first)
    after = [*moved[len(second) :], *moved[: len(second)]]
    said = f"{WORD} has another score if {unit}s change places"
    return ScorePair(said, text, before, after, second + first)


def causality(exam: Exam) -> AuditedRule:
    """Test that what follows a word does not change its score."""
    checks = (cut_off, put_other_words, shuffle)
    attempts = [Attempt(check, two) for check in checks for two in exam.cuts]
    return try_to_break("causality", exam, attempts)


def cut_off(exam: Exam, first: Tokens, second: Tokens) -> ScorePair:
    """Leave out the second part."""
    return _changed(exam, "is cut off", first, second, ())


def put_other_words(exam: Exam, first: Tokens, second: Tokens) -> ScorePair:
    """Put the beginning of the whole text in the place of the second part."""
    return _changed(exam, "is other words", first, second, exam.text[: len(second)])


def shuffle(exam: Exam, first: Tokens, second: Tokens) -> ScorePair:
    """Shuffle the second part."""
    shuffled = tuple(Random(1).sample(second, len(second)))
    return _changed(exam, "is shuffled", first, second, shuffled)


def _changed(exam: Exam, how: str, first: Tokens, second: Tokens, new: Tokens) -> ScorePair:
    """Compare the scores of the first part with those if the second one is changed."""
    before = exam.score(first + second)[: len(first)]
    after = exam.score(first + new)[: len(first)]
    said = f"{WORD} has another score if what follows {how}"
    return ScorePair(said, first + second, before, after, first + new)


def normalisation(exam: Exam) -> AuditedRule:
    """Test that the probabilities of all words in a place add up to 1."""
    words, are_all = exam.candidates
    kind = "the sum over all" if are_all else "a lower bound of the sum, over"
    remark = f"; {kind} {len(words)} words"
    attempts = [Attempt(add_up, (text,)) for text in exam.beginnings]
    if exam.unknown:
        remark += f", and {counted(len(exam.unknown), 'unknown word')} as `{UNKNOWN}`"
        attempts += [Attempt(put_unknown_words, (text,)) for text in exam.beginnings]
    rule = try_to_break("normalisation", exam, attempts, remark)
    if rule.status == "holds" and not exam.vocabulary:
        asked = (exam.scorer.ask(text, exam.candidates_for(text)) for text in exam.beginnings)
        if not any(max(logs) > min(logs) for logs in asked):
            said = "all words have one score, as unknown words have: a vocabulary is needed"
            return AuditedRule("normalisation", "not tested", said)
    return rule


def add_up(exam: Exam, beginning: Tokens) -> ScorePair | None:
    """Add up the probabilities of the candidates for a beginning's last place."""
    if not exam.may_predict(beginning):
        return None
    tried = exam.candidates_for(beginning)
    logs = exam.scorer.ask(beginning, tried)
    score = exam.score(beginning)[-1]
    here = beginning[-1:]
    unlike = [log for log in logs if math.isnan(log) != math.isnan(score)]
    if unlike or math.isnan(score):
        said = f"it depends on the word in the place of {WORD} whether it is predicted"
        after = unlike[:1] or [score]
        return ScorePair(said, beginning, [score], after, candidates=here)
    # Without a vocabulary, each distinct score counts once, since words of one score may all be
    # unknown. But if one word is sure to come, all others must be impossible, so all are added.
    is_sure = max(logs, default=-math.inf) >= -exam.tolerance
    summands = logs if exam.vocabulary or is_sure else {*logs}
    total = math.fsum(math.exp(min(log, 99.0)) for log in summands)
    words, are_all = exam.candidates
    is_bound = len(tried) < len(words) or not are_all
    most = total if is_bound and total < 1 else 1.0
    said = f"the probabilities of {len(words)} words add up to another sum in the place of {WORD}"
    said += "" if exam.scorer.ask_in_line else ", or each is learnt before it is scored"
    return ScorePair(said, beginning, [most], [total], candidates=here)


def put_unknown_words(exam: Exam, beginning: Tokens) -> ScorePair | None:
    """Compare the score of `<unk>` with those of words that the vocabulary lacks, in its place."""
    if not exam.may_predict(beginning):
        return None
    *of_unknown, of_unk = exam.scorer.ask(beginning, [*exam.unknown, UNKNOWN])
    said = f"{WORD}, which is not in the vocabulary, has another score than `{UNKNOWN}`"
    before = [of_unk] * len(of_unknown)
    return ScorePair(said, beginning, before, of_unknown, candidates=exam.unknown)


def score_before_update(exam: Exam) -> AuditedRule:
    """Test that a word is scored before anything is learnt from it."""
    texts = [exam.text, *(first for first, _ in exam.cuts)]
    checks = (ask_for_it, put_another) if exam.scorer.ask_in_line else ()
    attempts = [Attempt(repeat, (text,)) for text in texts]
    attempts += [Attempt(check, (text,)) for check in checks for text in exam.beginnings]
    remark = "" if checks else "; weak without candidates to ask for: see normalisation, too"
    return try_to_break("score before update", exam, attempts, remark)


def repeat(exam: Exam, text: Tokens) -> ScorePair:
    """Compare the scores of a text with those if it is there once more after it."""
    once = with_end(text)
    after = exam.score(once * 2)[: len(once)]
    said = f"{WORD} has another score if the text is there once more after it"
    return ScorePair(said, once, exam.score(once), after, once * 2)


def ask_for_it(exam: Exam, beginning: Tokens) -> ScorePair | None:
    """Compare the score of a beginning's last word with its score as a candidate."""
    if not exam.may_predict(beginning):
        return None
    word = beginning[-1:]
    before = exam.score(beginning)[-1:]
    after = exam.scorer.ask(beginning, word)
    said = f"{WORD} has another score than as a candidate"
    return ScorePair(said, beginning, before, after, candidates=word)


def put_another(exam: Exam, beginning: Tokens) -> ScorePair | None:
    """Compare the scores of candidates if another word is in a beginning's last place."""
    words, _ = exam.candidates
    others = [word for word in words if word not in (*beginning[-1:], END)]
    if not others or not exam.may_predict(beginning):
        return None
    other = (*beginning[:-1], others[0])
    before = exam.scorer.ask(beginning, words)
    after = exam.scorer.ask(other, words)
    said = f"candidate {WORD} has another score if another word is there: the word was known"
    return ScorePair(said, beginning, before, after, other, words)


def single_pass(exam: Exam) -> AuditedRule:
    """Test that a text is read once, line by line, and nothing is kept from an earlier run."""
    text = exam.text
    attempts = [Attempt(run_again, (text,))]
    if exam.scorer.score_halves is not None:
        middle = text.index(END, len(text) // 2 - 1) + 1
        attempts.append(Attempt(send_halves, (text[:middle], text[middle:])))
    return try_to_break("single pass", exam, attempts)


def run_again(exam: Exam, text: Tokens) -> ScorePair:
    """Compare the scores of two runs."""
    said = f"{WORD} has another score in a second run"
    return ScorePair(said, text, exam.score(text), exam.scorer.score(text))


def send_halves(exam: Exam, first: Tokens, second: Tokens) -> ScorePair:
    """Compare the scores with those if the second part comes after the answer to the first."""
    first = with_end(first)
    second = with_end(second)
    text = first + second
    before = exam.score(text)
    after = exam.scorer.score_in_halves(first, second)
    said = f"{WORD} has another score if what follows is sent after the answer"
    if after is None:
        said = "no answer before what follows is sent: is each line flushed?"
    return ScorePair(said, text, before, after)


RULES = (causality, normalisation, score_before_update, single_pass)
"""The rules that are tried after `reset`, in this order."""


def audit_scorer(
    name: str, scorer: AuditedScorer, lines: Lines, places: int, tolerance: float
) -> Audit:
    """Audit a scorer on a text of some sentences, at so many drawn places of it.

    A text that breaks a rule is shrunk to the shortest one found that still does. Raises UserError
    if the text has words that the vocabulary lacks, and it has no `<unk>`.
    """
    exam = draw_exam(scorer, lines, places, tolerance)
    of_reset = reset(exam)
    if of_reset.status == "broken":  # no rule may rely on it that something is forgotten
        exam = draw_exam(replace(scorer, unit="stream"), lines, places, tolerance)
    return Audit(name, tolerance, (of_reset, *(rule(exam) for rule in RULES)))
