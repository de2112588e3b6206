r"""N-best lists: several hypotheses of one utterance or sentence, as other programs write them.

Moses: `0 ||| the cat ||| Features= -1 -2 ||| -3.5`, the last field the sum of the scores; it may be
missing. Kaldi: `utterance-1 the cat`, the number after the last `-` that of the hypothesis. TSV:
`utterance`, `score` and `the cat`, separated by tabs, without a header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Literal, NamedTuple

from online_rnnlm.errors import UserError, naming
from online_rnnlm.use.text import numbered_lines

ListFormat = Literal["moses", "kaldi", "tsv"]
FEATURE = "OnlineLM="
_KALDI = re.compile(r"(\S+)-\d+(?: +(.*))?")


class Hypothesis(NamedTuple):
    """One guess of what was said or meant."""

    key: str
    """The name of the list that it belongs to."""
    text: str
    score: float
    """The score that it has already; 0 if there is none."""
    line: str
    """Its line in the list."""


class Rescored(NamedTuple):
    """A hypothesis with the model's score."""

    hypothesis: Hypothesis
    log_probability: float
    """Natural log P of its words and its end."""
    total: float
    """Its score before, and log P times the weight."""


def read_lists(files: Sequence[str], form: ListFormat) -> Iterator[list[Hypothesis]]:
    """Read the lists of files: hypotheses of one key, which follow one another in a file.

    Raises UserError, which names the file and the line, for what is no such list.
    """
    found = False
    for file in files or ["-"]:
        for _, of_list in groupby(_refuse_divided(_of_lines(file, form)), lambda one: one.key):
            found = True
            yield list(of_list)
    if not found:
        raise UserError(f"{', '.join(files or ['standard input'])}: no list in it")


def _refuse_divided(hypotheses: Iterable[tuple[str, Hypothesis]]) -> Iterator[Hypothesis]:
    """Yield hypotheses without their places.

    Raises UserError if a key comes again after its list has ended: some hypotheses would be
    ranked without the others.
    """
    begun: set[str] = set()
    current: str | None = None
    for where, hypothesis in hypotheses:
        if hypothesis.key != current and hypothesis.key in begun:
            raise UserError(
                f"{where}: list {hypothesis.key}: has ended before: the hypotheses of a list must "
                "follow one another"
            )
        current = hypothesis.key
        begun.add(current)
        yield hypothesis


def _of_lines(file: str, form: ListFormat) -> Iterator[tuple[str, Hypothesis]]:
    """Read the lines of a file with their places; empty ones are left out."""
    for where, line, _ in numbered_lines([file]):
        if line.strip():
            with naming(where):
                yield where, parse(line, form)


def parse(line: str, form: ListFormat) -> Hypothesis:
    """Read a line; raises UserError, without its place, if it is not in that format."""
    if form == "moses":
        return _moses(line)
    if form == "kaldi":
        found = _KALDI.fullmatch(line.strip(" \r"))
        if found is None or "\t" in line:
            raise UserError("no line of a Kaldi list: `utterance-1 text` is needed")
        return Hypothesis(found[1], found[2] or "", 0.0, line)
    fields = line.split("\t")
    if len(fields) != 3:
        raise UserError(f"{len(fields)} columns: `utterance`, `score` and `text` are needed")
    return Hypothesis(fields[0], fields[2], _number(fields[1]), line)


def _moses(line: str) -> Hypothesis:
    fields = [field.strip(" \t") for field in line.split("|||")]
    if len(fields) < 2:
        raise UserError("no line of a Moses list: `0 ||| text ||| features ||| score` is needed")
    if len(fields) > 2 and FEATURE in fields[2].split():
        raise UserError(f"has `{FEATURE}` already, which would count twice: give the list before")
    score = _number(fields[3]) if len(fields) > 3 and fields[3] else 0.0
    return Hypothesis(fields[0], fields[1], score, line)


def _number(text: str) -> float:
    """Read a score."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value):
            return value
    raise UserError(f"the score {text[:40]!r}: a finite number is needed")


def written(one: Rescored, form: ListFormat) -> str:
    """Return a hypothesis's line with the model's log P.

    In Moses's format it is a feature `OnlineLM=`. In the others, log P and the new sum of scores
    are two columns between the key and the text.
    """
    hypothesis, log_probability, total = one
    if form == "moses":
        fields = [field.strip(" \t") for field in hypothesis.line.split("|||")]
        features = fields[2] if len(fields) > 2 else ""
        with_ours = f"{features} {FEATURE} {log_probability:.6f}".strip()
        return " ||| ".join([*fields[:2], with_ours, f"{total:.6f}", *fields[4:]])
    key = hypothesis.line.split()[0] if form == "kaldi" else hypothesis.key
    return "\t".join([key, f"{log_probability:.6f}", f"{total:.6f}", hypothesis.text])
