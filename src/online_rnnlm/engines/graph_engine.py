"""Training and scoring by the plain graph: slow, and the reference for the kernels' tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.config.engines import SCORING_SENTENCES
from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines import dropout, symbolic
from online_rnnlm.engines.base import (
    Array,
    OnlineSettings,
    Scores,
    Sentences,
    empty_scores,
    fill_scores,
    first_words,
)
from online_rnnlm.engines.lanes import (
    NOTHING,
    Batches,
    Carried,
    Integers,
    scoring_order,
    segments_of,
    unit_beginnings,
)
from online_rnnlm.engines.shared import SharedState, State, StateTrainer
from online_rnnlm.model import graph, updates
from online_rnnlm.model.parameters import Parameters, like, shapes
from online_rnnlm.model.sizes import sizes_for

_LAYERS = (dropout.EMBEDDINGS, dropout.HIDDEN)
_FEWEST_LANES = 2
"""PyTensor's own check takes a single row, which C and Python code add to the gradient of a table,
for one that broadcasts, and raises. So a single sentence gets an empty one beside it."""


def form_of(settings: RunSettings) -> symbolic.Form:
    """The form of a run's graph."""
    return symbolic.Form(
        settings.cell_name,
        settings.error_clip,
        settings.context_decay,
        settings.goes_through_updates,
        settings.precision,
        settings.optimizer,
        settings.l2,
        bool(settings.dropout or settings.embedding_dropout),
    )


def symbolic_model(settings: RunSettings, corpus: Corpus) -> graph.Model:
    """The model of a run on a corpus: the cell, the word classes and the cell's constants."""
    return form_of(settings).model(corpus.class_offsets)


class _Training(State, Protocol):
    """The functions of `symbolic.Training`, wherever they are computed."""

    def update(self, inputs: Sequence[Any]) -> list[Any]:
        """Learn from a batch."""


class _Scoring(Protocol):
    """The function of `symbolic.Scoring`, wherever it is computed."""

    def score(self, inputs: Sequence[Any]) -> list[Any]:
        """Score a batch."""


class GraphTrainer(StateTrainer[_Training]):
    """Training by `updates.training_updates`."""

    functions: Callable[[symbolic.Form, Integers, Parameters, Parameters], _Training] = (
        symbolic.Training
    )

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried,
    ) -> None:
        self._form = form_of(settings)
        super().__init__(
            settings, self.functions(self._form, corpus.class_offsets, weights, accumulators)
        )
        self.carried = carried
        self._split = corpus.splits["train"]
        self._offsets = segments_of(self._split, settings).offsets
        self._widths = weights.embeddings.shape[1], weights.word_output.shape[1]

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        settings = self._settings
        rates = self._real(learning_rate), self._real(settings.document_rate)
        total = 0.0
        for segments, begins in zip(*batches, strict=True):
            lanes, padded = len(segments), _widened(segments, NOTHING)
            batch = graph.pad(self._split.stream, self._offsets, padded, settings.precision)
            before = self.carried.before(begins, settings.reading)
            start = (_widened(values, 0) for values in (*before.states, before.documents))
            factors = self._factors(key, padded, len(batch.mask)) if self._form.drops else ()
            found, *after = self._state.update([*batch, *rates, *start, *factors])
            *states, documents = (values[:lanes] for values in after)
            self.carried = Carried(tuple(states), documents)
            total += float(found)
        return total

    def _factors(self, key: int, segments: Integers, length: int) -> graph.Dropout:
        """The factors of dropout for padded segments of that length."""
        settings = self._settings
        places = self._offsets[np.maximum(segments, 0)] + np.arange(length)[:, None]
        rates = settings.embedding_dropout, settings.dropout
        return graph.Dropout(
            *(
                dropout.factors(key, layer, places, width, rate, settings.precision)
                for layer, width, rate in zip(_LAYERS, self._widths, rates, strict=True)
            )
        )


def _widened(values: Array, filler: int) -> Array:
    """Fill up the values of every lane, (B, …), to the fewest lanes that a batch may have."""
    more = max(0, _FEWEST_LANES - len(values))
    rest = ((0, 0),) * (values.ndim - 1)
    return np.pad(values, ((0, more), *rest), constant_values=filler) if more else values


class GraphScorer:
    """Scoring by `graph.predictions`."""

    functions: Callable[[symbolic.Form, Integers, Sequence[str]], _Scoring] = symbolic.Scoring

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        reading: Reading,
        *,
        hidden_states: bool = False,
    ) -> None:
        self._settings, self._reading, self._hidden_states = settings, reading, hidden_states
        self._sizes = sizes_for(settings, corpus)
        names = shapes(self._sizes)._fields
        self._scoring = self.functions(form_of(settings), corpus.class_offsets, names)

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""
        settings, sizes = self._settings, self._sizes
        size = sizes.document if document_rate else 0
        starts = first_words(split.offsets, sentences)
        states = int(starts[-1]) if self._hidden_states else 0
        scores = empty_scores(
            len(sentences), int(starts[-1]), sizes, settings.precision, states=states
        )
        carried = Carried.nothing(weights, settings.cell_name, sizes.document, SCORING_SENTENCES)
        rate = np.asarray(document_rate, settings.precision)
        order = scoring_order(split, sentences, self._reading, SCORING_SENTENCES)
        for numbers, begins, places in zip(*order, strict=True):
            batch = graph.pad(split.stream, split.offsets, numbers, settings.precision)
            start = carried.before(begins, self._reading)
            logs, hidden, *last, documents = self._scoring.score(
                [*weights, *batch, rate, *start.states, start.documents]
            )
            carried = Carried(tuple(last), documents)
            fill_scores(scores, places, starts, batch.mask, logs, documents, hidden)
        return scores._replace(document_vectors=scores.document_vectors[:, :size])


class GraphOnlineScorer(StateTrainer[SharedState]):
    """Scoring by `updates.online_updates`, word after word or sentence after sentence."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
    ) -> None:
        super().__init__(settings, SharedState(weights, weights))
        self._trained = like(weights, (array.copy() for array in weights))
        self._online, self._sizes = online, sizes_for(settings, corpus)
        model, dtype = symbolic_model(settings, corpus), settings.precision
        nothing = Carried.nothing(weights, settings.cell_name, settings.document_size, 1)
        self._start = list(nothing.states)
        batch = graph.padded_symbols(dtype)
        states = tuple(pt.matrix(dtype=dtype) for _ in self._start)
        given = graph.Given(states, pt.tensor3(dtype=dtype))
        rates = (online.learning_rate, online.document_rate)
        result, changes = updates.online_updates(
            model,
            self._state.weights,
            batch,
            given,
            *(np.asarray(rate, dtype) for rate in rates),
            learning=online.learning,
        )
        self._score = pytensor.function(
            [*batch, *given.states, given.documents],
            [result.log_probabilities, result.document_vectors, *result.states],
            updates=changes,
            on_unused_input="ignore",
        )

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""
        dtype = self._settings.precision
        scores = empty_scores(len(sentences), 0, self._sizes, dtype)
        begins = unit_beginnings(split, sentences, self._online.unit_of_text)
        document = np.zeros((1, self._sizes.document), dtype)
        states = self._start
        logs = [scores.log_probabilities]
        for number, sentence in enumerate(sentences):
            if begins[number]:
                self.restore(self._trained, self._trained)
                document = np.zeros_like(document)
            if begins[number] or not self._online.carries_state:
                states = self._start
            begin, end = split.offsets[sentence], split.offsets[sentence + 1]
            words = split.stream[begin : end + 1, None].astype("int64")
            read = self._by_word if self._online.learn_after == "word" else self._whole
            log_probabilities, document, states = read(words[:-1], words[1:], document, states)
            logs.append(log_probabilities)
            scores.document_vectors[number] = document[0]
        return scores._replace(log_probabilities=np.concatenate(logs))

    def _by_word(
        self, inputs: Array, targets: Array, document: Array, before: list[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """Score a sentence's words and learn after each; return their log P, and d after them.

        Returns the states after the sentence, too. Inputs and targets are (T, 1), d is (1, D), and
        `before` are the states before the first word, (1, ·).
        """
        states = [before]
        documents: list[Array] = []
        logs = np.zeros(len(inputs))
        for t in range(len(inputs)):
            documents.append(document)
            begin = max(0, t + 1 - self._online.bptt_steps)
            words = inputs[begin : t + 1], targets[begin : t + 1]
            mask = np.zeros((t + 1 - begin, 1), document.dtype)
            mask[-1] = 1
            result = self._score(*words, mask, *states[begin], np.stack(documents[begin:]))
            log_probabilities, updated, *after = result
            logs[t], document = log_probabilities[-1, 0], updated[-1]
            states.append([state[-1] for state in after])
        return logs, document, states[-1]

    def _whole(
        self, inputs: Array, targets: Array, document: Array, before: list[Array]
    ) -> tuple[Array, Array, list[Array]]:
        """Score as `_by_word` does, but learn in one step, after the last word."""
        mask = np.ones((len(inputs), 1), document.dtype)
        documents = np.repeat(document[None], len(inputs), axis=0)
        log_probabilities, updated, *after = self._score(inputs, targets, mask, *before, documents)
        document = document + (updated - documents).sum(axis=0)
        return log_probabilities[:, 0], document, [state[-1] for state in after]


Trainer, Scorer, OnlineScorer = GraphTrainer, GraphScorer, GraphOnlineScorer
