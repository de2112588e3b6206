"""Training and scoring by JAX: for a GPU, in large batches.

The engine has no scorer for weights that learn: they change after every word or sentence, which
leaves a GPU too little work at a time.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from online_rnnlm.core.arrays import Array, Integers
from online_rnnlm.core.engines.base import CannotCompute, Scores
from online_rnnlm.core.engines.graph_engine import form_of
from online_rnnlm.core.engines.jax_network import Network, optimizer_step
from online_rnnlm.core.engines.padded import Found, PaddedScorer, PaddedTrainer
from online_rnnlm.core.graph import Padded, pad
from online_rnnlm.core.lanes import Batches, Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split, Text

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings


class Trainer(PaddedTrainer):
    """Training by `updates.steps` on gradients that JAX derives.

    The weights stay on the device between updates. Raises CannotCompute if the device is not there.
    """

    def _prepare(self, text: Text) -> None:
        check_device(self._settings)
        self._network = Network(form_of(self._settings).model(text.class_offsets))
        self._update = jax.jit(self._updated, donate_argnums=(0, 1))

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        with bits_of(self._settings.precision):
            return super().update(batches, learning_rate, key)

    def _learn(
        self, segments: Integers, rates: list[Array], start: Carried, key: int
    ) -> tuple[Any, Carried]:
        """Make an update; the engine has no dropout, so `key` is not used."""
        text = self._split.stream, self._offsets
        batch = padded(*text, segments, self._settings.precision)
        learnt = self._update(self._weights, self._sums, batch, rates, start)
        self._weights, self._sums, total, after = learnt
        return total, after

    def _updated(
        self, weights: Parameters, sums: Parameters, batch: Padded, rates: list[Any], start: Carried
    ) -> tuple[Parameters, Parameters, Any, Carried]:
        """The weights and accumulators after a batch, its log P, and what is carried over."""

        def loss(weights: Parameters) -> tuple[Any, Found]:
            results = self._network(weights, batch, rates[1], start)
            return -results.log_probabilities.sum(), results

        (total, results), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
        now = weights, sums, gradients, rates[0]
        weights, sums = optimizer_step(self._settings.optimizer, *now)
        return weights, sums, -total, results.carried

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        with bits_of(self._settings.precision):
            self._weights = Parameters(*map(jnp.array, weights))
            self._sums = Parameters(*map(jnp.array, accumulators))


class Scorer(PaddedScorer):
    """Scoring as by `graph.predictions`; raises CannotCompute if the device is not there."""

    def _prepare(self, text: Text) -> None:
        check_device(self._settings)
        self._network = Network(form_of(self._settings).model(text.class_offsets))
        self._score = jax.jit(self._scored)

    def _scored(self, weights: Parameters, batch: Padded, rate: Any, start: Carried) -> Found:
        found = self._network(weights, batch, rate, start)
        return found if self._hidden_states else found._replace(hidden=())

    def __call__(
        self, weights: Parameters, split: Split, sentences: Integers, document_rate: float
    ) -> Scores:
        """Score these sentences, the document vector learning after every word."""
        with bits_of(self._settings.precision):
            on_device = Parameters(*map(jnp.array, weights))
            return super().__call__(on_device, split, sentences, document_rate)

    def _predict(
        self, weights: Parameters, split: Split, segments: Integers, rate: Array, start: Carried
    ) -> Found:
        batch = padded(split.stream, split.offsets, segments, self._settings.precision)
        found: Found = jax.tree.map(np.array, self._score(weights, batch, rate, start))
        return found


def padded(stream: Array, offsets: Integers, segments: Integers, dtype: str) -> Padded:
    """Pad segments as `graph.pad`, to a power of two of words: XLA compiles a program a length."""
    batch = pad(stream, offsets, segments, dtype)
    length = len(batch.mask)
    more = (1 << (length - 1).bit_length()) - length
    return Padded(*(np.pad(array, ((0, more), (0, 0))) for array in batch))


@contextmanager
def bits_of(dtype: str) -> Iterator[None]:
    """Let JAX compute in 32 or in 64 bits; its one switch is for reals and integers together.

    A GPU would multiply 32-bit numbers with fewer bits. PyTensor asks for 64-bit sums whatever the
    terms are; JAX's warning that it has none in 32 bits is not shown.
    """
    all_bits = jax.default_matmul_precision("highest")
    with warnings.catch_warnings(), jax.enable_x64(dtype == "float64"), all_bits:
        warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)
        yield


def check_device(settings: RunSettings) -> None:
    """Raise CannotCompute if JAX cannot use the only device that it is shown."""
    try:
        jax.default_backend()
    except (RuntimeError, AssertionError) as error:  # AssertionError: JAX finds no device
        reason = (str(error).splitlines() or ["it sees none"])[0]
        raise CannotCompute(f"`device: {settings.device}`: JAX cannot use it: {reason}") from error
