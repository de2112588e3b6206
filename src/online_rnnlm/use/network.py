"""A trained network that scores text, and its state within a text."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.engines import EngineName
from online_rnnlm.config.evaluations import engine_for, usable_anywhere
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import Engine, Scores
from online_rnnlm.core.order import Order
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.scoring import diverged, log_distribution, score_text
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, Corpus
from online_rnnlm.errors import UserError, needing_packages
from online_rnnlm.process.environment import kernels_were_compiled, prepare_process

logger = logging.getLogger(__name__)
SIDE_BY_SIDE = 128
"""Number of texts that are read at once, which bounds the memory."""
_AT_ONCE = 1000
"""Number of words of a text that are read at once, which bounds the memory, too."""


@dataclass(frozen=True, eq=False)
class State:
    """The knowledge of a model after the words that it has read.

    A state never changes: to branch, continue twice from one state; to go back, continue from an
    earlier one. It can be used in several threads, copied and pickled.
    """

    adaptation: Adaptation
    """The adaptation by which the text is read."""
    carried: Carried
    """The state of the network, of one lane."""
    last: int
    """The id of the last word."""

    @property
    def document_vector(self) -> NDArray[np.floating]:
        """A copy of the document vector, (D,); it is 0 if it is not updated."""
        return np.array(self.carried.vector[0])


class ReadText(NamedTuple):
    """A text that was read after a state."""

    log_probabilities: Floats
    """(n,): natural log P of each word."""
    hidden: NDArray[np.floating]
    """(n, M): the hidden states that they were predicted from."""
    state: State
    """The state after it."""


def split_of(sentences: Iterable[Sequence[int]], documents: Sequence[int] = ()) -> Split:
    """Return sentences of words' ids, ends included, in the format of a prepared corpus."""
    stream = [SENTENCE_END_ID]
    offsets = [0]
    for words in sentences:
        stream += words
        offsets.append(len(stream) - 1)
    return Split(
        np.array(stream, np.int32), np.array(offsets, np.int64), np.array(documents, np.int32)
    )


class LoadedNetwork:
    """A trained network; every call begins with the trained weights, in any thread.

    It computes on this machine's CPU, whatever it was trained on.
    """

    def __init__(self, settings: RunSettings, corpus: Corpus, weights: Parameters) -> None:
        self.trained_with = settings
        """The settings of its training, whose engine may need another machine."""
        self.settings = usable_anywhere(settings)
        self.corpus = corpus
        self.weights = weights
        self._ids = {word: index for index, word in enumerate(corpus.words)}
        self._making = threading.Lock()
        self._made = cache(self._make_engine)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and pickles be made without engines, which are compiled code."""
        return LoadedNetwork, (self.trained_with, self.corpus, self.weights)

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the words' ids; those that are not in the vocabulary have that of `<unk>`."""
        unknown = self.corpus.unk_id
        return [self._ids.get(word, unknown) for word in words]

    def log_frequencies(self) -> Floats:
        """Return the natural log of each word's share of the training text, (V,)."""
        counts = self.corpus.counts
        return np.asarray(np.log(np.maximum(counts, 1) / counts.sum()))

    def encode(self, sentences: Iterable[Sequence[str]], documents: Sequence[int] = ()) -> Split:
        """Return the words' ids in the format of a prepared corpus.

        `documents` says for each sentence which document it belongs to; without it, each is one.
        """
        return split_of(([*self.ids(words), SENTENCE_END_ID] for words in sentences), documents)

    def unit_of(self, adaptation: Adaptation) -> UnitOfText:
        """Return the unit of text at whose end all that was learnt is forgotten."""
        return adaptation.unit_in(self.settings.network)

    def carries_over(self, adaptation: Adaptation) -> bool:
        """Return True if anything is carried over from a sentence to the next one of its unit."""
        units = self.weights.class_output.shape[1]
        carries_units = adaptation.first_kept_in(self.settings.network) < units
        return carries_units or (adaptation.updates_vector and self.settings.document_size > 0)

    def can_continue(self, adaptation: Adaptation) -> bool:
        """Return True if a `State` holds all that the adaptation changes."""
        steps_within = adaptation.after != "sentence" or not adaptation.updates_vector
        return not adaptation.weights and steps_within

    def engine(self, adaptation: Adaptation) -> Engine:
        """Return the engine of the adaptation; making one can be slow."""
        with self._making:
            return self._made(engine_for(self.settings, adaptation).engine)

    def _make_engine(self, name: EngineName) -> Engine:
        prepare_process()  # a copy can be the first in its process to load numba and PyTensor
        if name == "kernel" and not kernels_were_compiled():
            logger.warning("The kernels are compiled, once on this machine: some half a minute.")
        with needing_packages():
            settings = self.settings
            return load_engine(name, settings.network, settings.rule, self.corpus.class_offsets)

    @np.errstate(over="ignore")  # of a rate: what diverges by it is said below
    def score(self, split: Split, adaptation: Adaptation, places: Sequence[int] = ()) -> Scores:
        """Score all sentences of a text, computed as in the project's own evaluations.

        Raises UserError if it diverges, which names the sentence by its place in the text or, if
        these are given, by that of `places`.
        """
        engine = self.engine(adaptation)
        scores = score_text(engine, self.weights, adaptation, split)
        if split.sentences:
            sums = np.add.reduceat(scores.log_probabilities, split.offsets[:-1])
            wrong = np.flatnonzero(diverged(-sums / np.diff(split.offsets)))
            if wrong.size:
                place = places[wrong[0]] if places else wrong[0]
                raise UserError(
                    f"sentence {place}: diverged: the weights give it no probability; if "
                    "something learns, a smaller learning rate is needed"
                )
        return scores

    def start(self, adaptation: Adaptation) -> State:
        """Return the state before a text.

        Raises UserError if weights are updated, or the vector after every sentence.
        """
        if not self.can_continue(adaptation):
            raise UserError(
                "a state holds neither weights that learn nor a step at a sentence's end: update "
                "nothing, or the vector after every word"
            )
        nothing = Carried.nothing(self.weights, self.settings.cell, 1)
        return State(adaptation, nothing, SENTENCE_END_ID)

    def read(self, state: State, words: Iterable[str]) -> tuple[Floats, State]:
        """Read words after a state; return log P of each, (n,), and the state after them.

        `</s>` ends a sentence. In how many pieces a text is read changes the result by rounding
        alone.
        """
        pieces: list[list[int]] = [[]]
        for word in self.ids(words):
            if pieces[-1][-1:] == [SENTENCE_END_ID] or len(pieces[-1]) == _AT_ONCE:
                pieces.append([])
            pieces[-1].append(word)
        logs = [np.zeros(0)]
        for piece in filter(None, pieces):
            [read] = self.read_after([state], [piece])
            logs.append(read.log_probabilities)
            state = read.state
        return np.concatenate(logs), state

    def read_after(self, states: Sequence[State], texts: Sequence[Sequence[int]]) -> list[ReadText]:
        """Read a text after each state; all states have one adaptation.

        A text is the ids of one or more words, of which only the last may be `</s>`. What is
        read side by side changes the results only by rounding. Raises UserError for a state of a
        network of other sizes.
        """
        own = Carried.nothing(self.weights, self.settings.cell, 1)
        shapes = [values.shape for values in own]
        for state in states:
            is_own = [values.shape for values in state.carried] == shapes
            if not is_own or state.last >= self.corpus.vocabulary_size:
                raise UserError("the state is one of another model: a model continues from its own")
        read = []
        for first in range(0, len(states), SIDE_BY_SIDE):
            part = slice(first, first + SIDE_BY_SIDE)
            read += self._read_side_by_side(states[part], texts[part])
        return read

    def _read_side_by_side(
        self, states: Sequence[State], texts: Sequence[Sequence[int]]
    ) -> list[ReadText]:
        adaptation = states[0].adaptation
        sentences: list[Sequence[int]] = []
        for state, ids in zip(states, texts, strict=True):
            # Before each text stands its state's last word, as a sentence that is not scored.
            sentences += [[state.last], ids]
        split = split_of(sentences)
        segments = np.arange(1, split.sentences, 2)
        order = Order(segments[None], np.zeros((1, len(segments)), np.bool_))
        before = Carried(*map(np.concatenate, zip(*(s.carried for s in states), strict=True)))
        scores, after = self.engine(adaptation).score(
            self.weights, split, order, adaptation, before, hidden_states=True
        )
        a_unit_begins = np.array([self.unit_of(adaptation) == "sentence"])
        first_kept = adaptation.first_kept_in(self.settings.network)
        read = []
        for lane, ids in enumerate(texts):
            carried = Carried(*(values[lane : lane + 1].copy() for values in after))
            if ids[-1] == SENTENCE_END_ID:
                carried = carried.before(a_unit_begins, first_kept)
            words = slice(split.offsets[segments[lane]], split.offsets[segments[lane] + 1])
            read.append(
                ReadText(
                    scores.log_probabilities[words],
                    scores.hidden_states[words],
                    State(adaptation, carried, ids[-1]),
                )
            )
        return read

    def next_word(self, states: Sequence[State]) -> Floats:
        """Return log P (nats) of every word of the vocabulary after each state, (states, V)."""
        read = self.read_after(states, [[SENTENCE_END_ID]] * len(states))
        hidden = np.concatenate([text.hidden for text in read]).astype(np.float64)
        documents = np.concatenate([state.carried.vector for state in states]).astype(np.float64)
        return log_distribution(self.weights, self.corpus.class_offsets, hidden, documents)

    def entropy(self, state: State) -> float:
        """Return the entropy of the next word after a state (nats)."""
        logs = self.next_word([state])[0]
        return float(-(np.exp(logs) * logs).sum())
