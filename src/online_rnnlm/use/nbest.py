"""N-best lists: several hypotheses of one utterance or sentence, each with scores, a line each.

Moses: `0 ||| the cat ||| Features= -1 -2 ||| -3.5`, the last field the sum of the scores; it may be
missing. Kaldi: `utterance-1 the cat`, the number after the last `-` that of the hypothesis. TSV:
`utterance`, `score` and `the cat`, separated by tabs, without a header.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import Literal, NamedTuple

from online_rnnlm.errors import UserError

ListFormat = Literal["moses", "kaldi", "tsv"]
_KALDI = re.compile(r"(\S+)-\d+(?:[ \t]+(.*))?")
_NUMBER = "a finite number is needed"


class Hypothesis(NamedTuple):
    """A line of a list: one guess of what was said or meant."""

    key: str
    """The name of the list that the line belongs to."""
    text: str
    score: float
    """The score that it has already; 0 if there is none."""
    line: str
    """The whole line."""


def parse(line: str, form: ListFormat) -> Hypothesis:
    """Read a line; raises UserError, without its place, if it is not in that format."""
    if form == "moses":
        return _moses(line)
    if form == "kaldi":
        found = _KALDI.fullmatch(line.strip())
        if found is None:
            raise UserError("no line of a Kaldi list: `utterance-1 text` is needed")
        return Hypothesis(found[1], found[2] or "", 0.0, line)
    fields = line.split("\t")
    if len(fields) != 3:
        raise UserError(f"{len(fields)} columns: `utterance`, `score` and `text` are needed")
    return Hypothesis(fields[0], fields[2], _number(fields[1]), line)


def _moses(line: str) -> Hypothesis:
    fields = [field.strip() for field in line.split("|||")]
    if len(fields) < 2:
        raise UserError("no line of a Moses list: `0 ||| text ||| features ||| score` is needed")
    score = _number(fields[3]) if len(fields) > 3 and fields[3] else 0.0
    return Hypothesis(fields[0], fields[1], score, line)


def _number(text: str) -> float:
    """Read a score; Python's own `1_000` and numbers in other digits than 0 to 9 are refused."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value) and text.isascii() and "_" not in text:
            return value
    raise UserError(f"the score {text[:40]!r}: {_NUMBER}")


def written(hypothesis: Hypothesis, form: ListFormat, log_probability: float, total: float) -> str:
    """Return a line with the model's log P as one more score, and with the new sum of the scores.

    In Moses's format log P is a feature `OnlineLM=`; in the others it is a column of its own, and
    the sum another one, between the key and the text.
    """
    if form == "moses":
        fields = [field.strip() for field in hypothesis.line.split("|||")]
        features = fields[2] if len(fields) > 2 else ""
        with_ours = f"{features} OnlineLM= {log_probability:.6f}".strip()
        more = fields[4:]
        return " ||| ".join([*fields[:2], with_ours, f"{total:.6f}", *more])
    key = hypothesis.line.split(maxsplit=1)[0] if form == "kaldi" else hypothesis.key
    return "\t".join([key, f"{log_probability:.6f}", f"{total:.6f}", hypothesis.text])
