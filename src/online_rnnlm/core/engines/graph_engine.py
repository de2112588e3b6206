"""Training and scoring by the plain graph: slow, and the reference for the kernels' tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.core import graph, updates
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.engines import padded, symbolic
from online_rnnlm.core.engines.base import Scores, TrainingState, empty_scores
from online_rnnlm.core.engines.kernels import dropout
from online_rnnlm.core.engines.padded import Found
from online_rnnlm.core.order import NOTHING
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.arrays import Array, Integers
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule
    from online_rnnlm.core.text import Split

_FEWEST_LANES = 2
"""With one row in a batch, PyTensor's check of the gradient of a table mistakes it for one that is
broadcast, and raises. So a single sentence gets an empty one beside it."""
_COMPUTING = threading.Lock()
"""Held by the thread that computes: a compiled function has one memory for all of its calls."""


class Engine:
    """A network by the functions of `symbolic`, which are compiled when they are first needed."""

    training: ClassVar[Callable[..., Any]] = staticmethod(symbolic.training)
    scoring: ClassVar[Callable[..., Any]] = staticmethod(symbolic.scoring)
    """These compile the functions; Theano has its own."""

    def __init__(
        self, network: NetworkSettings, rule: TrainingRule, class_offsets: Integers
    ) -> None:
        self.network = network
        self.rule = rule
        self._class_offsets = class_offsets
        self._classes = classes_of_words(class_offsets)
        self._online = lru_cache(maxsize=4)(partial(_Online, network, class_offsets))

    @cached_property
    def _update(self) -> Any:
        return self.training(self.network, self.rule, self._class_offsets)

    @cached_property
    def _score(self) -> Any:
        return self.scoring(self.network, self._class_offsets)

    def start(
        self, weights: Parameters, accumulators: Parameters, carried: Carried
    ) -> TrainingState:
        """Make the state of a training that has deferred nothing.

        Of deferred updates there are the numbers of words, (K,), and the gradients of W_o and V_oᵀ.
        """
        deferred: tuple[Array, ...] = ()
        if self.rule.rare_class_words:
            counts = np.zeros(len(self._class_offsets) - 1, np.int64)
            sums = map(np.zeros_like, (weights.word_output, weights.word_document))
            deferred = (counts, *sums)
        return TrainingState(weights, accumulators, carried, deferred)

    def train(
        self, state: TrainingState, split: Split, order: Order, learning_rate: float, key: int = 0
    ) -> tuple[float, TrainingState]:
        """Learn from segments, batch after batch; return their log P and the new state."""
        network = self.network
        self._update  # noqa: B018  # it is compiled before the first batch

        def learn(state: TrainingState, segments: Integers) -> tuple[Any, TrainingState]:
            segments = _widened(segments, NOTHING)
            batch = graph.pad(split.stream, split.offsets, segments, network.precision)
            rates = learning_rate, network.document_rate
            first = split.offsets[np.maximum(segments, 0)]
            factors = self._factors(key, state.weights, first + np.arange(len(batch.mask))[:, None])
            return self._learn(state, batch, rates, factors, self.rule.rare_class_words)

        return padded.train(learn, state, order)

    def apply_deferred(self, state: TrainingState, learning_rate: float) -> TrainingState:
        """Apply all deferred updates, by a batch without words; none are left."""
        if not state.deferred:
            return state
        nothing = np.zeros((1, _FEWEST_LANES), np.int64)
        mask = np.zeros((1, _FEWEST_LANES), self.network.precision)
        batch = graph.Padded(nothing, nothing, mask)
        factors = self._factors(0, state.weights, nothing)
        carried = Carried.nothing(state.weights, self.network.cell, _FEWEST_LANES)
        state_without = state._replace(carried=carried)
        _, applied = self._learn(state_without, batch, (learning_rate, 0.0), factors, enough=1)
        return applied._replace(carried=state.carried)

    def _learn(
        self,
        state: TrainingState,
        batch: graph.Padded,
        rates: tuple[float, float],
        factors: tuple[Array, ...],
        enough: int,
    ) -> tuple[Any, TrainingState]:
        """Make an update; the output weights of a class learn if it has enough words.

        `rates` are those of the weights and of the document vector.
        """
        lanes = len(state.carried.vector)
        before = (_widened(values, 0) for values in state.carried)
        counts: list[Array] = []
        deferred: list[Array] = []
        if state.deferred:
            due, left = self._due(state.deferred[0], batch, enough)
            counts = [left]
            deferred = [*state.deferred[1:], due]
        numbers = (np.asarray(rate, self.network.precision) for rate in rates)
        total, *found = self._update(
            *state.weights, *state.accumulators, *batch, *numbers, *before, *factors, *deferred
        )
        carried = Carried(*(values[:lanes] for values in found[: len(Carried._fields)]))
        learnt = found[len(Carried._fields) :]
        count = len(state.weights)
        return total, TrainingState(
            Parameters(*learnt[:count]),
            Parameters(*learnt[count : 2 * count]),
            carried,
            (*counts, *learnt[2 * count :]),
        )

    def _due(self, counts: Array, batch: graph.Padded, enough: int) -> tuple[Array, Array]:
        """Add a batch's words to the deferred numbers of words (K,).

        Returns for each word if its class is due (V,), and the numbers that stay deferred (K,).
        """
        classes = self._classes[batch.targets[batch.mask > 0]]
        counts = counts + np.bincount(classes, minlength=len(counts))
        due = counts >= enough
        return due[self._classes], np.where(due, 0, counts)

    def _factors(self, key: int, weights: Parameters, places: Integers) -> tuple[Array, ...]:
        """The factors of dropout, if any, for words at these places of the text, (T, B)."""
        rule = self.rule
        if not rule.drops_units:
            return ()

        def of(layer: np.uint32, width: int, rate: float) -> Array:
            return dropout.factors(key, layer, places, width, rate, self.network.precision)

        return (
            of(dropout.EMBEDDINGS, weights.embeddings.shape[1], rule.embedding_dropout),
            of(dropout.HIDDEN, weights.word_output.shape[1], rule.dropout),
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
        network = self.network
        if adaptation.weights or (adaptation.updates_vector and adaptation.after != 1):
            return self._online(adaptation).score(weights, split, order, carried)
        rate = np.asarray(adaptation.vector_rate_in(network), network.precision)
        predict_batch = self._score

        def predict(segments: Integers, start: Carried) -> Found:
            batch = graph.pad(split.stream, split.offsets, segments, network.precision)
            logs, hidden, *after = predict_batch(*weights, *batch, rate, *start)
            return Found(logs, hidden, Carried(*after))

        with _COMPUTING:
            return padded.score(
                predict, weights, split, order, carried, hidden_states=hidden_states
            )


def _widened(values: Array, filler: int) -> Array:
    """Fill up the values of every lane, (B, …), to the fewest lanes that a batch may have."""
    more = max(0, _FEWEST_LANES - len(values))
    rest = ((0, 0),) * (values.ndim - 1)
    return np.pad(values, ((0, more), *rest), constant_values=filler)


class _Online:
    """Scoring by `updates.online_updates`, word after word or sentence after sentence."""

    def __init__(
        self, network: NetworkSettings, class_offsets: Integers, adaptation: Adaptation
    ) -> None:
        self._adaptation = adaptation
        dtype = network.precision
        symbols = symbolic.weight_symbols(dtype)
        batch = graph.padded_symbols(dtype)
        start = symbolic.carried_symbols(dtype)
        vectors = pt.tensor3(dtype=dtype)
        self._decay = np.asarray(network.document_decay, dtype)
        self._vector_rate = np.asarray(adaptation.vector_rate_in(network), dtype)
        result, changes = updates.online_updates(
            symbolic.model_of(network, class_offsets),
            symbols,
            batch,
            start,
            vectors,
            np.asarray(adaptation.weight_rate or 0.0, dtype),
            learning=frozenset(adaptation.weights),
        )
        new = dict(changes)
        self._update = pytensor.function(
            [*symbols, *batch, *start, vectors],
            [
                result.log_probabilities,
                result.hidden,
                result.memory,
                result.gradients,
                *(new.get(symbol, symbol) for symbol in symbols),
            ],
            on_unused_input="ignore",
        )

    def score(
        self, trained: Parameters, split: Split, order: Order, carried: Carried
    ) -> tuple[Scores, Carried]:
        """Score each lane's segments, one after the other; each unit has the trained weights."""
        scores = empty_scores(trained, split, hidden_states=False)
        weights = trained
        lanes = []
        with _COMPUTING:
            for lane in range(order.lanes):
                now = Carried(*(values[lane : lane + 1] for values in carried))
                for segment, begins in zip(
                    order.segments[:, lane], order.begins[:, lane], strict=True
                ):
                    if segment == NOTHING:
                        continue
                    if begins:
                        weights = trained
                    now = now.before(np.array([begins]), order.first_kept)
                    begin, end = split.offsets[segment : segment + 2]
                    words = split.stream[begin : end + 1, None].astype("int64")
                    logs, weights, now = self._read(weights, now, words[:-1], words[1:])
                    scores.log_probabilities[begin:end] = logs
                    scores.document_vectors[segment] = now.vector[0]
                lanes.append(now)
        after = Carried(*map(np.concatenate, zip(*lanes, strict=True)))
        return scores._replace(weights=weights), after

    def _read(
        self, weights: Parameters, now: Carried, inputs: Array, targets: Array
    ) -> tuple[Array, Parameters, Carried]:
        """Score a sentence's words, and learn when a step is due or after the last of them.

        Returns their log P, the weights and the state after them. Inputs and targets are (T, 1).
        """
        by_word = self._adaptation.words_a_step > 0
        size = len(inputs)
        before = [now]  # of every word
        vectors = []
        logs = np.zeros(size)
        for t in range(size):
            vectors.append(now.vector)
            if not by_word and t + 1 < size:
                continue
            begin = max(0, t + 1 - self._adaptation.steps) if by_word else 0
            scored = t if by_word else 0
            mask = (np.arange(begin, t + 1) >= scored).astype(now.vector.dtype)[:, None]
            held = np.stack(vectors[begin:])
            log_probabilities, hidden, memory, gradients, *learnt = self._update(
                *weights, inputs[begin : t + 1], targets[begin : t + 1], mask, *before[begin], held
            )
            weights = Parameters(*learnt)
            logs[scored : t + 1] = log_probabilities[scored - begin :, 0]
            gradient = now.gradient + gradients.sum(axis=0)
            now = now._replace(
                hidden=hidden[-1],
                memory=memory[-1],
                gradient=gradient,
                since_step=now.since_step + 1,
            )
            if now.since_step[0] == self._adaptation.words_a_step or not by_word:
                now = now._replace(
                    vector=self._decay * now.vector - self._vector_rate * gradient,
                    gradient=np.zeros_like(gradient),
                    since_step=np.zeros_like(now.since_step),
                )
            before.append(now)
        return logs, weights, now
