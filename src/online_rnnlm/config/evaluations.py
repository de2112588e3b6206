"""The parts of a model that may learn during testing, and the names of evaluations."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator

from online_rnnlm.config.base import Rate, Settings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.messages import WrongValue
from online_rnnlm.config.testing import (
    UNITS,
    USUAL_STEPS,
    LearnAfter,
    Steps,
    TestingSettings,
    UnitOfText,
)
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError

NONE, DOCUMENT_VECTOR, ALL = "none", "document_vector", "all"
PARTS = (DOCUMENT_VECTOR, "embeddings", "recurrent", "output")
"""The parts, in the order of a subset's name; all but the first are groups of weights."""


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


class Learning(Settings):
    """The parts that learn from a text while it is scored, with their moments, rate and unit."""

    updates: str = NONE
    """The parts that learn: `none`, `all`, or names of `PARTS` joined by `+`."""
    learn_after: LearnAfter = "word"
    """The stretch of text after which a step is taken; a number of words if only the vector
    learns."""
    unit_of_text: UnitOfText | None = None
    """The unit of text at whose end all that was learnt is forgotten; `stream` is the whole text.

    None: the unit of training, with `carry` as in training.
    """
    learning_rate: Rate | None = None
    """The rate of the weights that learn, or of the vector where only the vector learns.

    If None, the vector has the rate that it was trained with.
    """
    steps: Steps = USUAL_STEPS
    """Number of hidden states that a word's error is propagated back through if weights learn."""

    @property
    def moment(self) -> str:
        """`learn_after` in words, such as `sentence` or `5 words`."""
        after = self.learn_after
        return f"{after} words" if isinstance(after, int) else after

    @property
    def in_words(self) -> str:
        """The words after a network's name: none if its vector learns as in training, or `frozen`,
        `kept for the article`, `with everything learning after every word, kept for the stream`."""
        if self.unit_of_text is None:
            return "frozen" if self.updates == NONE else ""
        kept = f"kept for the {UNITS[self.unit_of_text]}"
        if self.updates == DOCUMENT_VECTOR:
            after = f"learning after every {self.moment}, {kept}"
            return kept if self.learn_after == "word" else after
        parts = "everything" if self.updates == ALL else self.updates.replace("_", " ")
        return f"with {parts.replace('+', ' and ')} learning after every {self.moment}, {kept}"

    @property
    def name(self) -> str:
        """The evaluation's name, such as `document_vector` or `all.word.sentence`."""
        if self.unit_of_text is None:
            return self.updates
        return f"{self.updates}.{self.learn_after}.{self.unit_of_text}"

    def parts(self, document_size: int) -> frozenset[str]:
        """Return the parts of a model that learn."""
        named = self.updates.split("+")
        return frozenset(part for part in parts_of(document_size) if part in named or ALL in named)

    @property
    def weights_learn(self) -> bool:
        """True if more learns than the document vector."""
        return not {*self.updates.split("+")} <= {NONE, DOCUMENT_VECTOR}

    def refuse_useless(self, settings: RunSettings) -> None:
        """Raise UserError for parts that a model lacks, and for options that are of no use."""
        parts, learning = parts_of(settings.document_size), self.parts(settings.document_size)
        if self.updates not in (NONE, ALL) and not {*self.updates.split("+")} <= {*parts}:
            allowed = f"{NONE}, {ALL}, or one or more of {', '.join(parts)} joined by `+`"
            raise UserError(f"`updates`: Input should be {allowed}, not {self.updates!r}")
        if self.weights_learn and self.learning_rate is None:
            raise UserError("`learning_rate`: weights that learn need one, such as 0.03")
        if not learning and self.learning_rate is not None:
            raise UserError("`learning_rate`: nothing learns with these `updates`: leave it out")
        if not learning and self.learn_after != "word":
            raise UserError("`learn_after`: nothing learns with these `updates`: leave it out")
        if self.weights_learn and isinstance(self.learn_after, int):
            raise UserError("`learn_after`: weights learn after every word, or every sentence")
        if learning and self.learn_after == (self.unit_of_text or settings.unit_of_text):
            raise UserError(
                "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
            )


def learning_in(evaluation: str) -> Learning | None:
    """Return what learns in an evaluation of that name; None if it scores a rival."""
    if evaluation in (NONE, DOCUMENT_VECTOR):
        return Learning(updates=evaluation)
    keys, values = ("updates", "learn_after", "unit_of_text"), evaluation.split(".")
    if len(values) != len(keys):
        return None
    return Learning.model_validate(dict(zip(keys, values, strict=True)))


def only_vector_learns(evaluation: str) -> bool:
    """True if nothing but the document vector learns, and nothing is added."""
    learning = learning_in(evaluation)
    return learning is not None and learning.updates == DOCUMENT_VECTOR


def main_evaluations(document_size: int) -> tuple[str, ...]:
    """Return the evaluations of every run.

    They are `none`, in which nothing learns, and, if the run has a document vector,
    `document_vector`, in which it learns as in training.
    """
    return (NONE, DOCUMENT_VECTOR) if document_size else (NONE,)


def final_evaluation(document_size: int) -> str:
    """Return the evaluation that counts as the run's result."""
    return main_evaluations(document_size)[-1]


def _learning(settings: RunSettings, testing: TestingSettings) -> Iterator[Learning]:
    if not testing.concerns(settings.corpus):
        return
    names = [name_of(subset, settings.document_size) for subset in testing.updates]
    can_learn = ENGINES["kernel"].scores_online(settings.cell)
    for updates, after, unit in itertools.product(names, testing.learn_after, testing.unit_of_text):
        # Learning after a sentence has no effect if it is forgotten at the sentence's end.
        lost = after == unit == "sentence"
        learning = Learning(updates=updates, learn_after=after, unit_of_text=unit)
        weights_can = can_learn and not isinstance(after, int)
        if updates != NONE and not lost and (weights_can or not learning.weights_learn):
            yield learning


def evaluations_of(settings: RunSettings, testing: TestingSettings) -> tuple[str, ...]:
    """Return all of a run's evaluations, each once: the main ones, and those of `testing`."""
    main = main_evaluations(settings.document_size)
    if not testing.concerns(settings.corpus):
        return main
    learning = (evaluation.name for evaluation in _learning(settings, testing))
    return tuple(dict.fromkeys([*main, *learning, *testing.rivals_of_runs]))


def timed_evaluations(settings: RunSettings, testing: TestingSettings) -> list[Learning]:
    """Return what learns in the evaluations that are timed: the main one, and the vector alone."""
    main = Learning(updates=final_evaluation(settings.document_size))
    others = (one for one in _learning(settings, testing) if one.updates == DOCUMENT_VECTOR)
    return list(dict.fromkeys([main, *others]))


def refuse_tests_of_nothing(testing: TestingSettings, rows: Collection[RunSettings]) -> None:
    """Raise WrongValue if `testing.updates` adds no evaluation to any row."""
    if testing.updates and not any(any(_learning(row, testing)) for row in rows):
        raise WrongValue(
            ("testing", "updates"),
            "tests nothing: no row has such a part that can learn, or what is learnt after a "
            "sentence is lost at its end",
        )
