"""An engine that learns nothing useful, in microseconds, but depends on all that training gives it.

Its weights and accumulators follow from every batch in its order, the rate, the key, and what is
carried over and deferred, so that one batch that is left out or read twice changes every later bit.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from online_rnnlm.core import parameters, training
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.lanes import NOTHING, Carried, segments_of


class StubTrainer:
    """The trainer of the engine."""

    def __init__(self, settings, corpus, weights, accumulators, carried=None, deferred=()):
        lanes = segments_of(corpus.splits["train"], settings).lanes(settings.batch_sentences)
        self.weights, self.accumulators = (
            parameters.Parameters(*(array.copy() for array in of)) for of in (weights, accumulators)
        )
        self.deferred = deferred or (np.zeros(1),)
        self.carried = carried or Carried.nothing(weights, settings.cell, lanes)

    def update(self, batches, learning_rate, key=0):
        total = 0.0
        for segments, begins in zip(*batches, strict=True):
            read = float((segments[segments != NOTHING] + 1).sum() % 97) + key % 7
            state = self.carried.states[0]
            state *= ~begins[:, None]
            state += np.float32(0.01 * read)
            self.deferred[0][:] += read
            step = np.float32(learning_rate * np.sin(read + state.sum() + self.deferred[0][0]))
            self.accumulators.embeddings[:] += step**2
            self.weights.embeddings[:] += step / np.sqrt(self.accumulators.embeddings)
            total -= 2.0 * (segments != NOTHING).sum() * (2 + np.cos(self.weights.embeddings[0, 0]))
        return float(total)

    def apply_deferred(self, learning_rate):
        self.accumulators.embeddings[:] += np.float32(learning_rate * self.deferred[0][0] % 1)
        self.deferred[0][:] = 0

    def restore(self, weights, accumulators):
        parameters.copy_into(self.weights, weights)
        parameters.copy_into(self.accumulators, accumulators)


def _scorer(settings, corpus):
    def score(weights, split, sentences, document_rate):
        each = -3.0 - np.sin(10 * float(weights.embeddings.sum()))
        vectors = np.zeros((len(sentences), settings.document_size), np.float32)
        return Scores(np.full(split.tokens, each), vectors, np.zeros((0, 1), np.float32))

    return score


ENGINE = SimpleNamespace(Trainer=StubTrainer, Scorer=_scorer)
"""The engine's module, in which tests replace the trainer or the scorer."""


def use_stub(change: pytest.MonkeyPatch) -> None:
    """Let training use the engine, whatever its settings say."""
    change.setattr(ENGINE, "Trainer", StubTrainer)
    change.setattr(ENGINE, "Scorer", _scorer)
    change.setattr(training, "load_engine", lambda _: ENGINE)
