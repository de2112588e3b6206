"""Training and scoring by the plain graph: slow, and the reference for the kernels' tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.core import graph, updates
from online_rnnlm.core.engines import symbolic
from online_rnnlm.core.engines.base import (
    Array,
    Scores,
    Sentences,
    empty_scores,
    first_words,
)
from online_rnnlm.core.engines.kernels import dropout
from online_rnnlm.core.engines.padded import Found, PaddedScorer, PaddedTrainer
from online_rnnlm.core.lanes import NOTHING, Carried, Integers, unit_beginnings
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
        self._class_sizes = np.diff(text.class_offsets)
        if self._form.rare_class_words and not self.waiting:
            sizes = sizes_for(self._settings, text)
            shape = shapes(sizes)
            dtype = self._settings.precision
            counts = np.zeros(sizes.classes, np.int64)
            sums = (np.zeros(one, dtype) for one in (shape.word_output, shape.word_document))
            self.waiting = (counts, *sums)

    def _learn(
        self, segments: Integers, rates: list[Array], start: Carried, key: int
    ) -> tuple[Any, Carried]:
        padded = _widened(segments, NOTHING)
        batch = graph.pad(self._split.stream, self._offsets, padded, self._settings.precision)
        return self._learn_from(batch, padded, rates, start, key, self._form.rare_class_words)

    def learn_from_waiting(self, learning_rate: float) -> None:
        """Learn from the words that wait, by a batch that has no words of its own."""
        if not self.waiting:
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
        waiting = self._due(batch, enough) if self.waiting else ()
        total, *found = self._update(
            *self._weights, *self._sums, *batch, *rates, *before, *factors, *waiting
        )
        last = len(start.states)
        number = len(self._weights)
        states = found[:last]
        document = found[last]
        learnt = found[last + 1 :]
        self._weights = Parameters(*learnt[:number])
        self._sums = Parameters(*learnt[number : 2 * number])
        if waiting:
            self.waiting = (self.waiting[0], *learnt[2 * number :])
        return total, Carried(tuple(state[:lanes] for state in states), document[:lanes])

    def _due(self, batch: graph.Padded, enough: int) -> updates.Waiting:
        """Count a batch's words with those that wait; return what waits, and the words due."""
        counts, word_output, word_document = self.waiting
        classes = np.repeat(np.arange(len(self._class_sizes)), self._class_sizes)
        counts = counts + np.bincount(classes[batch.targets[batch.mask > 0]], minlength=len(counts))
        due = counts >= enough
        self.waiting = (np.where(due, 0, counts), word_output, word_document)
        return updates.Waiting(word_output, word_document, due[classes])

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


class OnlineScorer:
    """Scoring by `updates.online_updates`, word after word or sentence after sentence."""

    def __init__(self, settings: RunSettings, text: Text, weights: Parameters, way: Way) -> None:
        self._trained = self.weights = Parameters(*(array.copy() for array in weights))
        self._way = way
        self._waiting = 0
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

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""
        starts = first_words(split.offsets, sentences)
        scores = empty_scores(self._trained, starts)
        begins = unit_beginnings(split, sentences, self._reading.unit_of_text)
        with _COMPUTING:
            states = list(self._nothing.states)
            document = self._nothing.documents
            self.weights = self._trained
            for number, sentence in enumerate(sentences):
                if begins[number]:
                    self.weights = self._trained
                    document = self._nothing.documents
                    self._change = np.zeros_like(document)
                    self._waiting = 0
                if begins[number] or not self._reading.state:
                    states = list(self._nothing.states)
                begin, end = split.offsets[sentence], split.offsets[sentence + 1]
                words = split.stream[begin : end + 1, None].astype("int64")
                logs, document, states = self._read(words[:-1], words[1:], document, states)
                scores.log_probabilities[starts[number] : starts[number + 1]] = logs
                scores.document_vectors[number] = document[0]
        return scores

    def _read(
        self, inputs: Array, targets: Array, document: Array, before: list[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """Score a sentence's words, and learn when a step is due or after the last of them.

        Returns their log P, and d and the states after them. Inputs and targets are (T, 1), d is
        (1, D), and `before` are the states before the first word, (1, ·).
        """
        by_word = self._way.words_a_step > 0
        size = len(inputs)
        states = [before]
        documents = []
        logs = np.zeros(size)
        for t in range(size):
            documents.append(document)
            if not by_word and t + 1 < size:
                continue
            begin = max(0, t + 1 - self._way.steps) if by_word else 0
            scored = t if by_word else 0
            mask = (np.arange(begin, t + 1) >= scored).astype(document.dtype)[:, None]
            words = (inputs[begin : t + 1], targets[begin : t + 1])
            held = np.stack(documents[begin:])
            found = self._score(*self.weights, *words, mask, *states[begin], held)
            number = len(self._learning)
            learnt = dict(zip(self._learning, found[:number], strict=True))
            self.weights = self.weights._replace(**learnt)
            log_probabilities, updated, *after = found[number:]
            logs[scored : t + 1] = log_probabilities[scored - begin :, 0]
            self._change += (updated - held).sum(axis=0)
            self._waiting += 1
            if self._waiting == self._way.words_a_step or not by_word:
                document = document + self._change
                self._change = np.zeros_like(document)
                self._waiting = 0
            states.append([state[-1] for state in after])
        return logs, document, states[-1]
