"""Training and scoring by JAX: for a GPU, in large batches.

The engine does not update weights while it scores: they would change after every word or sentence,
which leaves a GPU too little work at a time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines import padded
from online_rnnlm.core.engines.base import CannotCompute, Scores, TrainingState
from online_rnnlm.core.engines.jax_network import Network, optimizer_step
from online_rnnlm.core.engines.padded import Found
from online_rnnlm.core.engines.symbolic import model_of
from online_rnnlm.core.graph import Padded, pad
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from online_rnnlm.core.adaptation import Adaptation
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule
    from online_rnnlm.core.text import Split


class Engine:
    """A network on the device that JAX is shown: in training, the weights stay on it."""

    def __init__(
        self, network: NetworkSettings, rule: TrainingRule, class_offsets: Integers
    ) -> None:
        _check_device()
        self.network = network
        self.rule = rule
        self._predict = Network(model_of(network, class_offsets))
        self._update = jax.jit(self._updated, donate_argnums=(0, 1))
        self._score = jax.jit(self._scored, static_argnames="hidden_states")

    def start(
        self, weights: Parameters, accumulators: Parameters, carried: Carried
    ) -> TrainingState:
        """Make the state of a training, with the weights on the device; nothing is deferred."""
        with self._bits():
            on_device = Parameters(*map(jnp.array, weights))
            sums = Parameters(*map(jnp.array, accumulators))
            return TrainingState(on_device, sums, carried, ())

    def train(
        self, state: TrainingState, split: Split, order: Order, learning_rate: float, key: int = 0
    ) -> tuple[float, TrainingState]:
        """Learn from segments; return their log P and the new state. Dropout's key is not used."""
        network = self.network
        values = learning_rate, network.document_rate
        rates = [np.asarray(value, network.precision) for value in values]

        def learn(state: TrainingState, segments: Integers) -> tuple[Any, TrainingState]:
            batch = padded_to_power(split, segments, network.precision)
            total, (weights, accumulators, carried) = self._update(
                state.weights, state.accumulators, batch, rates, state.carried
            )
            return total, TrainingState(weights, accumulators, carried, ())

        with self._bits():
            return padded.train(learn, state, order)

    def _updated(
        self,
        weights: Parameters,
        accumulators: Parameters,
        batch: Padded,
        rates: list[Any],
        start: Carried,
    ) -> tuple[Any, tuple[Parameters, Parameters, Carried]]:
        """A batch's log P, and the weights, the accumulators and the state after it."""

        def loss(weights: Parameters) -> tuple[Any, Found]:
            results = self._predict(weights, batch, rates[1], start)
            return -results.log_probabilities.sum(), results

        (total, results), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
        now = weights, accumulators, gradients, rates[0]
        return -total, (*optimizer_step(self.rule.optimizer, *now), results.carried)

    def apply_deferred(self, state: TrainingState, learning_rate: float) -> TrainingState:
        """Return the state: this engine defers nothing, so no rate is needed."""
        del learning_rate
        return state

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
        precision = self.network.precision
        rate = np.asarray(adaptation.vector_rate_in(self.network), precision)

        def predict(segments: Integers, start: Carried) -> Found:
            batch = padded_to_power(split, segments, precision)
            found: Found = score_batch(batch, start)
            return jax.tree.map(np.array, found)  # type: ignore[no-any-return]

        with self._bits():
            on_device = Parameters(*map(jnp.array, weights))
            score_batch = partial(self._score, on_device, rate, hidden_states=hidden_states)
            return padded.score(
                predict, weights, split, order, carried, hidden_states=hidden_states
            )

    def _scored(
        self, weights: Parameters, rate: Any, batch: Padded, start: Carried, *, hidden_states: bool
    ) -> Found:
        found = self._predict(weights, batch, rate, start)
        return found if hidden_states else found._replace(hidden=())

    @contextmanager
    def _bits(self) -> Iterator[None]:
        """Make JAX compute in the network's precision; its one switch is for reals and integers.

        A GPU would multiply 32-bit numbers with fewer bits. PyTensor asks for 64-bit sums whatever
        the terms are; JAX's warning that it has none in 32 bits is not shown.
        """
        double = self.network.precision == "float64"
        all_bits = jax.default_matmul_precision("highest")
        with warnings.catch_warnings(), jax.enable_x64(double), all_bits:
            warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)
            yield


def padded_to_power(split: Split, segments: Integers, dtype: str) -> Padded:
    """Pad segments as `graph.pad`, to a power of two of words: XLA compiles a program a length."""
    batch = pad(split.stream, split.offsets, segments, dtype)
    length = len(batch.mask)
    more = (1 << (length - 1).bit_length()) - length
    return Padded(*(np.pad(array, ((0, more), (0, 0))) for array in batch))


def _check_device() -> None:
    """Raise CannotCompute if JAX cannot use the only device that it is shown."""
    try:
        jax.default_backend()
    except (RuntimeError, AssertionError) as error:  # AssertionError: JAX finds no device
        reason = (str(error).splitlines() or ["it sees none"])[0]
        shown = os.environ.get("JAX_PLATFORMS", "its device")
        raise CannotCompute(f"JAX cannot use {shown}: {reason}") from error
