"""The making of sentences: words are drawn from the distribution over the next word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from online_rnnlm.config.base import NOT_BOOLEAN, PositiveFloat, PositiveInt, Seed, Settings
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.use.network import SIDE_BY_SIDE, Floats, Network, State


class SamplingSettings(Settings):
    """The way in which sentences are made."""

    number: Annotated[int, Field(ge=1, le=10_000), NOT_BOOLEAN] = 1
    """Number of sentences; each begins with the trained weights and a vector of 0."""
    seed: Seed = 1
    """The same seed gives the same sentences, however many are asked for."""
    temperature: PositiveFloat = 1.0
    """Divisor of the log-probabilities: below 1, likely words become likelier."""
    top_k: PositiveInt | None = None
    """Number of the likeliest words among which each word is drawn; None: all."""
    max_words: Annotated[int, Field(ge=1, le=1000), NOT_BOOLEAN] = 100
    """Number of words after which a sentence is cut off; those of its beginning count, too."""
    unknown: bool = False
    """True if `<unk>` may be said."""


def sample(
    network: Network, begin: Sequence[str], after: State, settings: SamplingSettings
) -> list[list[str]]:
    """Make sentences that begin with these words, after which the state is `after`.

    Words are drawn until `</s>`, or until there are enough. Returns them without `</s>`.
    """
    chances = [np.random.default_rng([settings.seed, n]) for n in range(settings.number)]
    refused = [] if settings.unknown else [network.corpus.unk_id]
    said = [[*begin] for _ in chances]
    for first in range(0, settings.number, SIDE_BY_SIDE):
        last = min(first + SIDE_BY_SIDE, settings.number)
        going = dict.fromkeys(range(first, last), after)
        for _ in range(settings.max_words - len(begin)):
            if not going:
                break
            logs = network.next_word([*going.values()])
            logs[:, refused] = -np.inf
            drawn = {n: _draw(of, chances[n], settings) for n, of in zip(going, logs, strict=True)}
            going = {n: state for n, state in going.items() if drawn[n] != SENTENCE_END_ID}
            for n in going:
                said[n].append(network.corpus.words[drawn[n]])
            read = network.go_on([*going.values()], [[drawn[n]] for n in going])
            going = {n: text.state for n, text in zip(going, read, strict=True)}
    return said


def _draw(logs: Floats, chance: np.random.Generator, settings: SamplingSettings) -> int:
    """Draw the number of a word from log-probabilities (V,), which need not add up to 1."""
    words: NDArray[np.int64] = np.arange(len(logs))
    if settings.top_k is not None:
        words = np.sort(np.argsort(-logs, kind="stable")[: settings.top_k])
    scaled = (logs[words] - logs[words].max()) / settings.temperature
    sums = np.exp(scaled).cumsum()
    place = int(np.searchsorted(sums, chance.random() * sums[-1], side="right"))
    return int(words[min(place, len(words) - 1)])
