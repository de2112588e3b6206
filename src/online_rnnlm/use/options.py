"""The options of scoring a text: its layout, and what learns from it.

`WayOptions` is the one list of those that say what learns. The options of the command line, the
keywords of Python's methods, and the parameters of a call by MLflow are made of its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

# Pydantic cannot use that of `typing` before Python 3.12.
from typing_extensions import TypedDict

from online_rnnlm.config.base import PositiveFloat, first_message, refuse_unknown_keys
from online_rnnlm.config.evaluations import final_evaluation, parts_in_network, parts_named
from online_rnnlm.config.testing import LearnAfter, Steps
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.way import ALL, NONE, UnitOfText, Way
from online_rnnlm.errors import UserError


@with_config(ConfigDict(use_attribute_docstrings=True, extra="forbid", allow_inf_nan=False))
class WayOptions(TypedDict, total=False):
    """The options that say what learns from a text; one that is None has its default."""

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
    steps: Steps | None
    """the window of weights that learn: the number of hidden states that a word's error is
    propagated back through (default: 5)"""


class Options(WayOptions, total=False):
    """The options of a text and of the way to score it."""

    tokenised: bool
    """True for tokens with spaces between them; a text is raw otherwise."""
    running: bool
    """True for texts of several sentences, each of which gets a row."""


WAY_OPTIONS = TypeAdapter(WayOptions)
"""Checks options, and describes them."""


def way_for(settings: RunSettings, options: Mapping[str, Any]) -> Way:
    """Return the way to score with a network that options mean.

    Raises UserError for wrong ones, and for those of no use.
    """
    try:
        refuse_unknown_keys(options, get_type_hints(Options))
        given = WAY_OPTIONS.validate_python(
            {key: value for key, value in options.items() if value is not None}, strict=True
        )
    except ValidationError as error:
        raise UserError(first_message(error)) from None
    except ValueError as error:
        raise UserError(str(error)) from None
    updates = given.get("updates")
    if updates is None:
        updates = final_evaluation(settings.document_size)
    named = updates.split("+")
    present = parts_in_network(settings.document_size)
    if updates not in (NONE, ALL) and not {*named} <= {*present}:
        allowed = f"{NONE}, {ALL}, or one or more of {', '.join(present)} joined by `+`"
        raise UserError(f"`updates`: allowed: {allowed}, not {updates!r}")
    after = given.get("learn_after")
    rate = given.get("learning_rate")
    steps = given.get("steps")
    way = Way(
        parts_named(named, settings.document_size),
        after=1 if after is None or after == "word" else after,
        unit_of_text=given.get("unit_of_text"),
    )
    if not way.groups and steps is not None:
        raise UserError("`steps`: no weights learn with these `updates`: leave it out")
    if way.groups and rate is None:
        raise UserError("`learning_rate`: weights that learn need one, such as 0.03")
    if not way.parts and rate is not None:
        raise UserError("`learning_rate`: nothing learns with these `updates`: leave it out")
    if not way.parts and way.after != 1:
        raise UserError("`learn_after`: nothing learns with these `updates`: leave it out")
    if way.groups and way.after not in (1, "sentence"):
        raise UserError("`learn_after`: weights learn after every word, or every sentence")
    if way.parts and way.after == (way.unit_of_text or settings.unit_of_text):
        raise UserError(
            "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
        )
    if way.groups:
        return replace(way, weight_rate=rate, steps=steps or way.steps)
    return replace(way, vector_rate=rate)
