"""A scorer that is audited, the texts that it is given, and what is tried of one of them.

A scorer is given lines: sentences, and an empty line after each document. Within the audit a text
is one row of tokens with an `END` after each line, so that it can be cut and shuffled anywhere:
the lines `[["a", "b"], [], ["c"]]` are the text `("a", "b", "\\n", "\\n", "c", "\\n")`, of which
`lines_of` makes lines again. Scores go the other way: `[[-1, -2, -3], [], [-4]]`, one number more
for an end that is predicted, are `[-1, -2, -3, nan, -4, nan]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain
from random import Random

from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.textfiles import UNKNOWN
from online_rnnlm.errors import UserError

Token = Hashable
"""A word, or its number."""
Lines = Sequence[Sequence[Token]]
"""The tokens of each line of a text."""
Tokens = tuple[Token, ...]
"""The tokens of lines, each line followed by `END`, which need not stand after the last one.

What is called a beginning is a text up to a place that is asked for: its last token is the word
that stands there."""
END = "\n"
ENDS: dict[UnitOfText, Tokens] = {"sentence": (END,), "document": (END, END)}
"""The end of each unit of text at which a scorer can forget."""
Scores = Sequence[float]
"""Natural log P of tokens; NaN where nothing is predicted, for 0 means a probability of 1."""


def with_end(text: Tokens, ends: Tokens = (END,)) -> Tokens:
    """Return a text with these ends: more are added until it has them."""
    while text[-len(ends) :] != ends:
        text = (*text, END)
    return text


def lines_of(text: Tokens) -> list[list[Token]]:
    """Return the lines of a text; what stands after the last `END` is a line, too."""
    lines: list[list[Token]] = [[]]
    for token in with_end(text):
        if token == END:
            lines.append([])
        else:
            lines[-1].append(token)
    return lines[:-1]


def borders(text: Tokens, unit: UnitOfText) -> list[int]:
    """Return the places of a text, its end among them, before which a unit of text has ended."""
    size = len(ENDS[unit])
    return [n for n in range(size, len(text) + 1) if text[n - size : n] == ENDS[unit]]


def is_predictable(beginning: Tokens) -> bool:
    """Return True if the last token is a word, or the end of a sentence that has words."""
    return any(token != END for token in beginning[-2:])


@dataclass(frozen=True)
class AuditedScorer:
    """Something that scores texts; every call begins anew."""

    score_lines: Callable[[Lines], Sequence[Scores]]
    """Returns for each line log P of its tokens, and that of its end if it is predicted."""
    unit: UnitOfText
    """The unit of text at whose start all that was learnt is said to be forgotten."""
    vocabulary: Sequence[Token] = ()
    """All that can be predicted; empty if it is not known."""
    sentence_end: Token = END
    """The token for the end of a sentence, in the vocabulary and among candidates."""
    most: int = 50
    """Number of words to try in a place if each needs a call."""
    ask_in_line: Callable[[Lines, int, Sequence[Token]], Scores] | None = None
    """`ask_in_line(lines, place, candidates)`: log P of each candidate as token number `place`,
    from 0, of the last line; a `place` after its last token is the line's end. None: it cannot be
    asked."""
    score_halves: Callable[[Lines, Lines], Sequence[Scores] | None] | None = None
    """Scores two parts of a text, of which it gets the second once the first is answered; returns
    None if the first is not. None: it gets every text at once."""

    def score(self, text: Tokens) -> Scores:
        """Return the scores of a text's tokens."""
        if not text:
            return ()
        lines = lines_of(text)
        return _in_a_row(lines, self.score_lines(lines))[: len(text)]

    def score_in_halves(self, first: Tokens, second: Tokens) -> Scores | None:
        """Return the scores of a text whose second half is sent when the first is answered.

        Returns None if it is not, or if the scorer gets every text at once.
        """
        halves = lines_of(first), lines_of(second)
        by_line = self.score_halves(*halves) if self.score_halves else None
        return _in_a_row([*halves[0], *halves[1]], by_line) if by_line else None

    def ask(self, beginning: Tokens, words: Sequence[Token]) -> Scores:
        """Return the score of each of these words in a beginning's last place.

        If the scorer cannot be asked for it, each is put there in a text of its own, or in a unit
        of one text.
        """
        if self.ask_in_line is not None:
            lines = lines_of(beginning)
            place = len(lines[-1]) - (beginning[-1] != END)
            names = [self.sentence_end if word == END else word for word in words]
            return self.ask_in_line(lines, place, names)
        before = beginning[:-1]
        if self.unit == "stream":
            return [self.score((*before, word))[-1] for word in words]
        alone = before[max(borders(before, self.unit), default=0) :]  # all else is forgotten
        units = [with_end((*alone, word), ENDS[self.unit]) for word in words]
        scores = self.score(tuple(chain.from_iterable(units)))
        return [scores[n + len(alone)] for n in accumulate(map(len, units[:-1]), initial=0)]


@dataclass(frozen=True)
class Exam:
    """A scorer, with the text that it is audited on and the words that the rules put into it."""

    scorer: AuditedScorer
    score: Callable[[Tokens], Scores]
    """Returns the scores of a text's tokens; the scorer is asked if it was not lately."""
    tolerance: float
    """The difference of scores (nats) and of sums that is allowed."""
    text: Tokens
    vocabulary: Collection[Token]
    """All that can be predicted, in order; empty if it is not known."""
    unknown: list[Token]
    """Words of the text that the vocabulary lacks, and that must be scored as `<unk>`."""
    predicts_ends: bool
    """True if the scorer predicts the ends of sentences."""
    units: list[tuple[Tokens, Tokens]]
    """The text cut in two at drawn places where a unit has ended."""
    cuts: list[tuple[Tokens, Tokens]]
    """The text cut in two at drawn places."""
    beginnings: list[Tokens]
    """The text up to each place to try: drawn places of predicted words, the place of the most
    probable word (a sum above 1 shows there first), and drawn places of words that are not
    predicted."""

    def may_predict(self, beginning: Tokens) -> bool:
        """Return True if a beginning's last token is one that the scorer may predict."""
        return is_predictable(beginning) and (self.predicts_ends or beginning[-1] != END)

    @cached_property
    def candidates(self) -> tuple[list[Token], bool]:
        """The words to try in a place, and True if they are all that can be predicted.

        They are the vocabulary, or else the latest words of the text. Raises UserError if the
        vocabulary lacks the end of a sentence, which is predicted.
        """
        known = self.vocabulary
        if known and self.predicts_ends and END not in known:
            raise UserError("the vocabulary has no `</s>`, but the end of a sentence is scored")
        in_one_call = self.scorer.ask_in_line is not None or self.scorer.unit != "stream"
        most = len({*known, *self.text}) if in_one_call else self.scorer.most
        are_all = 0 < len(known) <= most
        latest = [word for word in reversed(self.text) if not known or word in known]
        words = dict.fromkeys(known if are_all else latest)
        return [word for word in words if self.predicts_ends or word != END][:most], are_all

    def candidates_for(self, beginning: Tokens) -> list[Token]:
        """Return the candidates for a beginning's last place.

        A text cannot show the end of a sentence without words; a scorer can be asked for it.
        """
        words, _ = self.candidates
        asks = self.scorer.ask_in_line is not None
        return [word for word in words if asks or is_predictable((*beginning[:-1], word))]


def draw_exam(scorer: AuditedScorer, lines: Lines, places: int, tolerance: float) -> Exam:
    """Score a text, and draw the parts of it that the scorer is tried on.

    Raises UserError if the text has words that the vocabulary lacks, and it has no `<unk>`.
    """
    text: Tokens = tuple(chain.from_iterable((*line, END) for line in lines))
    words = (END if word == scorer.sentence_end else word for word in scorer.vocabulary)
    vocabulary = dict.fromkeys(words)
    lacking = [word for word in dict.fromkeys(text) if word not in vocabulary]
    unknown = [word for word in lacking if word != END and vocabulary][: scorer.most]
    if unknown and UNKNOWN not in vocabulary:
        said = f"`{unknown[0]}` is in the text, but not in the vocabulary"
        raise UserError(f"{said}, which has no `{UNKNOWN}`")
    score = lru_cache(maxsize=200)(scorer.score)
    scores = score(text)
    scored = [n for n, log in enumerate(scores) if not math.isnan(log)]
    predicted = [n for n in scored if is_predictable(text[: n + 1])]
    others = [n for n, log in enumerate(scores) if math.isnan(log) and text[n] != END]
    surest = sorted(predicted, key=scores.__getitem__)[-1:]
    ends = [] if scorer.unit == "stream" else borders(text, scorer.unit)
    chance = Random(1)

    def drawn(among: Sequence[int]) -> list[int]:
        return sorted(chance.sample(among, min(places, len(among))))

    between = drawn([n for n in ends if n < len(text)])
    cuts = drawn(range(1, len(text)))
    tried = {*drawn(predicted), *surest, *drawn(others)} if surest else ()
    return Exam(
        scorer,
        score,
        tolerance,
        text,
        vocabulary,
        unknown,
        predicts_ends=any(text[n] == END for n in predicted),
        units=[(text[:n], text[n:]) for n in between],
        cuts=[(text[:n], text[n:]) for n in cuts],
        beginnings=[text[: n + 1] for n in sorted(tried)],
    )


def _in_a_row(lines: Lines, by_line: Sequence[Scores]) -> list[float]:
    """Return the scores of lines in the order of their text; an end that has none gets NaN."""
    pairs = zip(lines, by_line, strict=True)
    return [log for line, logs in pairs for log in (*logs, math.nan)[: len(line) + 1]]
