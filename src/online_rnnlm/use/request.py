"""The ways to score a text: what learns from it, or the cache beside the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, TypeVar

from pydantic import ValidationError

from online_rnnlm.config.base import Fraction, NonNegativeFloat, PositiveInt, Settings
from online_rnnlm.config.evaluations import Learning, final_evaluation
from online_rnnlm.config.messages import WrongValue, first_message, refuse_unknown_keys
from online_rnnlm.config.testing import CacheName, TestingSettings, UnitOfText
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError

AnySettings = TypeVar("AnySettings", bound=Settings)


class Options(TypedDict, total=False):
    """The options of a text and of the way to score it; one that is None has its default."""

    tokenised: bool
    """True for tokens with spaces between them; a text is raw otherwise."""
    running: bool
    """True for texts of several sentences, each of which gets a row."""
    processes: int | None
    """Number of processes that tokenise a long raw text."""
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
    """Words that a loss is propagated back through if weights learn."""
    cache: CacheName | None
    """A cache of the words just read, mixed with a model in which nothing learns."""
    cache_window: int | None
    """Number of words in the cache."""
    cache_weight: float | None
    """The cache's share of the mixture."""
    cache_theta: float | None
    """The strength with which a `neural_cache` prefers similar hidden states."""


class Request(Learning):
    """The way in which a user's text is scored: the fields of `Options`, checked."""

    cache: CacheName | None = None
    """A cache of the words just read, mixed with a model in which nothing learns."""
    cache_window: PositiveInt | None = None
    """Number of the last words that it holds, in the text's order, across sentences."""
    cache_weight: Fraction | None = None
    """Its share λ of the mixture."""
    cache_theta: NonNegativeFloat | None = None
    """Sharpness of a neural cache: with 0 it is a unigram cache, which has none."""

    def refuse_useless(self, settings: RunSettings) -> None:
        """Raise UserError for parts that a model lacks, and for options that are of no use."""
        super().refuse_useless(settings)
        if self.cache is None:
            if self.given_to_cache:
                raise UserError(f"`cache_{next(iter(self.given_to_cache))}`: there is no `cache`")
        elif self.parts(settings.document_size):
            raise UserError(
                "`cache`: nothing learns beside a cache: `updates` must be `none` (`--static`)"
            )
        elif unknown := self.given_to_cache.keys() - cache_named(self.cache).usual.keys():
            raise UserError(f"`cache_{unknown.pop()}`: a {self.cache} has none")

    @property
    def given_to_cache(self) -> dict[str, float]:
        """The settings of the cache that are given, by the rival's names for them."""
        names = ("window", "weight", "theta")
        values = {name: getattr(self, f"cache_{name}") for name in names}
        return {name: value for name, value in values.items() if value is not None}


def cache_named(name: CacheName) -> Any:
    """Return the rival that mixes a cache of that name with a network: a `rivals.MixedRival`."""
    from online_rnnlm.rivals import rival_in  # noqa: PLC0415

    return rival_in(name, TestingSettings())


def request_for(settings: RunSettings, options: Mapping[str, Any]) -> Request:
    """Return the way to score with a network that options mean; one that is None has its default.

    Raises UserError for wrong ones, and for those of no use.
    """
    try:
        refuse_unknown_keys(options, Options.__annotations__)
    except WrongValue as error:
        raise UserError(f"`{error.place[0]}`: {error}") from None
    given = {"updates": final_evaluation(settings.document_size)}
    given |= {key: value for key, value in options.items() if value is not None}
    request = checked(Request, given)
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
