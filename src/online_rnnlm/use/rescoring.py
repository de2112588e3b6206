"""Rescoring of n-best lists: several hypotheses of one utterance or sentence, a line each.

Moses: `0 ||| the cat ||| Features= -1 -2 ||| -3.5`, the last field the sum of the scores; it may be
missing. Kaldi: `utterance-1 the cat`, the number after the last `-` that of the hypothesis. TSV:
`utterance`, `score` and `the cat`, separated by tabs, without a header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Literal, NamedTuple

import numpy as np

from online_rnnlm.errors import UserError, WrongInputError, as_wrong_input
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.network import Request
from online_rnnlm.use.text import Layout, numbered_lines

ListFormat = Literal["moses", "kaldi", "tsv"]
_KALDI = re.compile(r"(\S+)-\d+(?:[ \t]+(.*))?")


class Hypothesis(NamedTuple):
    """A line of a list: one guess of what was said or meant."""

    key: str
    """The name of the list that the line belongs to."""
    text: str
    score: float
    """The score that it has already; 0 if there is none."""
    line: str
    """The whole line."""


class Rescored(NamedTuple):
    """A hypothesis with the model's score."""

    hypothesis: Hypothesis
    log_probability: float
    """Natural log P of its words and its end."""
    total: float
    """Its score before, and log P times the weight."""


def rescore(
    model: TrainedModel,
    files: Sequence[str],
    form: ListFormat,
    layout: Layout,
    request: Request,
    *,
    weight: float = 1.0,
    with_context: bool = False,
) -> Iterator[list[Rescored]]:
    """Yield each list of files, in its order, with the model's scores.

    Every hypothesis begins with the trained weights: no hypothesis learns from another one. With
    `with_context` each is scored after the best hypothesis of the list before, and what is learnt
    from that is kept. Raises UserError for lists that cannot be read, and if the model diverges.
    """
    unit = "document" if with_context else "sentence"
    request = request.model_copy(update={"unit_of_text": unit})
    before: list[str] | None = None
    for hypotheses in _lists(files, form):
        words = [_words(model, hypothesis, layout) for hypothesis in hypotheses]
        logs = _scores(model, words, before if with_context else None, request)
        found = [
            Rescored(hypothesis, log, hypothesis.score + weight * log)
            for hypothesis, log in zip(hypotheses, logs, strict=True)
        ]
        yield found
        before = words[max(range(len(found)), key=lambda place: found[place].total)]


def ranked(found: Sequence[Rescored]) -> list[Rescored]:
    """Return the hypotheses of a list, those with the highest total first; equal ones stay."""
    return sorted(found, key=lambda one: -one.total)


def _lists(files: Sequence[str], form: ListFormat) -> Iterator[list[Hypothesis]]:
    """Read the lists of files: the lines of a file with the same key, which follow one another."""
    found = False
    for file in files or ["-"]:
        for _, of_list in groupby(_hypotheses(file, form), lambda one: one.key):
            found = True
            yield list(of_list)
    if not found:
        raise WrongInputError(f"{', '.join(files or ['standard input'])}: no list in it")


def _hypotheses(file: str, form: ListFormat) -> Iterator[Hypothesis]:
    """Read the lines of a file; empty ones are left out.

    Raises WrongInputError if a key comes again after its list has ended: some hypotheses would be
    ranked without the others.
    """
    begun: set[str] = set()
    current: str | None = None
    for where, line, _ in numbered_lines([file]):
        if line.strip():
            with as_wrong_input(where):
                hypothesis = parse(line, form)
                if hypothesis.key != current and hypothesis.key in begun:
                    raise UserError(
                        f"list {hypothesis.key}: has ended before: the hypotheses of a list must "
                        "follow one another"
                    )
            current = hypothesis.key
            begun.add(current)
            yield hypothesis


def _words(model: TrainedModel, hypothesis: Hypothesis, layout: Layout) -> list[str]:
    with as_wrong_input(f"list {hypothesis.key}"):
        found = model.preparation.sentences(hypothesis.text, layout)
    return [word for words in found for word in words]


def _scores(
    model: TrainedModel, hypotheses: list[list[str]], before: list[str] | None, request: Request
) -> list[float]:
    """Return log P of each hypothesis, after the words of `before` if they are given."""
    sentences = [
        one for words in hypotheses for one in ([words] if before is None else [before, words])
    ]
    each = 1 if before is None else 2
    split = model.network.encode(sentences, np.repeat(np.arange(len(hypotheses)), each).tolist())
    logs = model.network.score(split, request).log_probabilities
    sums = np.add.reduceat(logs, split.offsets[:-1])
    return [float(value) for value in sums[each - 1 :: each]]


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
    """Read a score."""
    with suppress(ValueError):
        value = float(text)
        if math.isfinite(value):
            return value
    raise UserError(f"the score {text[:40]!r}: a finite number is needed")


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
