"""The rules of a fair test; docs/audit.md says what they mean.

A rule is a function that tries its checks, which stand below it, and returns what they found.
`causality` is the simplest. To add one, write such a function, put it into `RULES`, and its name
into `RuleName` of `storage/audits.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from random import Random

from online_rnnlm.auditing import scorer
from online_rnnlm.auditing.scorer import END, ENDS, Examiner, Scores, Text, Token, ended
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import counted
from online_rnnlm.storage.audits import AuditedRule, BrokenRule, RuleName

WORD = "{word}"
"""Stands for the word whose scores differ, in a sentence that says what does not hold."""


@dataclass(frozen=True)
class Comparison:
    """Scores that are equal if a rule holds."""

    said: str
    """A sentence on the word whose scores differ, if any do."""
    text: Text
    before: Scores
    """The scores of the text's first tokens, or of `words` in the place of its last one."""
    after: Scores
    """The scores that must be equal to them."""
    other: Text | None = None
    """The text that `after` is from; None: the same one."""
    words: Sequence[Token] = ()
    """Candidates for the place of the text's last token, if the scores are theirs."""

    def difference(self, tolerance: float) -> BrokenRule | None:
        """Return what the first scores that differ show; None if all are equal."""
        pairs = zip_longest(self.before, self.after, fillvalue=math.nan)
        for number, (before, after) in enumerate(pairs):
            is_close = math.isclose(before, after, rel_tol=0, abs_tol=tolerance)
            if not is_close and not (math.isnan(before) and math.isnan(after)):
                word = (self.words or self.text)[number]
                place = len(self.text) - 1 if self.words else number
                up_to_it = scorer.lines_of((*self.text[:place], "a word"))
                return BrokenRule(
                    said=self.said.replace(WORD, f"`{SENTENCE_END if word == END else word}`"),
                    text=_written(self.text),
                    other=_written(self.text if self.other is None else self.other),
                    line=len(up_to_it),
                    word=len(up_to_it[-1]),
                    before=before if math.isfinite(before) else None,
                    after=after if math.isfinite(after) else None,
                )
        return None


def _written(text: Text) -> tuple[str, ...]:
    return tuple(" ".join(map(str, line)) for line in scorer.lines_of(text))


Check = Callable[..., Iterator[Comparison]]
"""A function that makes texts of one part of the examiner's text, or of two, and lets it score
them; it yields the scores that must be equal."""
Parts = tuple[Text, ...]
Trials = list[tuple[Check, Parts]]
"""Checks, each with the parts of the text that it gets."""


def tried(name: RuleName, examiner: Examiner, trials: Trials, remark: str = "") -> AuditedRule:
    """Try to break a rule until it is broken, and shrink the text that breaks it."""
    for check, parts in trials:
        found = broken_by(check, examiner, parts)
        if found is not None:
            # A check that ended without an answer is not repeated: each time would take as long.
            if found.after is not None:
                # What differs from run to run may not do so once more.
                found = broken_by(check, examiner, shrunk(check, examiner, parts)) or found
            return AuditedRule(name, "broken", found.said, found)
    said = f"trials: {len(trials)}{remark}"
    return AuditedRule(name, "holds" if trials else "not tested", said)


def broken_by(check: Check, examiner: Examiner, parts: Parts) -> BrokenRule | None:
    """Return what a check of these parts shows; None if all scores are as they must be."""
    differences = (one.difference(examiner.tolerance) for one in check(examiner, *parts))
    return next(filter(None, differences), None)


def shrunk(check: Check, examiner: Examiner, parts: Parts) -> Parts:
    """Return the shortest parts found by which a check still breaks a rule.

    Of two, the second is shrunk before and after the first.
    """
    for number in (0,) if len(parts) == 1 else (1, 0, 1):
        size = len(parts[number])
        while size:
            at = 0
            while at < len(parts[number]):
                shorter = parts[number][:at] + parts[number][at + size :]
                fewer = (*parts[:number], shorter, *parts[number + 1 :])
                if broken_by(check, examiner, fewer) is not None:
                    parts = fewer
                else:
                    at += size
            size //= 2
    return parts


def reset(examiner: Examiner) -> AuditedRule:
    """Test that what stands before a unit of text changes no score in it."""
    unit = examiner.scorer.unit
    if unit == "stream":
        said = "the text is one stream, of which nothing is forgotten"
        return AuditedRule("reset", "not claimed", said)
    text = examiner.text
    parts = examiner.cut([place for place in scorer.borders(text, unit) if place < len(text)])
    remark = "" if parts else f"; the text is one {unit}"
    return tried("reset", examiner, [(exchange, two) for two in parts], remark)


def exchange(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Compare the scores of two parts with those after they have changed places."""
    unit = examiner.scorer.unit
    first = ended(first, ENDS[unit])
    second = ended(second, ENDS[unit])
    moved = examiner.score(second + first)
    before = examiner.score(first + second)
    after = [*moved[len(second) :], *moved[: len(second)]]
    said = f"{WORD} has another score if {unit}s change places"
    yield Comparison(said, first + second, before, after, second + first)


def causality(examiner: Examiner) -> AuditedRule:
    """Test that what follows a word does not change its score."""
    checks = (cut_off, put_other_words, shuffle)
    trials: Trials = [(check, two) for check in checks for two in examiner.cuts]
    return tried("causality", examiner, trials)


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
    return Comparison(said, first + second, before, after, first + new)


def normalisation(examiner: Examiner) -> AuditedRule:
    """Test that the probabilities of all words in a place add up to 1."""
    words, are_all = examiner.candidates
    kind = "the sum over all" if are_all else "a lower bound of the sum, over"
    remark = f"; {kind} {len(words)} words"
    if examiner.unknown:
        remark += f", and {counted(len(examiner.unknown), 'unknown word')} as `{UNKNOWN}`"
    trials: Trials = [(add_up, (text,)) for text in examiner.beginnings]
    rule = tried("normalisation", examiner, trials, remark)
    if rule.status == "holds" and not examiner.vocabulary and not examiner.distinguished:
        said = "all words have one score, as unknown words have: a vocabulary is needed"
        return AuditedRule("normalisation", "not tested", said)
    return rule


def add_up(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Add up the probabilities of candidates for the place of a text's last word."""
    if not examiner.has_place(text):
        return
    asks = examiner.scorer.ask is not None
    words, are_all = examiner.candidates
    # A text cannot show the end of a sentence without words, of which there is no score.
    here = [word for word in words if asks or scorer.is_predictable((*text[:-1], word))]
    unknown = [*examiner.unknown, UNKNOWN] if examiner.unknown else []
    logs = [*examiner.ask(text, [*here, *unknown])]
    score = examiner.score(text)[-1]
    unlike = [log for log in logs if math.isnan(log) != math.isnan(score)]
    if unlike or math.isnan(score):
        said = f"it depends on the word in the place of {WORD} whether it is predicted"
        yield Comparison(said, text, [score], unlike[:1] or [score], words=text[-1:])
        return
    examiner.distinguished |= len({*logs}) > 1
    # Without a vocabulary, words that are not known have one score, which counts once; but no two
    # words are both sure to come.
    is_sure = max(logs, default=-math.inf) >= -examiner.tolerance
    summands = logs[: len(here)] if examiner.vocabulary or is_sure else {*logs}
    total = math.fsum(math.exp(min(log, 99.0)) for log in summands)
    is_bound = len(here) < len(words) or not are_all
    most = total if is_bound and total < 1 else 1.0
    said = f"the probabilities of {len(words)} words add up to another sum in the place of {WORD}"
    said += "" if asks else ", or each is learnt before it is scored"
    yield Comparison(said, text, [most], [total], words=text[-1:])
    said = f"{WORD}, which is not in the vocabulary, has another score than `{UNKNOWN}`"
    yield Comparison(said, text, logs[-1:] * len(unknown), logs[len(here) :], words=unknown)


def score_before_update(examiner: Examiner) -> AuditedRule:
    """Test that a word is scored before anything is learnt from it."""
    texts = [examiner.text, *(first for first, _ in examiner.cuts)]
    trials: Trials = [(repeat, (text,)) for text in texts]
    remark = "; weak without candidates to ask for: see normalisation, too"
    if examiner.scorer.ask is not None:
        checks = (ask_for_it, put_another)
        trials += [(check, (text,)) for check in checks for text in examiner.beginnings]
        remark = ""
    return tried("score before update", examiner, trials, remark)


def repeat(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Compare the scores of a text with those if it is there once more after it."""
    once = ended(text)
    after = examiner.score(once * 2)[: len(once)]
    said = f"{WORD} has another score if the text is there once more after it"
    yield Comparison(said, once, examiner.score(once), after, once * 2)


def ask_for_it(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Compare the score of a text's last word with its score as a candidate."""
    if examiner.has_place(text):
        after = examiner.ask(text, text[-1:])
        said = f"{WORD} has another score than as a candidate"
        yield Comparison(said, text, examiner.score(text)[-1:], after, words=text[-1:])


def put_another(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Compare the scores of candidates if another word is in the place of a text's last one."""
    words, _ = examiner.candidates
    others = [word for word in words if word not in (*text[-1:], END)]
    if others and examiner.has_place(text):
        other = (*text[:-1], others[0])
        before = examiner.ask(text, words)
        after = examiner.ask(other, words)
        said = f"candidate {WORD} has another score if another word is there: the word was known"
        yield Comparison(said, text, before, after, other, words)


def single_pass(examiner: Examiner) -> AuditedRule:
    """Test that a text is read once, line by line, and nothing is kept from an earlier run."""
    text = examiner.text
    trials: Trials = [(run_again, (text,))]
    if examiner.scorer.in_halves is not None:
        middle = text.index(END, len(text) // 2 - 1) + 1
        trials.append((send_halves, (text[:middle], text[middle:])))
    return tried("single pass", examiner, trials)


def run_again(examiner: Examiner, text: Text) -> Iterator[Comparison]:
    """Compare the scores of two runs."""
    said = f"{WORD} has another score in a second run"
    yield Comparison(said, text, examiner.score(text), examiner.score_anew(text))


def send_halves(examiner: Examiner, first: Text, second: Text) -> Iterator[Comparison]:
    """Compare the scores with those if the second part comes after the answer to the first."""
    first = ended(first)
    second = ended(second)
    said = f"{WORD} has another score if what follows is sent after the answer"
    after = examiner.score_in_halves(first, second)
    if not after:
        said = "no answer before what follows is sent: is each line flushed?"
    yield Comparison(said, first + second, examiner.score(first + second), after)


RULES = (causality, normalisation, score_before_update, single_pass)
"""The rules that are tried after `reset`, in this order."""
