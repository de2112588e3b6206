"""The state of a model within a text: reading goes on from it, in pieces, and in several ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.distribution import log_distribution
from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.errors import UserError
from online_rnnlm.use.network import Network, split_of

Floats = NDArray[np.float64]
SIDE_BY_SIDE = 128
"""Number of texts that are read at once, which bounds the memory."""
_AT_ONCE = 1000
"""Number of words of a text that are read at once, which bounds the memory, too."""


@dataclass(frozen=True, eq=False)
class State:
    """The knowledge of a model after the words that it has read.

    A state never changes: to branch is to go on from one state twice, and to go back is to go on
    from an earlier one. It can be used in several threads, copied and pickled.
    """

    way: Way
    """The way in which the text is read."""
    carried: Carried
    """The states of the hidden layer and the document vector, of one lane."""
    last: int
    """The number of the last word."""

    @property
    def document_vector(self) -> NDArray[np.floating]:
        """A copy of the document vector, (D,); it is 0 if it does not learn."""
        vector: NDArray[np.floating] = self.carried.documents[0].copy()
        return vector


class NextWord(NamedTuple):
    """A word that may come next."""

    word: str
    log_probability: float
    """Natural log P."""


class Read(NamedTuple):
    """The words that were read after a state."""

    log_probabilities: Floats
    """(n,): natural log P of each."""
    hidden: NDArray[np.floating]
    """(n, M): the states that they were predicted from."""
    state: State
    """The state after them."""


def start(network: Network, way: Way) -> State:
    """Return the state before a text.

    Raises UserError if more learns than the vector after every word.
    """
    if not network.scorer(way, hidden_states=True).goes_on:
        raise UserError(
            "a state holds neither weights that learn nor waiting steps: let nothing "
            "learn, or the vector after every word"
        )
    nothing = Carried.nothing(network.weights, network.settings.cell, 1)
    return State(way, nothing, SENTENCE_END_ID)


def read(network: Network, state: State, words: Iterable[str]) -> tuple[Floats, State]:
    """Read words after a state; return log P of each, (n,), and the state after them.

    `</s>` ends a sentence. In how many pieces a text is read changes no bit of the result.
    """
    found = [np.zeros(0)]
    for piece in _pieces(network.ids(words)):
        [(logs, _, state)] = go_on(network, [state], [piece])
        found.append(logs)
    return np.concatenate(found), state


def _pieces(ids: Sequence[int]) -> Iterator[list[int]]:
    """Cut a text after every `</s>`, and where it is long."""
    piece: list[int] = []
    for word in ids:
        piece.append(word)
        if word == SENTENCE_END_ID or len(piece) == _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece


def go_on(network: Network, states: Sequence[State], texts: Sequence[Sequence[int]]) -> list[Read]:
    """Read a text after each state; all states are of one way.

    A text is the numbers of one or more words, of which only the last may be `</s>`. What is read
    side by side changes no bit of the results.
    """
    found = []
    for first in range(0, len(states), SIDE_BY_SIDE):
        part = slice(first, first + SIDE_BY_SIDE)
        found += _go_on(network, states[part], texts[part])
    return found


def _go_on(network: Network, states: Sequence[State], texts: Sequence[Sequence[int]]) -> list[Read]:
    scorer = network.scorer(states[0].way, hidden_states=True)
    # Before each text stands its state's last word, as a sentence that is not scored.
    pairs = zip(states, texts, strict=True)
    split = split_of([one for state, ids in pairs for one in ([state.last], ids)])
    scores, after = scorer.go_on(
        split, np.arange(1, split.sentences, 2), _joined([one.carried for one in states])
    )
    begins = np.array([scorer.reading.unit_of_text == "sentence"])
    ends = np.cumsum([len(ids) for ids in texts])[:-1]
    rows = (np.split(array, ends) for array in (scores.log_probabilities, scores.hidden_states))
    found = []
    for lane, (ids, logs, hidden) in enumerate(zip(texts, *rows, strict=True)):
        carried = _lane(after, lane)
        if ids[-1] == SENTENCE_END_ID:
            carried = carried.before(begins, scorer.reading)
        found.append(Read(logs, hidden, State(states[lane].way, carried, ids[-1])))
    return found


def _joined(lanes: Sequence[Carried]) -> Carried:
    """Put what single lanes carry side by side."""
    states = zip(*(lane.states for lane in lanes), strict=True)
    documents = np.concatenate([lane.documents for lane in lanes])
    return Carried(tuple(np.concatenate(arrays) for arrays in states), documents)


def _lane(carried: Carried, lane: int) -> Carried:
    """Return a copy of what one lane carries."""
    states = tuple(values[lane : lane + 1].copy() for values in carried.states)
    return Carried(states, carried.documents[lane : lane + 1].copy())


def next_word(network: Network, states: Sequence[State]) -> Floats:
    """Return log P (nats) of every word of the vocabulary after each state, float64 (states, V)."""
    read = go_on(network, states, [[SENTENCE_END_ID]] * len(states))
    hidden = np.concatenate([one.hidden for one in read]).astype(np.float64)
    documents = np.concatenate([one.carried.documents for one in states]).astype(np.float64)
    return log_distribution(network.weights, network.corpus.class_offsets, hidden, documents)
