"""Training and scoring by the plain graph: slow, and the reference for the kernels' tests."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    SCORING_SENTENCES,
    Array,
    OnlineSettings,
    Scores,
    Sentences,
    SharedTrainer,
    empty_scores,
    unit_beginnings,
    weight_symbols,
)
from online_rnnlm.model import graph
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import Parameters, like, shapes
from online_rnnlm.model.sizes import sizes_for


def model_of(settings: RunSettings, corpus: Corpus) -> graph.Model:
    """The model of a run on a corpus: the cell, the word classes and the cell's constants."""
    classes = graph.WordClasses.from_offsets(corpus.class_offsets)
    cell = load_cell(settings.cell_name)
    return graph.Model(cell, classes, settings.error_clip, settings.context_decay)


class GraphTrainer(SharedTrainer):
    """Training by `graph.training_updates`."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
    ) -> None:
        super().__init__(settings, weights, accumulators)
        self._split = corpus.splits["train"]
        dtype = settings.precision
        batch = graph.padded_symbols(dtype)
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)]
        total, updates = graph.training_updates(
            model_of(settings, corpus),
            self._state.weights,
            self._state.accumulators,
            batch,
            *rates,
            optimizer=settings.optimizer,
            l2=settings.l2,
        )
        self._update = pytensor.function([*batch, *rates], total, updates=updates)

    def update(self, sentences: Sentences, learning_rate: float) -> float:
        """Learn from the training sentences of these numbers, in order; return their log P."""
        settings = self._settings
        rates = self._real(learning_rate), self._real(settings.document_rate)
        stream, offsets = self._split.stream, self._split.offsets
        total = 0.0
        for begin in range(0, len(sentences), settings.batch_sentences):
            numbers = sentences[begin : begin + settings.batch_sentences]
            batch = graph.pad(stream, offsets, numbers, settings.precision)
            total += float(self._update(*batch, *rates))
        return total


class GraphScorer:
    """Scoring by `graph.predictions`."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, *, hidden_states: bool = False
    ) -> None:
        dtype = settings.precision
        self._dtype, self._hidden_states = dtype, hidden_states
        self._sizes = sizes_for(settings, corpus)
        weights = weight_symbols(dtype, shapes(self._sizes)._fields)
        batch = graph.padded_symbols(dtype)
        rate = pt.scalar(dtype=dtype)
        result = graph.predictions(model_of(settings, corpus), weights, batch, rate)
        self._score = pytensor.function(
            [*weights, *batch, rate],
            [result.log_probabilities, result.document_vectors, result.states[0]],
            on_unused_input="ignore",
        )

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""
        sizes = self._sizes if document_rate else self._sizes.without_document()
        parts = [empty_scores(0, 0, sizes, self._dtype)]
        for begin in range(0, len(sentences), SCORING_SENTENCES):
            part = sentences[begin : begin + SCORING_SENTENCES]
            parts.append(self._part(weights, split, part, document_rate, sizes.document))
        return Scores(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def _part(
        self,
        weights: Parameters,
        split: Split,
        sentences: Sentences,
        document_rate: float,
        document_size: int,
    ) -> Scores:
        batch = graph.pad(split.stream, split.offsets, sentences, self._dtype)
        rate = np.dtype(self._dtype).type(document_rate)
        log_probabilities, documents, states = self._score(*weights, *batch, rate)
        exists = batch.mask.T > 0
        in_order = states.swapaxes(0, 1)[exists]
        return Scores(
            log_probabilities.T[exists].astype("float64"),
            documents[-1, :, :document_size],
            in_order if self._hidden_states else in_order[:0],
        )


class GraphOnlineScorer(SharedTrainer):
    """Scoring by `graph.online_updates`, word after word or sentence after sentence."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
    ) -> None:
        super().__init__(settings, weights, weights)
        self._trained = like(weights, (array.copy() for array in weights))
        self._online, self._sizes = online, sizes_for(settings, corpus)
        model, dtype = model_of(settings, corpus), settings.precision
        self._start = [np.zeros((1, size), dtype) for size in model.cell.states(weights)]
        batch = graph.padded_symbols(dtype)
        states = tuple(pt.matrix(dtype=dtype) for _ in self._start)
        given = graph.Given(states, pt.tensor3(dtype=dtype))
        rates = (online.learning_rate, online.document_rate)
        result, updates = graph.online_updates(
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
            updates=updates,
            on_unused_input="ignore",
        )

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""
        dtype = self._settings.precision
        scores = empty_scores(len(sentences), 0, self._sizes, dtype)
        begins = unit_beginnings(split, sentences, self._online.unit_of_text)
        document = np.zeros((1, self._sizes.document), dtype)
        logs = [scores.log_probabilities]
        for number, sentence in enumerate(sentences):
            if begins[number]:
                self.restore(self._trained, self._trained)
                document = np.zeros_like(document)
            begin, end = split.offsets[sentence], split.offsets[sentence + 1]
            words = split.stream[begin : end + 1, None].astype("int64")
            read = self._by_word if self._online.learn_after == "word" else self._whole
            log_probabilities, document = read(words[:-1], words[1:], document)
            logs.append(log_probabilities)
            scores.document_vectors[number] = document[0]
        return scores._replace(log_probabilities=np.concatenate(logs))

    def _by_word(self, inputs: Array, targets: Array, document: Array) -> tuple[Array, Array]:
        """Score a sentence's words and learn after each; return their log P, and d after them.

        Inputs and targets are (T, 1), d is (1, D).
        """
        states = [self._start]
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
        return logs, document

    def _whole(self, inputs: Array, targets: Array, document: Array) -> tuple[Array, Array]:
        """Score as `_by_word` does, but learn in one step, after the last word."""
        mask = np.ones((len(inputs), 1), document.dtype)
        documents = np.repeat(document[None], len(inputs), axis=0)
        result = self._score(inputs, targets, mask, *self._start, documents)
        log_probabilities, updated, *_ = result
        return log_probabilities[:, 0], document + (updated - documents).sum(axis=0)


Trainer, Scorer, OnlineScorer = GraphTrainer, GraphScorer, GraphOnlineScorer
