"""The rules of a fair test; docs/audit.md says what they mean.

A rule is a function that tries its checks, which stand below it, and returns what they found.
`causality` is the simplest. To add one, write such a function, put it into `RULES`, and its name
into `RuleName` of `storage/audits.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from online_rnnlm.auditing.scorer import (
    END,
    ENDS,
    AuditedScorer,
    Beginning,
    Examiner,
    Lines,
    Scores,
    Text,
    Token,
    borders,
    lines_of,
    with_end,
)
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import counted
from online_rnnlm.storage.audits import Audit, AuditedRule, BrokenRule, RuleName

WORD = "{word}"
"""Stands for the word whose scores differ, in a sentence that says what does not hold."""


@dataclass(frozen=True)
class Comparison:
    """Scores of words in places of a text that are equal if a rule holds."""

    said: str
    """A sentence on the word whose scores differ, if any do."""
    text: Text
    words: Sequence[tuple[int, Token]]
    """The words that are scored, each with its place in the text: tokens of the text, or others
    that are put there."""
    before: Scores
    """The scores of these words."""
    after: Scores | None
    """The scores that must be equal to them; None: the scorer has not answered in its time."""
    other: Text | None = None
    """The text that `after` is from; None: the same one."""

    def differing(self, tolerance: float) -> list[int]:
        """Return the numbers of the words whose scores differ by more than this."""
        if self.after is None:
            return [*range(len(self.words))]
        differing = []
        for number, (before, after) in enumerate(zip(self.before, self.after, strict=True)):
            is_close = math.isclose(before, after, rel_tol=0, abs_tol=tolerance)
            if not is_close and not (math.isnan(before) and math.isnan(after)):
                differing.append(number)
        return differing

    def shown(self, number: int) -> BrokenRule:
        """Return what is shown of a word whose scores differ."""
        place, word = self.words[number]
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


def in_last_place(beginning: Beginning, words: Sequence[Token]) -> list[tuple[int, Token]]:
    """Return words, each with a beginning's last place."""
    return [(len(beginning) - 1, word) for word in words]


def _written(text: Text) -> tuple[str, ...]:
    return tuple(" ".join(map(str, line)) for line in lines_of(text))


@dataclass(frozen=True)
class Trial:
    """A check of a rule, and the parts of the examiner's text that it gets."""

    check: Callable[..., Iterator[Comparison]]
    """Makes texts of the part, or the two, and lets the examiner score them; yields the scores that
    must be equal."""
    parts: tuple[Text, ...]

    def failure(self, examiner: Examiner) -> Comparison | None:
        """Return the first comparison whose scores differ; None if none do."""
        compared = self.check(examiner, *self.parts)
        return next((one for one in compared if one.differing(examiner.tolerance)), None)

    def shrunk(self, examiner: Examiner) -> Trial:
        """Return the trial of the shortest parts found that still fails.

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
                    shorter = Trial(self.check, tuple(parts))
                    if shorter.failure(examiner) is not None:
                        shortest = shorter
                    else:
                        at += size
                size //= 2
        return shortest


def try_to_break(
    name: RuleName, examiner: Examiner, trials: Sequence[Trial], remark: str = ""
) -> AuditedRule:
    """Try to break a rule until it is broken, and shrink the text that breaks it."""
    for trial in trials:
        found = trial.failure(examiner)
        if found is not None:
            if found.after is not None:  # else each time would take as long
                # What differs from run to run may not do so once more.
                found = trial.shrunk(examiner).failure(examiner) or found
            broken = found.shown(found.differing(examiner.tolerance)[0])
            return AuditedRule(name, "broken", broken.said, broken)
    said = f"trials: {len(trials)}{remark}"
    return AuditedRule(name, "holds" if trials else "not tested", said)


def reset(examiner: Examiner) -> AuditedRule:
    """Test that what stands before a unit of text changes no score in it."""
    unit = examiner.scorer.unit
    if unit == "stream":
        said = "the text is one stream, of which nothing is forgotten"
        return AuditedRule("reset", "not claimed", said)
    text = examiner.text
    parts = examiner.cut([place for place in borders(text, unit) if place < len(text)])
    remark = "" if parts else f"; the text is one {unit}"
    return try_to_break("reset", examiner, [Trial(exchange, two) for two in parts], remark)


def exchange(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Compare the scores of two parts with those after they have changed places."""
    unit = examiner.scorer.unit
    first = with_end(first, ENDS[unit])
    second = with_end(second, ENDS[unit])
    text = first + second
    before = examiner.score(text)
    moved = examiner.score(second + first)
    after = [*moved[len(second) :], *moved[: len(second)]]
    said = f"{WORD} has another score if {unit}s change places"
    yield Comparison(said, text, [*enumerate(text)], before, after, second + first)


def causality(examiner: Examiner) -> AuditedRule:
    """Test that what follows a word does not change its score."""
    checks = (cut_off, put_other_words, shuffle)
    trials = [Trial(check, two) for check in checks for two in examiner.cuts]
    return try_to_break("causality", examiner, trials)


def cut_off(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Leave out the second part."""
    yield _changed(examiner, "is cut off", first, second, ())


def put_other_words(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Put the beginning of the whole text in the place of the second part."""
    yield _changed(examiner, "is other words", first, second, examiner.text[: len(second)])


def shuffle(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Shuffle the second part."""
    shuffled = tuple(Random(1).sample(second, len(second)))
    yield _changed(examiner, "is shuffled", first, second, shuffled)


def _changed(examiner: Examiner, how: str, first: Text, second: Text, new: Text) -> Comparison:
    """Compare the scores of the first part with those if the second one is changed."""
    before = examiner.score(first + second)[: len(first)]
    after = examiner.score(first + new)[: len(first)]
    said = f"{WORD} has another score if what follows {how}"
    return Comparison(said, first + second, [*enumerate(first)], before, after, first + new)


def normalisation(examiner: Examiner) -> AuditedRule:
    """Test that the probabilities of all words in a place add up to 1."""
    words, are_all = examiner.candidates
    kind = "the sum over all" if are_all else "a lower bound of the sum, over"
    remark = f"; {kind} {len(words)} words"
    trials = [Trial(add_up, (text,)) for text in examiner.beginnings]
    if examiner.unknown:
        remark += f", and {counted(len(examiner.unknown), 'unknown word')} as `{UNKNOWN}`"
        trials += [Trial(put_unknown_words, (text,)) for text in examiner.beginnings]
    rule = try_to_break("normalisation", examiner, trials, remark)
    if rule.status == "holds" and not examiner.vocabulary:
        asked = (examiner.ask(text, examiner.candidates_for(text)) for text in examiner.beginnings)
        if not any(max(logs) > min(logs) for logs in asked):
            said = "all words have one score, as unknown words have: a vocabulary is needed"
            return AuditedRule("normalisation", "not tested", said)
    return rule


def add_up(examiner: Examiner, beginning: Beginning) -> Iterator[Comparison]:
    """Add up the probabilities of the candidates for a beginning's last place."""
    if not examiner.may_predict(beginning):
        return
    here = examiner.candidates_for(beginning)
    logs = examiner.ask(beginning, here)
    score = examiner.score(beginning)[-1]
    last = in_last_place(beginning, beginning[-1:])
    unlike = [log for log in logs if math.isnan(log) != math.isnan(score)]
    if unlike or math.isnan(score):
        said = f"it depends on the word in the place of {WORD} whether it is predicted"
        yield Comparison(said, beginning, last, [score], unlike[:1] or [score])
        return
    # Without a vocabulary, each distinct score counts once, since words of one score may all be
    # unknown. But if one word is sure to come, all others must be impossible, so all are added.
    is_sure = max(logs, default=-math.inf) >= -examiner.tolerance
    summands = logs if examiner.vocabulary or is_sure else {*logs}
    total = math.fsum(math.exp(min(log, 99.0)) for log in summands)
    words, are_all = examiner.candidates
    is_bound = len(here) < len(words) or not are_all
    most = total if is_bound and total < 1 else 1.0
    said = f"the probabilities of {len(words)} words add up to another sum in the place of {WORD}"
    said += "" if examiner.scorer.ask else ", or each is learnt before it is scored"
    yield Comparison(said, beginning, last, [most], [total])


def put_unknown_words(examiner: Examiner, beginning: Beginning) -> Iterator[Comparison]:
    """Compare the score of `<unk>` with those of words that the vocabulary lacks, in its place."""
    if examiner.may_predict(beginning):
        *of_unknown, of_unk = examiner.ask(beginning, [*examiner.unknown, UNKNOWN])
        said = f"{WORD}, which is not in the vocabulary, has another score than `{UNKNOWN}`"
        words = in_last_place(beginning, examiner.unknown)
        yield Comparison(said, beginning, words, [of_unk] * len(of_unknown), of_unknown)


def score_before_update(examiner: Examiner) -> AuditedRule:
    """Test that a word is scored before anything is learnt from it."""
    texts = [examiner.text, *(first for first, _ in examiner.cuts)]
    checks = (ask_for_it, put_another) if examiner.scorer.ask else ()
    trials = [Trial(repeat, (text,)) for text in texts]
    trials += [Trial(check, (text,)) for check in checks for text in examiner.beginnings]
    remark = "" if checks else "; weak without candidates to ask for: see normalisation, too"
    return try_to_break("score before update", examiner, trials, remark)


def repeat(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Compare the scores of a text with those if it is there once more after it."""
    once = with_end(text)
    after = examiner.score(once * 2)[: len(once)]
    said = f"{WORD} has another score if the text is there once more after it"
    yield Comparison(said, once, [*enumerate(once)], examiner.score(once), after, once * 2)


def ask_for_it(examiner: Examiner, beginning: Beginning) -> Iterator[Comparison]:
    """Compare the score of a beginning's last word with its score as a candidate."""
    if examiner.may_predict(beginning):
        word = beginning[-1:]
        before = examiner.score(beginning)[-1:]
        after = examiner.ask(beginning, word)
        said = f"{WORD} has another score than as a candidate"
        yield Comparison(said, beginning, in_last_place(beginning, word), before, after)


def put_another(examiner: Examiner, beginning: Beginning) -> Iterator[Comparison]:
    """Compare the scores of candidates if another word is in a beginning's last place."""
    words, _ = examiner.candidates
    others = [word for word in words if word not in (*beginning[-1:], END)]
    if others and examiner.may_predict(beginning):
        other = (*beginning[:-1], others[0])
        before = examiner.ask(beginning, words)
        after = examiner.ask(other, words)
        said = f"candidate {WORD} has another score if another word is there: the word was known"
        yield Comparison(said, beginning, in_last_place(beginning, words), before, after, other)


def single_pass(examiner: Examiner) -> AuditedRule:
    """Test that a text is read once, line by line, and nothing is kept from an earlier run."""
    text = examiner.text
    trials = [Trial(run_again, (text,))]
    if examiner.scorer.in_halves is not None:
        middle = text.index(END, len(text) // 2 - 1) + 1
        trials.append(Trial(send_halves, (text[:middle], text[middle:])))
    return try_to_break("single pass", examiner, trials)


def run_again(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Compare the scores of two runs."""
    said = f"{WORD} has another score in a second run"
    words = [*enumerate(text)]
    yield Comparison(said, text, words, examiner.score(text), examiner.score_anew(text))


def send_halves(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Compare the scores with those if the second part comes after the answer to the first."""
    first = with_end(first)
    second = with_end(second)
    text = first + second
    before = examiner.score(text)
    after = examiner.score_in_halves(first, second)
    said = f"{WORD} has another score if what follows is sent after the answer"
    if after is None:
        said = "no answer before what follows is sent: is each line flushed?"
    yield Comparison(said, text, [*enumerate(text)], before, after)


RULES = (causality, normalisation, score_before_update, single_pass)
"""The rules that are tried after `reset`, in this order."""


def audit_scorer(
    name: str, scorer: AuditedScorer, lines: Lines, places: int, tolerance: float
) -> Audit:
    """Audit a scorer on a text of some sentences, at so many drawn places of it.

    A text that breaks a rule is shrunk to the shortest one found that still does. Raises UserError
    if the text has words that the vocabulary lacks, and it has no `<unk>`.
    """
    examiner = Examiner(scorer, lines, places, tolerance)
    of_reset = reset(examiner)
    if of_reset.status == "broken":  # no rule may rely on it that something is forgotten
        examiner = Examiner(replace(scorer, unit="stream"), lines, places, tolerance)
    return Audit(name, tolerance, (of_reset, *(rule(examiner) for rule in RULES)))
