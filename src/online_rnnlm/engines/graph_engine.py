"""Training and scoring by the plain graph: slow, and what the kernels are tested against."""

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
from online_rnnlm.model.parameters import Parameters, sizes_of


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
            self._state.weights,
            self._state.accumulators,
            batch,
            graph.WordClasses.from_offsets(corpus.class_offsets),
            *rates,
            optimizer=settings.optimizer,
            l2=settings.l2,
            error_clip=settings.error_clip,
        )
        self._update = pytensor.function([*batch, *rates], total, updates=updates)

    def update(self, sentences: Sentences, learning_rate: float) -> float:
        """Learn from the training sentences of these numbers, in order; returns their log P."""
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
        weights = weight_symbols(dtype)
        batch = graph.padded_symbols(dtype)
        rate = pt.scalar(dtype=dtype)
        classes = graph.WordClasses.from_offsets(corpus.class_offsets)
        result = graph.predictions(weights, batch, classes, rate, settings.error_clip)
        self._score = pytensor.function(
            [*weights, *batch, rate],
            [result.log_probabilities, result.document_vectors, result.hidden_states],
            on_unused_input="ignore",
        )

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Scores of these sentences; a rate of 0 holds the document vector still at 0."""
        sizes = sizes_of(weights)
        if document_rate == 0:
            sizes = sizes._replace(document=0)
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
        self._trained = Parameters(*(array.copy() for array in weights))
        self._online = online
        dtype = settings.precision
        batch = graph.padded_symbols(dtype)
        given = graph.Given(pt.matrix(dtype=dtype), pt.tensor3(dtype=dtype))
        rates = (online.learning_rate, online.document_rate)
        result, updates = graph.online_updates(
            self._state.weights,
            batch,
            given,
            graph.WordClasses.from_offsets(corpus.class_offsets),
            *(np.asarray(rate, dtype) for rate in rates),
            learning=online.learning,
            error_clip=settings.error_clip,
        )
        self._score = pytensor.function(
            [*batch, *given], list(result), updates=updates, on_unused_input="ignore"
        )

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Scores of these sentences, read in this order, from the weights given at the start."""
        sizes, dtype = sizes_of(self._trained), self._settings.precision
        scores = empty_scores(len(sentences), 0, sizes, dtype)
        begins = unit_beginnings(split, sentences, self._online.unit_of_text)
        document = np.zeros((1, sizes.document), dtype)
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
        """log P of a sentence's words, and d after them; (T, 1), (T, 1) and (1, D)."""
        states = [np.zeros((1, self._settings.hidden_size), document.dtype)]
        documents: list[Array] = []
        logs = np.zeros(len(inputs))
        for t in range(len(inputs)):
            documents.append(document)
            begin = max(0, t + 1 - self._online.bptt_steps)
            words = inputs[begin : t + 1], targets[begin : t + 1]
            mask = np.zeros((t + 1 - begin, 1), document.dtype)
            mask[-1] = 1
            result = self._score(*words, mask, states[begin], np.stack(documents[begin:]))
            log_probabilities, hidden, updated = result
            logs[t], document = log_probabilities[-1, 0], updated[-1]
            states.append(hidden[-1])
        return logs, document

    def _whole(self, inputs: Array, targets: Array, document: Array) -> tuple[Array, Array]:
        """The same, with d and the weights as they are before the sentence; then one step."""
        mask = np.ones((len(inputs), 1), document.dtype)
        start = np.zeros((1, self._settings.hidden_size), document.dtype)
        documents = np.repeat(document[None], len(inputs), axis=0)
        log_probabilities, _, updated = self._score(inputs, targets, mask, start, documents)
        return log_probabilities[:, 0], document + (updated - documents).sum(axis=0)


Trainer, Scorer, OnlineScorer = GraphTrainer, GraphScorer, GraphOnlineScorer
