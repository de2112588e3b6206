"""What may learn during testing: its parts, the names of their subsets, and of the evaluations."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import NamedTuple

from online_rnnlm.config.testing import LearnAfter, TestingSettings, UnitOfText

NONE, DOCUMENT_VECTOR, ALL = "none", "document_vector", "all"
PARTS = (DOCUMENT_VECTOR, "embeddings", "recurrent", "output")
"""In the order in which a subset's name has them; all but the first are groups of weights."""


def parts_of(document_size: int) -> tuple[str, ...]:
    """The parts that a model has: without a document vector, the weights only."""
    return PARTS if document_size else PARTS[1:]


def name_of(parts: Collection[str], document_size: int) -> str:
    """The name of a subset in a model: `all`, its parts joined by `+`, or `none`.

    What the model does not have is left out.
    """
    present = parts_of(document_size)
    kept = [part for part in present if part in parts or ALL in parts]
    if len(kept) == len(present):
        return ALL
    return "+".join(kept) or NONE


def parts_named(name: str, document_size: int) -> frozenset[str]:
    """The parts of the subset that `name_of` has named."""
    if name == ALL:
        return frozenset(parts_of(document_size))
    return frozenset() if name == NONE else frozenset(name.split("+"))


class OnlineEvaluation(NamedTuple):
    """An evaluation in which more learns than a vector as it was trained to."""

    updates: str
    """What learns: a name of `name_of`."""
    learn_after: LearnAfter
    unit_of_text: UnitOfText
    """What it is kept for."""

    @property
    def name(self) -> str:
        """The evaluation's name, such as `all.word.sentence`."""
        return ".".join(self)


def online_evaluation(evaluation: str) -> OnlineEvaluation | None:
    """What an evaluation's name says; None for those that are no `OnlineEvaluation`."""
    match evaluation.split("."):
        case [
            updates,
            ("word" | "sentence") as after,
            ("sentence" | "document" | "stream") as unit,
        ]:
            return OnlineEvaluation(updates, after, unit)
    return None


def main_evaluations(document_size: int) -> tuple[str, ...]:
    """The evaluations that all runs get: still, and with the vector learning as in training."""
    return (NONE, DOCUMENT_VECTOR) if document_size else (NONE,)


def final_evaluation(document_size: int) -> str:
    """The evaluation that counts as the run's result."""
    return main_evaluations(document_size)[-1]


def further_evaluations(document_size: int, testing: TestingSettings) -> tuple[str, ...]:
    """The evaluations that `testing` adds, each once."""
    rivals = () if document_size else testing.rivals_of_runs
    learning = (evaluation.name for evaluation in _learning(document_size, testing))
    return tuple(dict.fromkeys([*learning, *rivals]))


def _learning(document_size: int, testing: TestingSettings) -> Iterator[OnlineEvaluation]:
    names = [name_of(subset, document_size) for subset in testing.updates]
    ways = itertools.product(names, testing.learn_after, testing.unit_of_text)
    for evaluation in itertools.starmap(OnlineEvaluation, ways):
        # What is learnt after a sentence and forgotten with it makes no difference.
        lost = evaluation.learn_after == evaluation.unit_of_text == "sentence"
        if evaluation.updates != NONE and not lost:
            yield evaluation


def evaluations_of(document_size: int, testing: TestingSettings) -> tuple[str, ...]:
    """All of a run's evaluations."""
    return (*main_evaluations(document_size), *further_evaluations(document_size, testing))
