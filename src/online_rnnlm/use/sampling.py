"""The distribution over the next word, and the making of sentences by drawing words from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from online_rnnlm.config.base import NOT_BOOLEAN, PositiveFloat, PositiveInt, Seed, Settings
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, NONE, Learning
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.use.network import Network, split_of

Floats = NDArray[np.float64]


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


def next_word(network: Network, histories: Sequence[Sequence[int]], rate: float) -> Floats:
    """Return log P (nats) of every word after each history, float64 (histories, V).

    A history is the numbers of the words of a sentence so far. The document vector has learnt from
    it at that rate; with 0 it stays 0. The engine scores each history twice: with an end, before
    which is the hidden state that is needed, and without, after which is the vector.
    """
    learning = Learning(
        updates=DOCUMENT_VECTOR if rate else NONE,
        unit_of_text="sentence",
        learning_rate=rate or None,
    )
    scorer = network.scorer(learning, hidden_states=True)
    ended = split_of([[*history, SENTENCE_END_ID] for history in histories])
    numbers = np.arange(ended.sentences)
    states = scorer.score(ended, numbers).hidden_states
    hidden = states[ended.offsets[1:] - 1].astype(np.float64)
    documents = np.zeros((len(histories), network.settings.document_size))
    begun = [number for number, history in enumerate(histories) if len(history)]
    if rate and begun:
        # Every second sentence is an end, so that each history begins after one.
        open_ones = [part for n in begun for part in (histories[n], [SENTENCE_END_ID])]
        asked = np.arange(0, len(open_ones), 2)
        found = scorer.score(split_of(open_ones), asked)
        documents[begun] = found.document_vectors
    return log_distribution(network.weights, network.corpus.class_offsets, hidden, documents)


def log_distribution(
    weights: Parameters, class_offsets: NDArray[np.int64], hidden: Floats, documents: Floats
) -> Floats:
    """Return log P (nats) of every word by the model's output layer, float64 (B, V).

    `hidden` (B, H) are the states that feed it, `documents` (B, D) the document vectors.
    """
    d = documents if weights.class_document.shape[0] else documents[:, :0]
    class_scores = hidden @ weights.class_output.T + d @ weights.class_document
    word_scores = hidden @ weights.word_output.T + d @ weights.word_document
    sizes, begins = np.diff(class_offsets), class_offsets[:-1]
    class_logs: Floats = class_scores - _log_sums(class_scores, np.zeros(1, np.int64))
    within = word_scores - np.repeat(_log_sums(word_scores, begins), sizes, axis=1)
    found: Floats = np.repeat(class_logs, sizes, axis=1) + within
    return found


def _log_sums(scores: Floats, begins: NDArray[np.int64]) -> Floats:
    """Return log Σ exp of the scores (B, N) of each range that begins at one of these columns."""
    highest = np.maximum.reduceat(scores, begins, axis=1)
    sizes = np.diff(begins, append=scores.shape[1])
    powers = np.exp(scores - np.repeat(highest, sizes, axis=1))
    sums: Floats = highest + np.log(np.add.reduceat(powers, begins, axis=1))
    return sums
