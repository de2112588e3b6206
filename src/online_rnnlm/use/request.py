"""The options of scoring a text: its layout, and what learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, TypeVar

from pydantic import ValidationError

from online_rnnlm.config.base import Settings
from online_rnnlm.config.evaluations import Learning, final_evaluation
from online_rnnlm.config.messages import WrongValue, first_message, refuse_unknown_keys
from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.config.training import RunSettings
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


def request_for(settings: RunSettings, options: Mapping[str, Any]) -> Learning:
    """Return the way to score with a network that options mean; one that is None has its default.

    Raises UserError for wrong ones, and for those of no use.
    """
    try:
        refuse_unknown_keys(options, Options.__annotations__)
    except WrongValue as error:
        raise UserError(f"`{error.place[0]}`: {error}") from None
    given = {"updates": final_evaluation(settings.document_size)}
    given |= {key: value for key, value in options.items() if value is not None}
    request = checked(Learning, given)
    if "steps" in given and not request.weights_learn:
        raise UserError("`steps`: no weights learn with these `updates`: leave it out")
    request.refuse_useless(settings)
    return request


def checked(kind: type[AnySettings], values: Mapping[str, Any]) -> AnySettings:
    """Return settings with these values; those of another type, or wrong, raise UserError."""
    try:
        return kind.model_validate(values, strict=True)
    except ValidationError as error:
        raise UserError(first_message(error)) from None
