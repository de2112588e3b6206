"""An engine that learns nothing useful, in microseconds, but depends on all that training gives it.

Its weights and accumulators follow from every batch in its order, the rate, the key, and what is
carried over and deferred, so that one batch that is left out or read twice changes every later bit.
"""

import numpy as np
import pytest

from online_rnnlm.core.engines.base import TrainingState, empty_scores
from online_rnnlm.core.order import NOTHING
from online_rnnlm.jobs import train


class StubEngine:
    """The engine."""

    def __init__(self, network, rule, class_offsets):
        self.network = network
        self.rule = rule

    def start(self, weights, accumulators, carried):
        return TrainingState(weights, accumulators, carried, (np.zeros(1),))

    def train(self, state, split, order, learning_rate, key=0):
        total = 0.0
        deferred = state.deferred[0]
        hidden = state.carried.hidden
        for segments, begins in zip(order.segments, order.begins, strict=True):
            read = float((segments[segments != NOTHING] + 1).sum() % 97) + key % 7
            hidden *= ~begins[:, None]
            hidden += np.float32(0.01 * read)
            deferred[:] += read
            step = np.float32(learning_rate * np.sin(read + hidden.sum() + deferred[0]))
            state.accumulators.embeddings[:] += step**2
            state.weights.embeddings[:] += step / np.sqrt(state.accumulators.embeddings)
            first = state.weights.embeddings[0, 0]
            total -= 2.0 * (segments != NOTHING).sum() * (2 + np.cos(first))
        return float(total), state

    def apply_deferred(self, state, learning_rate):
        state.accumulators.embeddings[:] += np.float32(learning_rate * state.deferred[0][0] % 1)
        state.deferred[0][:] = 0
        return state

    def score(self, weights, split, order, adaptation, carried, *, hidden_states=False):
        scores = empty_scores(weights, split, hidden_states=hidden_states)
        scores.log_probabilities[:] = -3.0 - np.sin(10 * float(weights.embeddings.sum()))
        return scores, carried


def use_stub(change: pytest.MonkeyPatch, engine: type[StubEngine] = StubEngine) -> None:
    """Let training use this engine, whatever its settings say."""
    change.setattr(train, "load_engine", lambda _, *of: engine(*of))
