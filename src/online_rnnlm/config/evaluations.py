"""The parts of a model that may learn during testing, and the names of evaluations."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, get_args

from online_rnnlm.config.engines import engines_with
from online_rnnlm.config.messages import WrongValue
from online_rnnlm.config.testing import LearnAfter, RunRivalName, TestingSettings, UnitOfText
from online_rnnlm.config.training import RunSettings

NONE, DOCUMENT_VECTOR, ALL = "none", "document_vector", "all"
PARTS = (DOCUMENT_VECTOR, "embeddings", "recurrent", "output")
"""The parts, in the order of a subset's name; all but the first are groups of weights."""
_LOST = "what is learnt after a sentence is lost at its end"
_WHY_NOTHING = {
    "updates": f"tests nothing: no row has such a part, or {_LOST}",
    "learn_after": f"tests nothing: {_LOST}; give `unit_of_text: [document]`, too",
    "unit_of_text": f"tests nothing: {_LOST}; give `learn_after: [word]`, too",
}


def parts_of(document_size: int) -> tuple[str, ...]:
    """Return the parts that a model has; without a document vector, these are the weights only."""
    return PARTS if document_size else PARTS[1:]


def name_of(parts: Collection[str], document_size: int) -> str:
    """Return the name of a subset in a model: `all`, its parts joined by `+`, or `none`.

    Parts that the model does not have are left out.
    """
    present = parts_of(document_size)
    kept = [part for part in present if part in parts or ALL in parts]
    if len(kept) == len(present):
        return ALL
    return "+".join(kept) or NONE


def parts_named(name: str, document_size: int) -> frozenset[str]:
    """Return the parts of a subset from its name, which `name_of` has made."""
    if name == ALL:
        return frozenset(parts_of(document_size))
    return frozenset() if name == NONE else frozenset(name.split("+"))


class OnlineEvaluation(NamedTuple):
    """An evaluation in which other parts learn, or the document vector learns in another way."""

    updates: str
    """Name of the subset that learns, as `name_of` gives it."""
    learn_after: LearnAfter
    unit_of_text: UnitOfText
    """The unit of text at whose end all that was learnt is forgotten."""

    @property
    def name(self) -> str:
        """The evaluation's name, such as `all.word.sentence`."""
        return ".".join(self)


def online_evaluation(evaluation: str) -> OnlineEvaluation | None:
    """Read an evaluation's name; return None if it is not that of an `OnlineEvaluation`."""
    match evaluation.split("."):
        case [
            updates,
            ("word" | "sentence") as after,
            ("sentence" | "document" | "stream") as unit,
        ]:
            return OnlineEvaluation(updates, after, unit)
    return None


def is_evaluation(name: str) -> bool:
    """Return True if an evaluation of a run can have that name."""
    simple = (NONE, DOCUMENT_VECTOR, *get_args(RunRivalName))
    return name in simple or online_evaluation(name) is not None


def main_evaluations(document_size: int) -> tuple[str, ...]:
    """Return the evaluations of every run.

    They are `none`, in which nothing learns, and, if the run has a document vector,
    `document_vector`, in which it learns as in training.
    """
    return (NONE, DOCUMENT_VECTOR) if document_size else (NONE,)


def final_evaluation(document_size: int) -> str:
    """Return the evaluation that counts as the run's result."""
    return main_evaluations(document_size)[-1]


def further_evaluations(document_size: int, testing: TestingSettings) -> tuple[str, ...]:
    """Return the evaluations that `testing` adds, each once."""
    learning = (evaluation.name for evaluation in _learning(document_size, testing))
    return tuple(dict.fromkeys([*learning, *testing.rivals_of_runs]))


def _learning(document_size: int, testing: TestingSettings) -> Iterator[OnlineEvaluation]:
    names = [name_of(subset, document_size) for subset in testing.updates]
    ways = itertools.product(names, testing.learn_after, testing.unit_of_text)
    for evaluation in itertools.starmap(OnlineEvaluation, ways):
        # Learning after a sentence has no effect if it is forgotten at the sentence's end.
        lost = evaluation.learn_after == evaluation.unit_of_text == "sentence"
        if evaluation.updates != NONE and not lost:
            yield evaluation


def evaluations_of(document_size: int, testing: TestingSettings) -> tuple[str, ...]:
    """Return all of a run's evaluations."""
    return (*main_evaluations(document_size), *further_evaluations(document_size, testing))


def refuse_tests_of_nothing(testing: TestingSettings, document_sizes: Collection[int]) -> None:
    """Raise WrongValue for a part of `testing` that adds no evaluation to any row.

    `document_sizes` are the lengths of the rows' document vectors, 0 for a static row.
    """
    for key in ("updates", "learn_after", "unit_of_text"):
        values = getattr(testing, key)
        if not testing.updates and values != TestingSettings.model_fields[key].default:
            raise WrongValue(("testing", key), "tests nothing without `updates`")
        for index, value in enumerate(values if testing.updates else ()):
            alone = testing.model_copy(update={key: [value]})
            if not any(any(_learning(size, alone)) for size in document_sizes):
                raise WrongValue(("testing", key, index), _WHY_NOTHING[key])


def refuse_rivals_without_kernels(testing: TestingSettings, runs: Iterable[RunSettings]) -> None:
    """Raise WrongValue if rivals need the kernels for a run's model, which lack a part of it."""
    if "dynamic_evaluation" in testing.rivals and "kernel" not in engines_with(ability="coupling"):
        for run in runs:
            if run.needs_coupling:
                place = ("testing", "rivals", testing.rivals.index("dynamic_evaluation"))
                row = f"`cell: {run.cell}` with `document_layer: {run.document_layer}`"
                raise WrongValue(place, f"there is none of a row with {row}")
