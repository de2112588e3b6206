"""The audit of a Python function that scores tokens.

To import this module, the standard library and this project's own modules are enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Sized
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, get_args

from online_rnnlm.auditing.rules import audit_scorer
from online_rnnlm.auditing.scorer import END, AuditedScorer, Lines, Scores, Token
from online_rnnlm.core.settings import UnitOfText
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
    if unit not in get_args(UnitOfText):
        raise UserError(f"`unit`: {unit!r}: allowed: {', '.join(get_args(UnitOfText))}")
    given = [*text] if isinstance(text, Iterable) else []
    are_lists = all(isinstance(part, Sized) and not isinstance(part, str) for part in given)
    parts: list[Any] = [part for part in given if len(part)] if are_lists else []
    if not parts:
        raise UserError("`text`: lists of tokens are needed, such as [['the', 'cat'], ['it']]")
    if END in {*vocabulary, *chain.from_iterable(parts)}:
        raise UserError("`text`: a line's end cannot be a token: give the numbers of tokens")
    ends = [()] if unit == "document" else []  # an empty line after each
    lines = [line for part in parts for line in (part, *ends)]
    in_place = partial(_ask, ask) if ask else None
    scorer = AuditedScorer(partial(_score, score), unit, vocabulary, ask_in_line=in_place)
    return audit_scorer(getattr(score, "__name__", "scorer"), scorer, lines, places, tolerance)


def _score(score: Callable[..., object], lines: Lines) -> list[list[float]]:
    """Let a function score lines; it gets no empty ones."""
    read = [line for line in lines if line]
    answer = score([[*line] for line in read])  # copies, which the function may change
    logs = [*map(_numbers, answer)] if isinstance(answer, Iterable) else []
    if [*map(len, logs)] != [*map(len, read)]:
        raise UserError("`score`: a list of log P for each list, one for each token, is needed")
    in_order = iter(logs)
    return [next(in_order) if line else [] for line in lines]


def _ask(ask: Callable[..., object], lines: Lines, place: int, words: Sequence[Token]) -> Scores:
    """Ask a function for candidates; it gets the text before the place."""
    before = [*(line for line in lines[:-1] if line), lines[-1][:place]]
    logs = _numbers(ask([[*line] for line in before], [*words]))
    if len(logs) != len(words):
        raise UserError("`ask`: a log P for each candidate is needed")
    return logs


def _numbers(answer: object) -> list[float]:
    """Return an answer's log-probabilities; none if it is no list of numbers."""
    if isinstance(answer, Iterable) and not isinstance(answer, str):
        with suppress(TypeError, ValueError):  # an item is no number
            return [math.nan if log is None else float(log) for log in answer]
    return []
