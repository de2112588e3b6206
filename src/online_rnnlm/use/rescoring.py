"""Rescoring of n-best lists: each hypothesis's log P, and the order that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from online_rnnlm.errors import UserError, WrongInputError, as_wrong_input
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.nbest import Hypothesis, ListFormat, lists_of, parse
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
    for hypotheses in lists_of(_hypotheses(files, form)):
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


def _hypotheses(files: Sequence[str], form: ListFormat) -> Iterator[Hypothesis]:
    """Read the lines of files; empty ones are left out."""
    found = False
    for where, line in numbered_lines(files):
        if line.strip():
            found = True
            with as_wrong_input(str(where)):
                yield parse(line, form)
    if not found:
        raise WrongInputError(f"{', '.join(files or ['standard input'])}: no list in it")


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
