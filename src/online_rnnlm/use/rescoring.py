"""Rescoring of n-best lists: each hypothesis's log P, and the order that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from online_rnnlm.errors import UserError, WrongInputError, as_wrong_input
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.nbest import Hypothesis, ListFormat, parse
from online_rnnlm.use.network import Request, first_diverged
from online_rnnlm.use.text import Layout, numbered_lines

MOST_HYPOTHESES = 100_000
"""Lines of the longest list."""


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
    if with_context:
        request = request.model_copy(update={"unit_of_text": "document"})
    else:
        request = request.model_copy(update={"unit_of_text": "sentence"})
    before: list[str] | None = None
    for hypotheses in _lists(files, form):
        if len(hypotheses) > MOST_HYPOTHESES:
            raise WrongInputError(
                f"list {hypotheses[0].key}: {len(hypotheses)} hypotheses; at most {MOST_HYPOTHESES}"
            )
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
    for where, line in numbered_lines([file]):
        if line.strip():
            with as_wrong_input(str(where)):
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
    wrong = first_diverged(split, logs)
    if wrong is not None:
        raise UserError("diverged: a hypothesis has no probability; try a smaller learning rate")
    sums = np.add.reduceat(logs, split.offsets[:-1])
    return [float(value) for value in sums[each - 1 :: each]]
