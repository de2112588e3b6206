"""The audit of a Python function, such as one that calls a model that takes long to load."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Sized
from itertools import chain
from typing import Any

from online_rnnlm.auditing import rules
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.errors import UserError
from online_rnnlm.storage.audits import Audit


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

    def score_text(text: rules.Text) -> list[float]:
        lines = [line for line in rules.lines_of(text) if line]
        answer = score(lines)
        lists = [*answer] if isinstance(answer, Iterable) else []
        logs = [[*map(_number, of_line)] for of_line in lists if isinstance(of_line, Iterable)]
        if [*map(len, logs)] != [*map(len, lines)]:
            raise UserError("`score`: a list of log P for each list, one for each token, is needed")
        in_order = chain.from_iterable(logs)
        return [math.nan if token == rules.END else next(in_order) for token in text]

    def ask_after(text: rules.Text, candidates: Sequence[rules.Token]) -> list[float]:
        before = [line for line in rules.lines_of(text) if line]
        before[-1].pop()  # what is in the place itself
        answer = ask(before, [*candidates]) if ask else None
        logs = [*map(_number, answer)] if isinstance(answer, Iterable) else []
        if len(logs) != len(candidates):
            raise UserError("`ask`: a log P for each candidate is needed")
        return logs

    if unit not in rules.ENDS:
        raise UserError(f"`unit`: {unit!r}: allowed: {', '.join(rules.ENDS)}")
    if places < 1:
        raise UserError(f"`places`: {places}: allowed: at least 1")
    if not 0 <= tolerance < math.inf:
        raise UserError(f"`tolerance`: {tolerance}: allowed: a number, at least 0")
    given = [*text] if isinstance(text, Iterable) else []
    lists = [part for part in given if isinstance(part, Sized) and not isinstance(part, str)]
    parts = [part for part in lists if len(part)]
    if not parts or len(lists) < len(given):
        raise UserError("`text`: lists of tokens are needed, such as [['the', 'cat'], ['it']]")
    if rules.END in {*vocabulary, *chain.from_iterable(parts)}:
        raise UserError("`text`: a line's end cannot be a token: give the numbers of tokens")
    flat = tuple(chain.from_iterable((*part, *rules.ENDS[unit]) for part in parts))
    scorer = rules.AuditedScorer(score_text, unit, vocabulary, ask=ask_after if ask else None)
    return rules.audit_scorer(getattr(score, "__name__", "scorer"), scorer, flat, places, tolerance)


def _number(log: float | None) -> float:
    return math.nan if log is None else float(log)
