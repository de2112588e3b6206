"""Scoring by the fast kernels, which need no PyTensor: a trained model is used without it."""

from __future__ import annotations

from typing import Any

import numpy as np

from online_rnnlm.config.engines import SCORING_SENTENCES
from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    NO_SENTENCES,
    OnlineSettings,
    Scores,
    Sentences,
    empty_scores,
    first_words,
)
from online_rnnlm.engines.kernel_arguments import (
    GrowingMemory,
    kernel_lanes,
    kernel_model,
    states_of,
    text_of,
)
from online_rnnlm.engines.kernel_cache import compiled_once
from online_rnnlm.engines.kernels.batches import score_sentences
from online_rnnlm.engines.kernels.copy_on_write import CopyOnWriteWeights
from online_rnnlm.engines.kernels.data import Classes, classes_from_offsets
from online_rnnlm.engines.kernels.learning import Learning, LearningModel
from online_rnnlm.engines.kernels.online import score_online
from online_rnnlm.engines.kernels.online_workspace import allocate_online
from online_rnnlm.engines.kernels.workspace import Capacity, Workspace, allocate, for_members
from online_rnnlm.engines.lanes import Carried, scoring_order, unit_beginnings
from online_rnnlm.engines.teams import Team
from online_rnnlm.model.parameters import Parameters, sizes_of, without_document

_NO_TEXT = Split(np.zeros(1, np.int32), np.zeros(1, np.int64))
"""A split without sentences, which kernels are compiled with."""


class KernelScorer:
    """Log-probabilities of sentences' words, the document vector learning online.

    They equal those of `graph.predictions`.
    """

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        reading: Reading,
        *,
        hidden_states: bool = False,
        threads: int = 1,
    ) -> None:
        self._settings, self._reading = settings, reading
        self._team = Team(threads)
        self._hidden_states = hidden_states
        self._classes = classes_from_offsets(corpus.class_offsets)
        self._memory = GrowingMemory(self._allocate, settings, self._classes, SCORING_SENTENCES)
        self._compiled = False

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""
        if not self._compiled:
            with compiled_once(self._settings.precision, self._settings.cell_name):
                self._score(weights, split, NO_SENTENCES, document_rate)
            self._compiled = True
        return self._score(weights, split, sentences, document_rate)

    def _score(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        if document_rate == 0:
            weights = without_document(weights)
        cell, text = self._settings.cell_name, text_of(split)
        order = scoring_order(split, sentences, self._reading, SCORING_SENTENCES)
        real = np.dtype(self._settings.precision).type
        starts, sizes = first_words(text.offsets, sentences), sizes_of(weights, cell)
        tokens = int(starts[-1])
        states = tokens if self._hidden_states else 0
        scores = empty_scores(len(sentences), tokens, sizes, real, states=states)
        carried = Carried.nothing(weights, cell, sizes.document, order[0].shape[1])
        arguments = (
            kernel_model(self._settings, weights, self._classes, real(document_rate)),
            text,
            order,
            kernel_lanes(self._reading, *states_of(carried), carried.documents),
            starts,
            scores,
        )
        spaces = self._memory.for_call(weights, text, sentences)
        self._team.run(lambda one: score_sentences(*arguments, one, spaces[one.number]))
        return scores

    def _allocate(self, capacity: Capacity, classes: Classes, dtype: Any) -> list[Workspace]:
        return for_members(allocate(capacity, classes, dtype), self._team.size)


class KernelOnlineScorer:
    """Log-probabilities of sentences' words while chosen weights learn.

    They equal those of `updates.online_updates` applied to one word, or one sentence, after the
    other.
    """

    def __init__(
        self, settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
    ) -> None:
        self._trained = self._learnt = Parameters(*(array.copy() for array in weights))
        self._classes = classes_from_offsets(corpus.class_offsets)
        self._online = online
        self._error_clip = settings.error_clip or np.inf
        self._memory = GrowingMemory(allocate_online, settings, self._classes, 1)
        with compiled_once(settings.precision, "online"):
            self.score(_NO_TEXT, NO_SENTENCES)

    @property
    def weights(self) -> Parameters:
        """The weights after the last call."""
        return self._learnt

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""
        trained, text = self._trained, text_of(split)
        sizes, real = sizes_of(trained), trained.recurrent.dtype.type
        scores = empty_scores(
            len(sentences), int(first_words(text.offsets, sentences)[-1]), sizes, real
        )
        weights = CopyOnWriteWeights(
            learnt=Parameters(*map(np.empty_like, trained)),
            trained=trained,
            learnt_words=np.zeros(sizes.vocabulary, np.bool_),
            learnt_classes=np.zeros(sizes.classes, np.bool_),
        )
        score_online(
            LearningModel(weights, self._classes, self._learning(real)),
            text,
            sentences,
            unit_beginnings(split, sentences, self._online.unit_of_text),
            scores,
            self._memory.for_call(trained, text, sentences),
        )
        self._learnt = weights.learnt
        return scores

    def _learning(self, real: Any) -> Learning:
        online = self._online
        return Learning(
            embeddings="embeddings" in online.learning,
            recurrent="recurrent" in online.learning,
            output="output" in online.learning,
            after_sentence=online.learn_after == "sentence",
            carries_state=online.carries_state,
            bptt_steps=online.bptt_steps,
            learning_rate=real(online.learning_rate),
            document_rate=real(online.document_rate),
            error_clip=real(self._error_clip),
        )
