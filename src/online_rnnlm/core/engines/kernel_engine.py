"""Training and scoring by the fast kernels."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from online_rnnlm.core.engines.base import Scores, TrainingState, empty_scores
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.backward import apply_deferred
from online_rnnlm.core.engines.kernels.batches import score_batches, train_batches
from online_rnnlm.core.engines.kernels.deferred import DeferredUpdates, nothing_deferred
from online_rnnlm.core.engines.kernels.learning import ADAGRAD, SGD, Learning, learning_of

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.carried import Carried
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule
    from online_rnnlm.core.text import Split


class Engine:
    """A network by compiled loops; in training they change all arrays in place."""

    def __init__(
        self, network: NetworkSettings, rule: TrainingRule, class_offsets: Integers
    ) -> None:
        self.network = network
        self.rule = rule
        self._class_offsets = class_offsets

    def start(
        self, weights: Parameters, accumulators: Parameters, carried: Carried
    ) -> TrainingState:
        """Make the state of a training that has deferred nothing."""
        deferred = nothing_deferred(weights, self.rule.rare_class_words)
        return TrainingState(weights, accumulators, carried, deferred)

    def train(
        self, state: TrainingState, split: Split, order: Order, learning_rate: float, key: int = 0
    ) -> tuple[float, TrainingState]:
        """Learn from segments, batch after batch; return their log P and the state, the same."""
        network = self.network
        model = data.kernel_model(
            network,
            state.weights,
            self._class_offsets,
            network.document_rate,
            dropout=data.dropout_of(self.rule, key),
        )
        learning = self._learning(state, learning_rate)
        total = train_batches(model, learning, data.text_of(split), order, state.carried)
        return float(total), state

    def apply_deferred(self, state: TrainingState, learning_rate: float) -> TrainingState:
        """Apply all deferred updates; none are left."""
        rate = self.network.document_rate
        model = data.kernel_model(self.network, state.weights, self._class_offsets, rate)
        apply_deferred(model, self._learning(state, learning_rate))
        return state

    def _learning(self, state: TrainingState, learning_rate: float) -> Learning:
        rule = ADAGRAD if self.rule.optimizer == "adagrad" else SGD
        return learning_of(rule, learning_rate, state.accumulators)._replace(
            rare_class_words=self.rule.rare_class_words,
            deferred=DeferredUpdates(*state.deferred),
        )

    def score(
        self,
        weights: Parameters,
        split: Split,
        order: Order,
        adaptation: Adaptation,
        carried: Carried,
        *,
        hidden_states: bool = False,
    ) -> tuple[Scores, Carried]:
        """Score segments of a text in an order, each lane from its state in `carried`."""
        if adaptation.weights:
            # By its name, so that it is in no run's fingerprint (`config.engines.ENGINES`).
            online = import_module("online_rnnlm.core.engines.kernel_online")
            found: tuple[Scores, Carried] = online.score_updating(
                self.network, self._class_offsets, weights, split, order, adaptation, carried
            )
            return found
        rate = adaptation.vector_rate_in(self.network)
        model = data.kernel_model(
            self.network,
            weights,
            self._class_offsets,
            rate,
            words_a_step=adaptation.words_a_step if rate else 1,
        )
        scores = empty_scores(weights, split, hidden_states=hidden_states)
        after = carried.copy()
        score_batches(model, data.text_of(split), order, after, scores)
        return scores, after
