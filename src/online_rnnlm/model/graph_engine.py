"""Training and scoring by the plain graph: slow, and what the kernels are tested against."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.configuration import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.model import graph
from online_rnnlm.model.parameters import Array, Parameters
from online_rnnlm.model.state import (
    SCORING_SENTENCES,
    OnlineSettings,
    Scores,
    Sentences,
    SharedTrainer,
    empty_scores,
    weight_symbols,
)


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

    def __init__(self, settings: RunSettings, corpus: Corpus) -> None:
        dtype = settings.precision
        self._dtype = dtype
        self._unk = corpus.unk_id
        weights = weight_symbols(dtype)
        batch = graph.padded_symbols(dtype)
        rate = pt.scalar(dtype=dtype)
        classes = graph.WordClasses.from_offsets(corpus.class_offsets)
        result = graph.predictions(weights, batch, classes, rate, settings.error_clip)
        self._score = pytensor.function(
            [*weights, *batch, rate],
            [result.log_probabilities, result.document_vectors],
            on_unused_input="ignore",
        )

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Scores of these sentences; a rate of 0 holds the document vector still at 0."""
        size = weights.class_document.shape[0] if document_rate else 0
        scores = empty_scores(len(sentences), size, self._dtype)
        for begin in range(0, len(sentences), SCORING_SENTENCES):
            part = slice(begin, begin + SCORING_SENTENCES)
            self._fill(scores, part, weights, split, sentences[part], document_rate)
        return scores

    def _fill(
        self,
        scores: Scores,
        part: slice,
        weights: Parameters,
        split: Split,
        sentences: Sentences,
        document_rate: float,
    ) -> None:
        batch = graph.pad(split.stream, split.offsets, sentences, self._dtype)
        rate = np.dtype(self._dtype).type(document_rate)
        log_probabilities, documents = self._score(*weights, *batch, rate)
        unknown = batch.targets == self._unk
        scores.log_probabilities[part] = log_probabilities.sum(0)
        scores.unk_log_probabilities[part] = (log_probabilities * unknown).sum(0)
        if scores.document_vectors.shape[1]:
            scores.document_vectors[part] = documents[-1]


class GraphOnlineScorer(SharedTrainer):
    """Scoring by `graph.online_updates`, word after word."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
    ) -> None:
        super().__init__(settings, weights, weights)
        self._unk, self._online = corpus.unk_id, online
        dtype = settings.precision
        batch = graph.padded_symbols(dtype)
        before = graph.State(pt.matrix(dtype=dtype), pt.matrix(dtype=dtype))
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)]
        result, updates = graph.online_updates(
            self._state.weights,
            batch,
            before,
            graph.WordClasses.from_offsets(corpus.class_offsets),
            *rates,
            learning=online.learning,
            error_clip=settings.error_clip,
        )
        last = [result.log_probabilities[-1, 0], result.hidden_states[-1]]
        self._score = pytensor.function(
            [*batch, *before, *rates],
            [*last, result.document_vectors[-1]],
            updates=updates,
            on_unused_input="ignore",
        )

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Scores of these sentences, in this order; what they teach stays."""
        size = self.weights.class_document.shape[0]
        scores = empty_scores(len(sentences), size, self._settings.precision)
        for number, sentence in enumerate(sentences):
            begin, end = split.offsets[sentence], split.offsets[sentence + 1]
            inputs, targets = split.stream[begin:end], split.stream[begin + 1 : end + 1]
            logs, document = self._score_sentence(inputs, targets)
            scores.log_probabilities[number] = logs.sum()
            scores.unk_log_probabilities[number] = logs[targets == self._unk].sum()
            scores.document_vectors[number] = document[0]
        return scores

    def _score_sentence(self, inputs: Array, targets: Array) -> tuple[Array, Array]:
        settings, online = self._settings, self._online
        rates = self._real(online.learning_rate), self._real(online.document_rate)
        state = np.zeros((1, settings.hidden_size), settings.precision)
        states = [state]
        document = np.zeros((1, self.weights.class_document.shape[0]), settings.precision)
        logs = np.zeros(len(inputs))
        for t in range(len(inputs)):
            begin = max(0, t + 1 - online.steps)
            window = slice(begin, t + 1)
            mask = np.zeros((t + 1 - begin, 1), settings.precision)
            mask[-1] = 1
            words = (side[window, None].astype("int64") for side in (inputs, targets))
            result = self._score(*words, mask, states[begin], document, *rates)
            logs[t], state, document = result
            states.append(state)
        return logs, document
