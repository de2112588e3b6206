"""The options of a model's methods: how a text is scored, and how one is made.

Each is described and limited once, by a field of a class here, with its default unless that
depends on the model. The command line's options, the keywords of Python's methods, and the
parameters of a call by MLflow are made of these fields. An option that is None has its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

# Pydantic cannot use that of `typing` before Python 3.12.
from typing_extensions import TypedDict

from online_rnnlm.config.base import (
    NOT_BOOLEAN,
    PositiveFloat,
    PositiveInt,
    Seed,
)
from online_rnnlm.config.evaluations import main_adaptation, parts_in_network, parts_named
from online_rnnlm.config.mistakes import first_message, refuse_unknown_keys
from online_rnnlm.config.testing import LearnAfter, Steps
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import ALL, NONE, Adaptation
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.errors import UserError

Kind = TypeVar("Kind")
_CONFIG = ConfigDict(use_attribute_docstrings=True, extra="forbid", allow_inf_nan=False)


@with_config(_CONFIG)
class AdaptationOptions(TypedDict, total=False):
    """The options that say what learns from a text."""

    updates: str | None
    """what learns: `none`, `document_vector` (the default if the model has a vector), `all`, or
    names joined by `+`; weights learn through the last `steps` hidden states"""
    learn_after: LearnAfter | None
    """when a step is taken: after each `word` (default), each `sentence` or, if the vector alone
    learns, a number of words"""
    unit_of_text: UnitOfText | None
    """stretch of text after which all that was learnt is forgotten; an empty line ends a document
    (default: as in training)"""
    learning_rate: PositiveFloat | None
    """size of the steps: of the weights that learn or, if it alone learns, of the vector"""
    steps: Annotated[Steps | None, Field(json_schema_extra={"default": Adaptation.steps})]
    """the window of weights that learn: the number of hidden states that a word's error is
    propagated back through"""


class Options(AdaptationOptions, total=False):
    """The options of a text and of what learns from it."""

    tokenised: bool
    """True for tokens with spaces between them; a text is raw otherwise."""
    running: bool
    """True for texts of several sentences, each of which gets a row."""


@with_config(_CONFIG)
class SamplingOptions(TypedDict, total=False):
    """The options that say how the words of a sentence are drawn."""

    seed: Annotated[Seed, Field(default=1)]
    """seed of the random numbers; the same gives the same sentences, however many are made"""
    temperature: Annotated[PositiveFloat, Field(default=1)]
    """divisor of the log-probabilities: below 1, likely words become likelier"""
    top_k: Annotated[PositiveInt | None, Field(default=None)]
    """number of the likeliest words among which each word is drawn (default: all)"""
    max_words: Annotated[int, Field(default=100, ge=1, le=1000), NOT_BOOLEAN]
    """number of words after which a sentence is cut off; those of its beginning count, too"""
    unknown: Annotated[bool, Field(default=False)]
    """say `<unk>`, too"""


def checked(options: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """Return the options of a class that are not None, and the defaults of others that have one.

    Raises UserError for an option that is unknown or wrong.
    """
    try:
        refuse_unknown_keys(options, get_type_hints(kind))
        given = {key: value for key, value in options.items() if value is not None}
        return TypeAdapter(kind).validate_python(given, strict=True)
    except ValidationError as error:
        raise UserError(first_message(error)) from None
    except ValueError as error:
        raise UserError(str(error)) from None


def adaptation_for(settings: RunSettings, options: Mapping[str, Any]) -> Adaptation:
    """Return the adaptation of a network that these options mean.

    Raises UserError for wrong ones, and for those of no use.
    """
    given = checked(options, AdaptationOptions)
    updates = given.get("updates")
    if updates is None:
        updates = main_adaptation(settings.document_size).name
    named = updates.split("+")
    present = parts_in_network(settings.document_size)
    if updates not in (NONE, ALL) and not {*named} <= {*present}:
        allowed = f"{NONE}, {ALL}, or one or more of {', '.join(present)} joined by `+`"
        raise UserError(f"`updates`: allowed: {allowed}, not {updates!r}")
    after = given.get("learn_after")
    rate = given.get("learning_rate")
    steps = given.get("steps")
    adaptation = Adaptation(
        parts_named(named, settings.document_size),
        after=1 if after is None or after == "word" else after,
        unit_of_text=given.get("unit_of_text"),
    )
    if not adaptation.parts and (rate is not None or adaptation.after != 1):
        raise UserError("nothing learns: leave out `learning_rate` and `learn_after`")
    if steps is not None and (not adaptation.weights or adaptation.after == "sentence"):
        raise UserError("`steps`: is for weights that learn after every word: leave it out")
    if adaptation.weights and rate is None:
        raise UserError("`learning_rate`: weights that learn need one, such as 0.03")
    if adaptation.weights and adaptation.after not in (1, "sentence"):
        raise UserError("`learn_after`: weights learn after every word, or every sentence")
    if adaptation.parts and adaptation.after == (adaptation.unit_of_text or settings.unit_of_text):
        raise UserError(
            "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
        )
    if adaptation.weights:
        return replace(adaptation, weight_rate=rate, steps=steps or adaptation.steps)
    return replace(adaptation, vector_rate=rate)
