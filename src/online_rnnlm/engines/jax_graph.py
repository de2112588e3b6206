"""Training and scoring by the plain graph, compiled by JAX: for models that `jax_blocks` lacks.

XLA, JAX's compiler, needs fixed shapes. So batches are padded with words that `mask` leaves out:
the sentences to one of a few lengths, and the batch to its full number of sentences. The padding
does not change the results. One function is compiled for each length that occurs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import jax
import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    Array,
    Scores,
    Sentences,
    empty_scores,
    fill_scores,
    first_words,
)
from online_rnnlm.engines.graph_engine import symbolic_model
from online_rnnlm.engines.jax_device import bits_of, fetched
from online_rnnlm.engines.jax_trainer import JaxTrainer
from online_rnnlm.engines.lanes import (
    NOTHING,
    Booleans,
    Carried,
    Integers,
    scoring_order,
    segments_of,
)
from online_rnnlm.engines.shared import SharedState, StateTrainer
from online_rnnlm.model import graph, updates
from online_rnnlm.model.parameters import Parameters, like, shapes, without_document
from online_rnnlm.model.sizes import Sizes, sizes_for

MAX_LENGTHS = 8
"""Most compilations of training, and of scoring: one takes seconds, on a GPU up to a minute."""
_STEP = 0.8
"""Ratio of a length to the next longer one: at most a fifth of the padded length is padding."""


class _Padding:
    """Padding of a corpus's batches to a few shapes."""

    def __init__(self, longest: int, width: int, dtype: str) -> None:
        self._lengths = sorted({math.ceil(longest * _STEP**k) for k in range(MAX_LENGTHS)})
        # PyTensor takes a fixed size of 1 as one that broadcasts, so the width is 2 at least.
        self.width, self._dtype = max(2, width), dtype

    def padded(self, stream: Array, offsets: Integers, segments: Integers) -> graph.Padded:
        """Put the segments of a batch into matrices (length, width)."""
        batch = graph.pad(stream, offsets, self.widened(segments, NOTHING), self._dtype)
        longest = len(batch.mask)
        length = next((length for length in self._lengths if length >= longest), longest)
        inputs, targets, mask = (np.pad(m, ((0, length - longest), (0, 0))) for m in batch)
        return graph.Padded(inputs.astype("int32"), targets.astype("int32"), mask)

    def widened(self, values: Array, filler: Any) -> Array:
        """Fill up a row's values for every lane, (B, …), to the width."""
        more = ((0, self.width - len(values)),) + ((0, 0),) * (values.ndim - 1)
        return np.pad(values, more, constant_values=filler)

    def symbols(self, length: int) -> graph.Padded:
        """Make symbolic inputs for matrices of that length."""
        matrix = partial(pt.tensor, shape=(length, self.width))
        inputs, targets = (matrix(name, dtype="int32") for name in ("inputs", "targets"))
        return graph.Padded(inputs, targets, matrix("mask", dtype=self._dtype))

    def start_symbols(self, sizes: Iterable[int], document_size: int) -> graph.Start:
        """Make symbolic inputs for states of these sizes and a vector of that size."""
        matrices = (pt.tensor(dtype=self._dtype, shape=(self.width, size)) for size in sizes)
        document = pt.tensor(dtype=self._dtype, shape=(self.width, document_size))
        return graph.Start(tuple(matrices), document)


class GraphTrainer(JaxTrainer, StateTrainer[SharedState]):
    """Training by `updates.training_updates`; between updates the weights stay on the device."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried,
    ) -> None:
        super().__init__(settings, SharedState(weights, accumulators, fixed_shapes=True))
        self.carried = carried
        self._split = corpus.splits["train"]
        self._offsets = segments_of(self._split, settings).offsets
        longest, lanes = int(np.diff(self._offsets).max()), len(carried.documents)
        self._padding = _Padding(longest, lanes, settings.precision)
        self._sizes = [state.shape[1] for state in carried.states]
        self._model = symbolic_model(settings, corpus)
        self._update_of = cache(self._compile)

    def _compile(self, length: int) -> Any:
        settings = self._settings
        batch = self._padding.symbols(length)
        start = self._padding.start_symbols(self._sizes, settings.document_size)
        rates = [pt.scalar(dtype=settings.precision), pt.scalar(dtype=settings.precision)]
        result, changes = updates.training_updates(
            self._model,
            self._state.weights,
            self._state.accumulators,
            batch,
            *rates,
            optimizer=settings.optimizer,
            l2=settings.l2,
            start=start,
        )
        last = graph.last_states(result, batch.mask)
        return pytensor.function(
            [*batch, *rates, *start.states, start.document],
            [result.log_probabilities.sum(), *last.states, last.document],
            updates=changes,
            mode="JAX",
            trust_input=True,
            on_unused_input="ignore",
        )

    def _learn(self, segments: Integers, begins: Booleans, rates: list[Array]) -> Any:
        settings = self._settings
        batch = self._padding.padded(self._split.stream, self._offsets, segments)
        start = _start(self._padding, self.carried, begins, settings.reading)
        total, *states, documents = self._update_of(len(batch.mask))(*batch, *rates, *start)
        if settings.unit_of_text == "document":
            rows = slice(len(segments))
            self.carried = Carried(
                tuple(np.array(state[rows]) for state in states),
                np.array(documents[rows]),
            )
        return total

    @property
    def weights(self) -> Parameters:
        """Copies of the current weights."""
        return fetched(super().weights)

    @property
    def accumulators(self) -> Parameters:
        """Copies of AdaGrad's current sums of squared gradients."""
        return fetched(super().accumulators)


class GraphScorer:
    """Scoring by `graph.predictions`, sentences of similar length side by side."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        reading: Reading,
        *,
        hidden_states: bool = False,
    ) -> None:
        self._dtype, self._hidden_states = settings.precision, hidden_states
        self._reading, self._cell = reading, settings.cell_name
        longest = max(int(np.diff(s.offsets).max(initial=1)) for s in corpus.splits.values())
        width = ENGINES[settings.engine].scoring_sentences(settings.batch_sentences)
        self._padding = _Padding(longest, width, settings.precision)
        self._model, self._sizes = symbolic_model(settings, corpus), sizes_for(settings, corpus)
        self._score_of = cache(self._compile)

    def _compile(self, sizes: Sizes, states: tuple[int, ...], length: int) -> Any:
        every = shapes(sizes)
        weights = like(every, (pt.tensor(shape=shape, dtype=self._dtype) for shape in every))
        batch, rate = self._padding.symbols(length), pt.scalar(dtype=self._dtype)
        start = self._padding.start_symbols(states, sizes.document)
        result = graph.predictions(self._model, weights, batch, rate, start)
        last = graph.last_states(result, batch.mask)
        outputs = [result.log_probabilities, *last.states, last.document]
        outputs += [result.states[0]] * self._hidden_states
        return pytensor.function(
            [*weights, *batch, rate, *start.states, start.document],
            outputs,
            mode="JAX",
            trust_input=True,
            on_unused_input="ignore",
        )

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""
        sizes = self._sizes
        if document_rate == 0:
            weights, sizes = without_document(weights), sizes.without_document()
        starts = first_words(split.offsets, sentences)
        states = int(starts[-1]) if self._hidden_states else 0
        scores = empty_scores(len(sentences), int(starts[-1]), sizes, self._dtype, states=states)
        rate = np.asarray(document_rate, self._dtype)
        carried = Carried.nothing(weights, self._cell, sizes.document, self._padding.width)
        number = len(carried.states)
        widths = tuple(state.shape[1] for state in carried.states)
        order = scoring_order(split, sentences, self._reading, self._padding.width)
        with bits_of(self._dtype):
            on_device = jax.device_put(weights)
            for numbers, begins, places in zip(*order, strict=True):
                batch = self._padding.padded(split.stream, split.offsets, numbers)
                start = _start(self._padding, carried, begins, self._reading)
                score = self._score_of(sizes, widths, len(batch.mask))
                found = [np.array(a) for a in score(*on_device, *batch, rate, *start)]
                logs, last, documents = found[0], found[1 : 1 + number], found[1 + number]
                carried = Carried(tuple(last), documents)
                fill_scores(scores, places, starts, batch.mask, logs, documents, found[-1])
        return scores


def _start(
    padding: _Padding, carried: Carried, begins: Booleans, reading: Reading
) -> tuple[Array, ...]:
    """The states and d before the next segments, filled up to the width."""
    before = carried.before(begins, reading)
    return tuple(padding.widened(values, 0) for values in (*before.states, before.documents))
