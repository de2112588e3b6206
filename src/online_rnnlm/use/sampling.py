"""Making of sentences by drawing each word from the model's distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from online_rnnlm.config.base import NOT_BOOLEAN, PositiveFloat, PositiveInt, Seed, Settings
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.use.network import Network
from online_rnnlm.use.next_word import Floats, next_word


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
    static: bool = False
    """True if the document vector does not learn from what is said."""
    unknown: bool = False
    """True if `<unk>` may be said."""


def sample(network: Network, begin: Sequence[str], settings: SamplingSettings) -> list[list[str]]:
    """Make sentences that begin with these words; return their words, without `</s>`."""
    corpus = network.corpus
    ids = {word: number for number, word in enumerate(corpus.words)}
    start = [ids.get(word, corpus.unk_id) for word in begin]
    said = [list(start) for _ in range(settings.number)]
    chances = [np.random.default_rng([settings.seed, n]) for n in range(settings.number)]
    rate = 0.0 if settings.static else network.settings.document_rate
    rate = rate if network.settings.document_size else 0.0
    refused = [] if settings.unknown else [corpus.unk_id]
    going = list(range(settings.number))
    while going and len(said[going[0]]) < settings.max_words:
        logs = next_word(network, [said[n] for n in going], rate)
        logs[:, refused] = -np.inf
        drawn = [_draw(logs[i], chances[n], settings) for i, n in enumerate(going)]
        for n, word in zip(going, drawn, strict=True):
            if word != SENTENCE_END_ID:
                said[n].append(word)
        going = [n for n, word in zip(going, drawn, strict=True) if word != SENTENCE_END_ID]
    made = [[corpus.words[word] for word in words[len(start) :]] for words in said]
    return [[*begin, *words] for words in made]


def _draw(logs: Floats, chance: np.random.Generator, settings: SamplingSettings) -> int:
    """Draw the number of a word from log-probabilities (V,), which need not add up to 1."""
    words: NDArray[np.int64] = np.arange(len(logs))
    if settings.top_k is not None:
        words = np.sort(np.argsort(-logs, kind="stable")[: settings.top_k])
    scaled = (logs[words] - logs[words].max()) / settings.temperature
    sums = np.exp(scaled).cumsum()
    place = int(np.searchsorted(sums, chance.random() * sums[-1], side="right"))
    return int(words[min(place, len(words) - 1)])
