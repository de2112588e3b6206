"""Training and scoring by the fast kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core.engines.base import (
    NO_SENTENCES,
    Scores,
    Sentences,
    empty_scores,
    first_words,
)
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.batches import score_sentences, train_batches
from online_rnnlm.core.engines.kernels.compiled import compile_once
from online_rnnlm.core.engines.kernels.learning import CopyOnWriteWeights, Learning, LearningModel
from online_rnnlm.core.engines.kernels.online import score_online
from online_rnnlm.core.engines.kernels.team import Team
from online_rnnlm.core.engines.kernels.workspace import allocate, for_members
from online_rnnlm.core.lanes import (
    NO_BATCHES,
    NOTHING,
    SCORING_LANES,
    Batches,
    Carried,
    ScoringOrder,
    scoring_order,
    segments_of,
    unit_beginnings,
)
from online_rnnlm.core.parameters import Parameters, copy_into
from online_rnnlm.core.sizes import sizes_for
from online_rnnlm.core.text import Split, Text
from online_rnnlm.core.way import GROUPS, Reading, Way, reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

_NO_TEXT = Split(np.zeros(1, np.int32), np.zeros(1, np.int64))
"""A split without sentences, which kernels are compiled with."""


class Trainer:
    """Training by `updates.training_updates`; the kernels change all arrays in place."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Text,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried,
        *,
        threads: int = 1,
    ) -> None:
        self._settings, self._team = settings, Team(threads)
        self._classes = data.classes_from_offsets(corpus.class_offsets)
        split = corpus.splits["train"]
        self._text = data.text_of(split, segments_of(split, settings).offsets)
        self.weights = Parameters(*map(np.array, weights))
        self.accumulators = Parameters(*map(np.array, accumulators))
        self.carried = carried.copy()
        self._lanes = data.kernel_lanes(reading_of(settings), self.carried)
        sizes = sizes_for(settings, corpus)
        space = allocate(
            sizes,
            self._text,
            self._classes,
            np.arange(len(self._text.offsets) - 1),
            len(carried.documents),
            settings.precision,
            dropout=settings.dropout > 0,
        )
        self._spaces = for_members(space, threads)
        kernels = f"{settings.precision}-{settings.cell}-training"
        compile_once(kernels, lambda: self.update(NO_BATCHES, settings.learning_rate))

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        settings, real = self._settings, np.dtype(self._settings.precision).type
        rate, spaces = settings.document_rate, self._spaces
        arguments = (
            data.kernel_model(settings, self.weights, self._classes, rate, key),
            self.accumulators,
            data.Optimizer(settings.optimizer == "adagrad", real(learning_rate)),
            self._text,
            batches,
            self._lanes,
        )
        return float(self._team.run(lambda one: train_batches(*arguments, one, spaces[one.number])))

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        copy_into(self.weights, weights)
        copy_into(self.accumulators, accumulators)


class Scorer:
    """Log-probabilities of sentences' words, the document vector learning online.

    They equal those of `graph.predictions`.
    """

    def __init__(
        self,
        settings: RunSettings,
        corpus: Text,
        reading: Reading,
        *,
        hidden_states: bool = False,
        threads: int = 1,
        words_a_step: int = 1,
    ) -> None:
        """Make a scorer; `words_a_step` is that of `data.Model`."""
        self._settings, self._reading, self._words_a_step = settings, reading, words_a_step
        self._team, self._hidden_states = Team(threads), hidden_states
        self._sizes = sizes_for(settings, corpus)
        self._classes = data.classes_from_offsets(corpus.class_offsets)

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences, the document vector learning after every word."""
        kernels = f"{self._settings.precision}-{self._settings.cell}-scoring"
        compile_once(kernels, lambda: self._score(weights, split, NO_SENTENCES, document_rate))
        return self._score(weights, split, sentences, document_rate)

    def _score(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        lanes = self._reading.lanes(max(1, min(SCORING_LANES, len(sentences))))
        order = scoring_order(split, sentences, self._reading, lanes)
        nothing = Carried.nothing(weights, self._settings.cell, lanes)
        return self._follow(weights, split, order, document_rate, self._reading, nothing)

    def go_on(
        self,
        weights: Parameters,
        split: Split,
        segments: Sentences,
        document_rate: float,
        before: Carried,
    ) -> tuple[Scores, Carried]:
        """Score segments (B,), each of which goes on with the states and the vector of a lane.

        Returns what lives on after them, too.
        """
        after = before.copy()
        order = ScoringOrder(
            segments[None, :],
            np.zeros((1, len(segments)), np.bool_),
            np.arange(len(segments))[None, :],
        )
        whole = Reading("stream", state=True, vector=True)
        return self._follow(weights, split, order, document_rate, whole, after), after

    def _follow(
        self,
        weights: Parameters,
        split: Split,
        order: ScoringOrder,
        document_rate: float,
        reading: Reading,
        carried: Carried,
    ) -> Scores:
        """Score segments in that order; what lives on is read from `carried`, and left there."""
        settings, text = self._settings, data.text_of(split)
        sizes = self._sizes._replace(document=len(weights.class_document))
        chosen = order.places != NOTHING
        sentences = np.empty(np.count_nonzero(chosen), np.int64)
        sentences[order.places[chosen]] = order.segments[chosen]
        starts = first_words(text.offsets, sentences)
        scores = empty_scores(weights, starts, hidden_states=self._hidden_states)
        model = data.kernel_model(settings, weights, self._classes, document_rate)
        arguments = (
            model._replace(words_a_step=self._words_a_step),
            text,
            order,
            data.kernel_lanes(reading, carried),
            starts,
            scores,
        )
        space = allocate(
            *(sizes, text, self._classes, sentences, order.segments.shape[1], settings.precision),
            by_rows=True,
        )
        spaces = for_members(space, self._team.size)
        self._team.run(lambda one: score_sentences(*arguments, one, spaces[one.number]))
        return scores


class OnlineScorer:
    """Log-probabilities of sentences' words while chosen weights learn.

    They equal those of `updates.online_updates` applied to one word, or one sentence, after the
    other. If the vector learns alone, documents are scored side by side by `Scorer`.
    """

    def __init__(self, settings: RunSettings, corpus: Text, weights: Parameters, way: Way) -> None:
        self._trained = self.weights = Parameters(*(array.copy() for array in weights))
        self._sizes, self._reading = sizes_for(settings, corpus), reading_of(settings, way)
        self._classes = data.classes_from_offsets(corpus.class_offsets)
        real = weights.recurrent.dtype.type
        self._learning = Learning(
            **{group: group in way.groups for group in GROUPS},
            after_sentence=way.after == "sentence",
            carries_state=self._reading.state,
            bptt_steps=way.steps,
            learning_rate=real(way.weight_rate or 0.0),
            document_rate=real(way.vector_rate_in(settings)),
            error_clip=real(settings.error_clip or np.inf),
        )
        self._alone = None
        if not way.groups:
            self._alone = Scorer(settings, corpus, self._reading, words_a_step=way.words_a_step)
            return
        compile_once(f"{settings.precision}-online", lambda: self.score(_NO_TEXT, NO_SENTENCES))

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""
        if self._alone:
            return self._alone(self._trained, split, sentences, float(self._learning.document_rate))
        trained, text, sizes = self._trained, data.text_of(split), self._sizes
        scores = empty_scores(trained, first_words(text.offsets, sentences))
        weights = CopyOnWriteWeights(
            learnt=Parameters(*map(np.empty_like, trained)),
            trained=trained,
            learnt_words=np.zeros(sizes.vocabulary, np.bool_),
            learnt_classes=np.zeros(sizes.classes, np.bool_),
        )
        begins, dtype = (
            unit_beginnings(split, sentences, self._reading.unit_of_text),
            trained.recurrent.dtype,
        )
        space = allocate(sizes, text, self._classes, sentences, 1, dtype, more_steps=1)
        model = LearningModel(weights, self._classes, self._learning)
        score_online(model, text, sentences, begins, scores, space)
        self.weights = weights.learnt
        return scores
