"""Rescoring of n-best lists: each reading's log P, and the order that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

import numpy as np

from online_rnnlm.errors import UserError, WrongInputError, as_wrong_input
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.nbest import ListFormat, Reading, parse
from online_rnnlm.use.network import Request, first_diverged
from online_rnnlm.use.text import Layout, Place, numbered_lines

MOST_READINGS = 100_000
"""Lines of the longest list."""


class Rescored(NamedTuple):
    """A reading with the model's score."""

    reading: Reading
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

    Every reading begins with the trained weights: no reading learns from another one. With
    `with_context` each is scored after the best reading of the list before, and what is learnt from
    that is kept. Raises UserError for lists that cannot be read, and if the model diverges.
    """
    if with_context:
        request = request.model_copy(update={"unit_of_text": "document"})
    else:
        request = request.model_copy(update={"unit_of_text": "sentence"})
    before: list[str] | None = None
    for readings in _lists(files, form):
        if len(readings) > MOST_READINGS:
            raise WrongInputError(
                f"list {readings[0].key}: {len(readings)} readings; at most {MOST_READINGS}"
            )
        words = [_words(model, reading, layout) for reading in readings]
        logs = _scores(model, words, before if with_context else None, request)
        found = [
            Rescored(reading, log, reading.score + weight * log)
            for reading, log in zip(readings, logs, strict=True)
        ]
        yield found
        before = words[max(range(len(found)), key=lambda place: found[place].total)]


def ranked(found: Sequence[Rescored]) -> list[Rescored]:
    """Return the readings of a list, those with the highest total first; equal ones stay."""
    return sorted(found, key=lambda one: -one.total)


def _lists(files: Sequence[str], form: ListFormat) -> Iterator[list[Reading]]:
    """Read the lists of files: the lines of a file with the same key; empty lines are left out.

    Raises WrongInputError if a key comes again after its list has ended: some readings would be
    ranked without the others.
    """
    readings: list[Reading] = []
    ended: set[str] = set()
    found = False
    for where, line in numbered_lines(files):
        first = where.line == 1
        reading = _reading(where, line, form, set() if first else ended)
        if readings and (first or (reading is not None and reading.key != readings[0].key)):
            ended.add(readings[0].key)
            yield readings
            readings = []
        if first:  # Another file can have other lists with the same keys.
            ended = set()
        if reading is not None:
            found = True
            readings.append(reading)
    if not found:
        raise WrongInputError(f"{', '.join(files or ['standard input'])}: no list in it")
    if readings:
        yield readings


def _reading(where: Place, line: str, form: ListFormat, ended: Set[str]) -> Reading | None:
    """Read a line, or return None if it is empty; `ended` are the keys of lists before."""
    if not line.strip():
        return None
    with as_wrong_input(str(where)):
        reading = parse(line, form)
        if reading.key in ended:
            raise UserError(
                f"list {reading.key}: has ended before: the readings of a list must follow one "
                "another"
            )
    return reading


def _words(model: TrainedModel, reading: Reading, layout: Layout) -> list[str]:
    with as_wrong_input(f"list {reading.key}"):
        found = model.preparation.sentences(reading.text, layout)
    return [word for words in found for word in words]


def _scores(
    model: TrainedModel, readings: list[list[str]], before: list[str] | None, request: Request
) -> list[float]:
    """Return log P of each reading, after the words of `before` if they are given."""
    sentences = [
        one for words in readings for one in ([words] if before is None else [before, words])
    ]
    each = 1 if before is None else 2
    split = model.network.encode(sentences, np.repeat(np.arange(len(readings)), each).tolist())
    logs = model.network.score(split, request).log_probabilities
    wrong = first_diverged(split, logs)
    if wrong is not None:
        raise UserError("diverged: a reading has no probability; try a smaller learning rate")
    sums = np.add.reduceat(logs, split.offsets[:-1])
    return [float(value) for value in sums[each - 1 :: each]]
