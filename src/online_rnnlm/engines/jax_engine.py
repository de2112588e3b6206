"""Training and scoring by the plain graph, compiled by JAX: for a GPU, in large batches.

XLA, JAX's compiler, needs fixed shapes. So batches are padded with words that `mask` leaves out:
the sentences to one of a few lengths, and the batch to its full number of sentences. The padding
does not change the results. One function is compiled for each length that occurs.

The engine has no scorer for weights that learn: they change after every word or sentence, which
leaves a GPU too little work at a time.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import jax
import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    SCORING_SENTENCES,
    Array,
    Scores,
    Sentences,
    SharedTrainer,
    empty_scores,
    first_words,
)
from online_rnnlm.engines.graph_engine import model_of
from online_rnnlm.errors import UserError
from online_rnnlm.model import graph
from online_rnnlm.model.parameters import Parameters, like, shapes, without_document
from online_rnnlm.model.sizes import Sizes, sizes_for

MAX_LENGTHS = 8
"""Most compilations of training, and of scoring: one takes seconds, on a GPU up to a minute."""
_STEP = 0.8
"""Ratio of a length to the next longer one: at most a fifth of the padded length is padding."""


class _Padding:
    """Padding of a corpus's batches to a few shapes."""

    def __init__(self, corpus: Corpus, width: int, dtype: str) -> None:
        longest = max(int(np.diff(s.offsets).max(initial=1)) for s in corpus.splits.values())
        self._lengths = sorted({math.ceil(longest * _STEP**k) for k in range(MAX_LENGTHS)})
        # PyTensor takes a fixed size of 1 as one that broadcasts, so the width is 2 at least.
        self._width, self._dtype = max(2, width), dtype

    def padded(self, split: Split, sentences: Sentences) -> graph.Padded:
        """Put at most `width` sentences of a split into matrices (length, width)."""
        batch = graph.pad(split.stream, split.offsets, sentences, self._dtype)
        longest, number = batch.mask.shape
        length = next((length for length in self._lengths if length >= longest), longest)
        more = ((0, length - longest), (0, self._width - number))
        inputs, targets, mask = (np.pad(matrix, more) for matrix in batch)
        return graph.Padded(inputs.astype("int32"), targets.astype("int32"), mask)

    def symbols(self, length: int) -> graph.Padded:
        """Make symbolic inputs for matrices of that length."""
        matrix = partial(pt.tensor, shape=(length, self._width))
        inputs, targets = (matrix(name, dtype="int32") for name in ("inputs", "targets"))
        return graph.Padded(inputs, targets, matrix("mask", dtype=self._dtype))


class JaxTrainer(SharedTrainer):
    """Training by `graph.training_updates`; between updates the weights stay on the device."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
    ) -> None:
        _check_device(settings)
        super().__init__(settings, weights, accumulators, fixed_shapes=True)
        self._split = corpus.splits["train"]
        self._padding = _Padding(corpus, settings.batch_sentences, settings.precision)
        self._model = model_of(settings, corpus)
        self._update_of = cache(self._compile)

    def _compile(self, length: int) -> Any:
        settings = self._settings
        batch = self._padding.symbols(length)
        rates = [pt.scalar(dtype=settings.precision), pt.scalar(dtype=settings.precision)]
        total, updates = graph.training_updates(
            self._model,
            self._state.weights,
            self._state.accumulators,
            batch,
            *rates,
            optimizer=settings.optimizer,
            l2=settings.l2,
        )
        inputs = [*batch, *rates]
        return pytensor.function(inputs, total, updates=updates, mode="JAX", trust_input=True)

    def update(self, sentences: Sentences, learning_rate: float) -> float:
        """Learn from the training sentences of these numbers, in order; return their log P."""
        size = self._settings.batch_sentences
        values = learning_rate, self._settings.document_rate
        rates = [np.asarray(self._real(value)) for value in values]
        totals = []
        with _bits_of(self._settings.precision):
            for begin in range(0, len(sentences), size):
                batch = self._padding.padded(self._split, sentences[begin : begin + size])
                totals.append(self._update_of(len(batch.mask))(*batch, *rates))
        # Reading a total waits for the device, so it is left until all batches have been sent.
        return float(sum(map(float, totals)))

    @property
    def weights(self) -> Parameters:
        """Copies of the current weights."""
        return _fetched(super().weights)

    @property
    def accumulators(self) -> Parameters:
        """Copies of AdaGrad's current sums of squared gradients."""
        return _fetched(super().accumulators)


class JaxScorer:
    """Scoring by `graph.predictions`, sentences of similar length side by side."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, *, hidden_states: bool = False
    ) -> None:
        _check_device(settings)
        self._dtype, self._hidden_states = settings.precision, hidden_states
        self._width = max(SCORING_SENTENCES, settings.batch_sentences)
        self._padding = _Padding(corpus, self._width, settings.precision)
        self._model, self._sizes = model_of(settings, corpus), sizes_for(settings, corpus)
        self._score_of = cache(self._compile)

    def _compile(self, sizes: Sizes, length: int) -> Any:
        every = shapes(sizes)
        weights = like(every, (pt.tensor(shape=shape, dtype=self._dtype) for shape in every))
        batch, rate = self._padding.symbols(length), pt.scalar(dtype=self._dtype)
        result = graph.predictions(self._model, weights, batch, rate)
        outputs = [result.log_probabilities, result.document_vectors[-1]]
        outputs += [result.states[0]] * self._hidden_states
        return pytensor.function(
            [*weights, *batch, rate],
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
        scores = empty_scores(len(sentences), int(starts[-1]), sizes, self._dtype)
        if self._hidden_states:
            states = np.zeros((starts[-1], sizes.output), self._dtype)
            scores = scores._replace(hidden_states=states)
        order = np.argsort(np.diff(starts), kind="stable")
        rate = np.asarray(document_rate, self._dtype)
        with _bits_of(self._dtype):
            on_device = jax.device_put(weights)
            for begin in range(0, len(order), self._width):
                rows = order[begin : begin + self._width]
                batch = self._padding.padded(split, sentences[rows])
                found = self._score_of(sizes, len(batch.mask))(*on_device, *batch, rate)
                _fill(scores, rows, starts, batch.mask, [np.asarray(array) for array in found])
        return scores


def _fill(
    scores: Scores, rows: Sentences, starts: Sentences, mask: Array, found: list[Array]
) -> None:
    """Copy the results `found` for these sentences, (T, B, …), into their rows of the scores."""
    exists = mask.T > 0  # (B, T)
    times = np.broadcast_to(np.arange(exists.shape[1]), exists.shape)[exists]
    places = np.repeat(starts[rows], starts[rows + 1] - starts[rows]) + times
    log_probabilities, documents, *states = found
    scores.log_probabilities[places] = log_probabilities.T[exists]
    scores.document_vectors[rows] = documents[: len(rows)]
    for array in states:
        scores.hidden_states[places] = array.swapaxes(0, 1)[exists]


@contextmanager
def _bits_of(dtype: str) -> Iterator[None]:
    """Let JAX compute in 32 or in 64 bits; its one switch is for reals and integers together.

    PyTensor asks for 64-bit sums whatever the terms are; JAX's warning that it has none in 32 bits
    is not shown.
    """
    with warnings.catch_warnings(), jax.enable_x64(dtype == "float64"):
        warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)
        yield


def _fetched(parameters: Parameters) -> Parameters:
    """Copy parameters into the host's memory."""
    return like(parameters, map(np.array, parameters))


def _check_device(settings: RunSettings) -> None:
    """Raise UserError if JAX computes on another device than the settings ask for."""
    try:
        found = "cpu" if jax.default_backend() == "cpu" else "gpu"
    except (RuntimeError, AssertionError) as error:  # AssertionError: JAX finds no device
        reason = (str(error).splitlines() or ["it sees none"])[0]
        raise UserError(f"`device: {settings.device}`: JAX cannot use it: {reason}") from error
    if found != settings.device:
        raise UserError(
            f"`device: {settings.device}`, but this process's JAX computes on `{found}`: "
            "it was loaded before, for another run"
        )


Trainer, Scorer = JaxTrainer, JaxScorer
