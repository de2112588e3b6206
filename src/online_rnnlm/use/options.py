"""The options of scoring a text: its layout, and what learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypedDict, TypeVar

from pydantic import ValidationError

from online_rnnlm.config.base import Rate, Settings
from online_rnnlm.config.evaluations import final_evaluation, parts_named, parts_of
from online_rnnlm.config.messages import WrongValue, first_message, refuse_unknown_keys
from online_rnnlm.config.testing import USUAL_STEPS, LearnAfter, Steps
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.way import ALL, NONE, UnitOfText, Way
from online_rnnlm.errors import UserError

AnySettings = TypeVar("AnySettings", bound=Settings)


class Options(TypedDict, total=False):
    """The options of a text and of the way to score it; one that is None has its default."""

    tokenised: bool
    """True for tokens with spaces between them; a text is raw otherwise."""
    running: bool
    """True for texts of several sentences, each of which gets a row."""
    updates: str | None
    """The parts that learn: `none`, `document_vector` (the default if there is a vector), `all`, or
    several joined by `+`."""
    learn_after: Literal["word", "sentence"] | int | None
    """The stretch of text that ends before a step is taken; a number of words if the vector learns
    alone."""
    unit_of_text: UnitOfText | None
    """The stretch of text after which all that was learnt is forgotten; None: as in training."""
    learning_rate: float | None
    """Size of the steps: of the weights that learn, or of the vector if it learns alone."""
    steps: int | None
    """Words that an error is propagated back through if weights learn."""


class WayOptions(Settings):
    """The options that say what learns from a text while it is scored."""

    updates: str = NONE
    """The parts that learn: `none`, `all`, or names of parts joined by `+`: `document_vector`,
    `embeddings`, `recurrent`, `output`."""
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


def way_for(settings: RunSettings, options: Mapping[str, Any]) -> Way:
    """Return the way to score with a network that options mean; one that is None has its default.

    Raises UserError for wrong ones, and for those of no use.
    """
    try:
        refuse_unknown_keys(options, Options.__annotations__)
    except WrongValue as error:
        raise UserError(f"`{error.place[0]}`: {error}") from None
    given = {"updates": final_evaluation(settings.document_size)}
    given |= {key: value for key, value in options.items() if value is not None}
    asked = checked(WayOptions, given)
    named = asked.updates.split("+")
    present = parts_of(settings.document_size)
    if asked.updates not in (NONE, ALL) and not {*named} <= {*present}:
        allowed = f"{NONE}, {ALL}, or one or more of {', '.join(present)} joined by `+`"
        raise UserError(f"`updates`: Input should be {allowed}, not {asked.updates!r}")
    parts = parts_named(named, settings.document_size)
    after = 1 if asked.learn_after == "word" else asked.learn_after
    way = Way(parts, after=after, unit_of_text=asked.unit_of_text, steps=asked.steps)
    if not way.groups and "steps" in given:
        raise UserError("`steps`: no weights learn with these `updates`: leave it out")
    if way.groups and asked.learning_rate is None:
        raise UserError("`learning_rate`: weights that learn need one, such as 0.03")
    if not parts and asked.learning_rate is not None:
        raise UserError("`learning_rate`: nothing learns with these `updates`: leave it out")
    if not parts and after != 1:
        raise UserError("`learn_after`: nothing learns with these `updates`: leave it out")
    if way.groups and after not in (1, "sentence"):
        raise UserError("`learn_after`: weights learn after every word, or every sentence")
    if parts and after == (asked.unit_of_text or settings.unit_of_text):
        raise UserError(
            "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
        )
    if way.groups:
        return replace(way, weight_rate=asked.learning_rate)
    return replace(way, vector_rate=asked.learning_rate)


def checked(kind: type[AnySettings], values: Mapping[str, Any]) -> AnySettings:
    """Return settings with these values; those of another type, or wrong, raise UserError."""
    try:
        return kind.model_validate(values, strict=True)
    except ValidationError as error:
        raise UserError(first_message(error)) from None
