"""Sentences that a trained network makes, word by word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.use.network import SIDE_BY_SIDE, LoadedNetwork, State
from online_rnnlm.use.options import SamplingOptions


def sample(
    network: LoadedNetwork,
    number: int,
    begin: Sequence[str],
    after: State,
    options: SamplingOptions,
) -> list[list[str]]:
    """Make sentences that begin with these words, after which the state is `after`.

    The options are as `checked` returns them, with their defaults. Words are drawn until `</s>`, or
    until there are enough. Returns them without `</s>`.
    """
    refused = [] if options["unknown"] else [network.corpus.unk_id]
    chances = [np.random.default_rng([options["seed"], n]) for n in range(number)]
    said = [[*begin] for _ in chances]
    for first in range(0, number, SIDE_BY_SIDE):
        last = min(first + SIDE_BY_SIDE, number)
        going = dict.fromkeys(range(first, last), after)
        for _ in range(options["max_words"] - len(begin)):
            if not going:
                break
            logs = network.next_word([*going.values()])
            logs[:, refused] = -np.inf
            drawn = {
                n: _draw(of, chances[n], options["temperature"], options["top_k"])
                for n, of in zip(going, logs, strict=True)
            }
            going = {n: state for n, state in going.items() if drawn[n] != SENTENCE_END_ID}
            for n in going:
                said[n].append(network.corpus.words[drawn[n]])
            read = network.read_after([*going.values()], [[drawn[n]] for n in going])
            going = {n: text.state for n, text in zip(going, read, strict=True)}
    return said


def _draw(
    logs: NDArray[np.float64], chance: np.random.Generator, temperature: float, top_k: int | None
) -> int:
    """Draw the id of a word from log-probabilities (V,), which need not add up to 1."""
    words: NDArray[np.int64] = np.arange(len(logs))
    if top_k is not None:
        words = np.sort(np.argsort(-logs, kind="stable")[:top_k])
    scaled = (logs[words] - logs[words].max()) / temperature
    sums = np.exp(scaled).cumsum()
    place = int(np.searchsorted(sums, chance.random() * sums[-1], side="right"))
    return int(words[min(place, len(words) - 1)])
