"""Training and scoring by the plain graph: slow, and the reference for the kernels' tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.core import graph, updates
from online_rnnlm.core.arrays import Array, Integers
from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.engines import symbolic
from online_rnnlm.core.engines.base import (
    Scores,
    empty_scores,
    first_words,
)
from online_rnnlm.core.engines.kernels import dropout
from online_rnnlm.core.engines.padded import Found, PaddedScorer, PaddedTrainer
from online_rnnlm.core.lanes import NOTHING, Carried, unit_beginnings
from online_rnnlm.core.parameters import Parameters, shapes
from online_rnnlm.core.sizes import goes_through_updates, sizes_for
from online_rnnlm.core.text import Split, Text
from online_rnnlm.core.way import Way, reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

_FEWEST_LANES = 2
"""With one row in a batch, PyTensor's check of the gradient of a table mistakes it for one that is
broadcast, and raises. So a single sentence gets an empty one beside it."""
_COMPUTING = threading.Lock()
"""Held by the thread that computes: a compiled function has one memory for all of its calls."""


def form_of(settings: RunSettings) -> symbolic.Form:
    """The form of a run's graph."""
    return symbolic.Form(
        cell=settings.cell,
        error_clip=settings.error_clip,
        goes_through_updates=goes_through_updates(settings),
        precision=settings.precision,
        optimizer=settings.optimizer,
        dropout=settings.dropout,
        embedding_dropout=settings.embedding_dropout,
        rare_class_words=settings.rare_class_words,
        context_decay=settings.context_decay,
    )


class Trainer(PaddedTrainer):
    """Training by `symbolic.training`."""

    compiled: ClassVar[Callable[..., Any]] = staticmethod(symbolic.training)
    """Compiles the update; Theano has its own."""

    def _prepare(self, text: Text) -> None:
        self._form = form_of(self._settings)
        self._update = self.compiled(self._form, text.class_offsets)
        self._classes = classes_of_words(text.class_offsets)
        if self._form.rare_class_words and not self.deferred:
            sizes = sizes_for(self._settings, text)
            shape = shapes(sizes)
            dtype = self._settings.precision
            counts = np.zeros(sizes.classes, np.int64)
            sums = (np.zeros(one, dtype) for one in (shape.word_output, shape.word_document))
            self.deferred = (counts, *sums)

    def _learn(
        self, segments: Integers, rates: list[Array], start: Carried, key: int
    ) -> tuple[Any, Carried]:
        padded = _widened(segments, NOTHING)
        batch = graph.pad(self._split.stream, self._offsets, padded, self._settings.precision)
        return self._learn_from(batch, padded, rates, start, key, self._form.rare_class_words)

    def apply_deferred(self, learning_rate: float) -> None:
        """Apply all deferred updates, by a batch without words; none are left."""
        if not self.deferred:
            return
        segments = np.zeros(_FEWEST_LANES, np.int64)
        dtype = self._settings.precision
        batch = graph.pad(self._split.stream, self._offsets, segments, dtype)
        batch = batch._replace(mask=np.zeros_like(batch.mask))
        rates = [np.asarray(learning_rate, dtype), np.asarray(0, dtype)]
        nothing = Carried.nothing(self._weights, self._settings.cell, _FEWEST_LANES)
        self._learn_from(batch, segments, rates, nothing, 0, enough=1)

    def _learn_from(
        self,
        batch: graph.Padded,
        segments: Integers,
        rates: list[Array],
        start: Carried,
        key: int,
        enough: int,
    ) -> tuple[Any, Carried]:
        """Make an update; the output weights of a class learn if it has enough words."""
        lanes = len(start.documents)
        before = (_widened(values, 0) for values in (*start.states, start.documents))
        factors = self._factors(key, segments, len(batch.mask)) if self._form.drops else ()
        deferred = self._due(batch, enough) if self.deferred else ()
        total, *found = self._update(
            *self._weights, *self._sums, *batch, *rates, *before, *factors, *deferred
        )
        last = len(start.states)
        number = len(self._weights)
        states = found[:last]
        document = found[last]
        learnt = found[last + 1 :]
        self._weights = Parameters(*learnt[:number])
        self._sums = Parameters(*learnt[number : 2 * number])
        if deferred:
            self.deferred = (self.deferred[0], *learnt[2 * number :])
        return total, Carried(tuple(state[:lanes] for state in states), document[:lanes])

    def _due(self, batch: graph.Padded, enough: int) -> updates.Deferred:
        """Count a batch's words; return the deferred gradients, and which words are due."""
        counts, word_output, word_document = self.deferred
        counts = counts + np.bincount(
            self._classes[batch.targets[batch.mask > 0]], minlength=len(counts)
        )
        due = counts >= enough
        self.deferred = (np.where(due, 0, counts), word_output, word_document)
        return updates.Deferred(word_output, word_document, due[self._classes])

    def _factors(self, key: int, segments: Integers, length: int) -> graph.Dropout:
        """The factors of dropout for padded segments of that length."""
        settings = self._settings
        weights = self._weights
        places = self._offsets[np.maximum(segments, 0)] + np.arange(length)[:, None]

        def of(layer: np.uint32, width: int, rate: float) -> Array:
            return dropout.factors(key, layer, places, width, rate, settings.precision)

        return graph.Dropout(
            of(dropout.EMBEDDINGS, weights.embeddings.shape[1], settings.embedding_dropout),
            of(dropout.HIDDEN, weights.word_output.shape[1], settings.dropout),
        )


def _widened(values: Array, filler: int) -> Array:
    """Fill up the values of every lane, (B, …), to the fewest lanes that a batch may have."""
    more = max(0, _FEWEST_LANES - len(values))
    rest = ((0, 0),) * (values.ndim - 1)
    return np.pad(values, ((0, more), *rest), constant_values=filler)


class Scorer(PaddedScorer):
    """Scoring by `symbolic.scoring`."""

    compiled: ClassVar[Callable[..., Any]] = staticmethod(symbolic.scoring)
    """Compiles the scorer; Theano has its own."""

    def _prepare(self, text: Text) -> None:
        self._score = self.compiled(form_of(self._settings), text.class_offsets)

    def _predict(
        self, weights: Parameters, split: Split, segments: Integers, rate: Array, start: Carried
    ) -> Found:
        batch = graph.pad(split.stream, split.offsets, segments, self._settings.precision)
        before = *start.states, start.documents
        with _COMPUTING:
            logs, hidden, *states, documents = self._score(*weights, *batch, rate, *before)
        return Found(batch.mask, logs, hidden, Carried(tuple(states), documents))


@dataclass
class _Adapted:
    """The values that change while an `OnlineScorer` reads a unit of text."""

    weights: Parameters
    states: tuple[Array, ...]
    """The cell's states after the last word, (1, ·)."""
    document: Array
    """d, (1, D)."""
    change: Array
    """The change of d by its next step, so far."""
    words: int = 0
    """Number of words since the last step of d."""


class OnlineScorer:
    """Scoring by `updates.online_updates`, word after word or sentence after sentence."""

    def __init__(self, settings: RunSettings, text: Text, weights: Parameters, way: Way) -> None:
        self._trained = Parameters(*(array.copy() for array in weights))
        self._way = way
        self._reading = reading_of(settings, way)
        self._nothing = Carried.nothing(weights, settings.cell, 1)
        dtype = settings.precision
        symbols = symbolic.weight_symbols(dtype)
        batch = graph.padded_symbols(dtype)
        states = tuple(pt.matrix(dtype=dtype) for _ in self._nothing.states)
        given = graph.Given(states, pt.tensor3(dtype=dtype))
        rates = (
            np.asarray(r, dtype) for r in (way.weight_rate or 0.0, way.vector_rate_in(settings))
        )
        model = form_of(settings).model(text.class_offsets)
        result, changes = updates.online_updates(
            model,
            symbols,
            batch,
            given,
            *(np.asarray(rate, dtype) for rate in rates),
            learning=frozenset(way.groups),
        )
        self._learning = [symbol.name for symbol, _ in changes]
        new = [value for _, value in changes]
        self._score = pytensor.function(
            [*symbols, *batch, *given.states, given.documents],
            [*new, result.log_probabilities, result.document_vectors, *result.states],
            on_unused_input="ignore",
        )

    def score(self, split: Split, sentences: Integers) -> tuple[Scores, Parameters]:
        """Score these sentences in this order, starting from the trained weights.

        Returns the weights after the last sentence, too.
        """
        starts = first_words(split.offsets, sentences)
        scores = empty_scores(self._trained, starts)
        begins = unit_beginnings(split, sentences, self._reading.unit_of_text)
        now = self._beginning()
        with _COMPUTING:
            for index, sentence in enumerate(sentences):
                if begins[index]:
                    now = self._beginning()
                elif not self._reading.state:
                    now.states = self._nothing.states
                begin, end = split.offsets[sentence], split.offsets[sentence + 1]
                words = split.stream[begin : end + 1, None].astype("int64")
                logs = self._read(now, words[:-1], words[1:])
                scores.log_probabilities[starts[index] : starts[index + 1]] = logs
                scores.document_vectors[index] = now.document[0]
        return scores, now.weights

    def _beginning(self) -> _Adapted:
        """The values before a unit of text."""
        states, document = self._nothing
        return _Adapted(self._trained, states, document, np.zeros_like(document))

    def _read(self, now: _Adapted, inputs: Array, targets: Array) -> Array:
        """Score a sentence's words, and learn when a step is due or after the last of them.

        Returns their log P; `now` changes. Inputs and targets are (T, 1).
        """
        by_word = self._way.words_a_step > 0
        size = len(inputs)
        states = [now.states]
        documents = []
        logs = np.zeros(size)
        for t in range(size):
            documents.append(now.document)
            if not by_word and t + 1 < size:
                continue
            begin = max(0, t + 1 - self._way.steps) if by_word else 0
            scored = t if by_word else 0
            mask = (np.arange(begin, t + 1) >= scored).astype(now.document.dtype)[:, None]
            words = (inputs[begin : t + 1], targets[begin : t + 1])
            held = np.stack(documents[begin:])
            found = self._score(*now.weights, *words, mask, *states[begin], held)
            number = len(self._learning)
            learnt = dict(zip(self._learning, found[:number], strict=True))
            now.weights = now.weights._replace(**learnt)
            log_probabilities, updated, *after = found[number:]
            logs[scored : t + 1] = log_probabilities[scored - begin :, 0]
            now.change = now.change + (updated - held).sum(axis=0)
            now.words += 1
            if now.words == self._way.words_a_step or not by_word:
                now.document = now.document + now.change
                now.change = np.zeros_like(now.document)
                now.words = 0
            states.append(tuple(state[-1] for state in after))
        now.states = states[-1]
        return logs
