"""A model mixed with a cache of the words just read, by the code of the evaluations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import ValidationError

from online_rnnlm.config.base import Fraction, NonNegativeFloat, PositiveInt, Settings
from online_rnnlm.config.messages import first_message
from online_rnnlm.config.testing import CacheName, TestingSettings
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.errors import WrongInputError

if TYPE_CHECKING:  # These load numba, which `prepare_process` must precede.
    from online_rnnlm.engines.base import Scores, Sentences
    from online_rnnlm.rivals.base import MixedRival


class CacheSettings(Settings):
    """A cache, and how it is mixed with the model."""

    name: CacheName
    window: PositiveInt
    """Number of the last words that it holds, in the text's order, across sentences."""
    weight: Fraction
    """Its share λ of the mixture."""
    theta: NonNegativeFloat | None = None
    """Sharpness of a neural cache; a unigram cache has none."""

    @property
    def chosen(self) -> dict[str, float]:
        """The settings by name, as the evaluation with this cache has them."""
        return self.model_dump(exclude={"name"}, exclude_none=True)


def cache_settings(
    name: str | None, *, window: int | None, weight: float | None, theta: float | None
) -> CacheSettings | None:
    """Return a cache with these settings, and usual ones where they are None; None without a name.

    Raises WrongInputError for settings that are not allowed, or that this cache does not have.
    """
    given = {"window": window, "weight": weight, "theta": theta}
    given = {key: value for key, value in given.items() if value is not None}
    if name is None:
        if given:
            raise WrongInputError(f"`cache_{next(iter(given))}`: there is no `cache`")
        return None
    try:
        usual = _cache(_Named.model_validate({"name": name}).name).usual
        unknown = given.keys() - usual.keys()
        if unknown:
            raise WrongInputError(f"`cache_{unknown.pop()}`: a {name} has none")
        return CacheSettings.model_validate({"name": name, **usual, **given})
    except ValidationError as error:
        raise WrongInputError(f"`cache`: {first_message(error)}") from None


class _Named(Settings):
    name: CacheName


def mixed_with_cache(
    score: Callable[[Split, Sentences], Scores], split: Split, settings: CacheSettings
) -> Scores:
    """Score a text, from its first sentence to its last, and mix the scores with a cache.

    `score` gives the hidden states, too. The text is scored in the parts of the evaluations.
    """
    from online_rnnlm.engines.base import joined_scores  # noqa: PLC0415
    from online_rnnlm.engines.lanes import parts_of_documents  # noqa: PLC0415
    from online_rnnlm.rivals.base import ScoredText  # noqa: PLC0415

    scores = joined_scores([score(split, part) for part in parts_of_documents(split)])
    cache = _cache(settings.name)
    cache.chosen = settings.chosen
    text = ScoredText(split.stream[1:], scores.log_probabilities, scores.hidden_states)
    return scores._replace(log_probabilities=cache.score(text))


def _cache(name: CacheName) -> MixedRival:
    from online_rnnlm.rivals import rival_in  # noqa: PLC0415
    from online_rnnlm.rivals.base import MixedRival  # noqa: PLC0415

    cache = rival_in(name, TestingSettings())
    assert isinstance(cache, MixedRival)
    return cache
