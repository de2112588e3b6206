"""Training and scoring by the fast kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core.arrays import Array, Integers
from online_rnnlm.core.engines.base import Scores, empty_scores, first_words
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.backward import apply_deferred
from online_rnnlm.core.engines.kernels.batches import score_sentences, train_batches
from online_rnnlm.core.engines.kernels.deferred import DeferredUpdates, nothing_deferred
from online_rnnlm.core.engines.kernels.learning import ADAGRAD, SGD, Learning, learning_of
from online_rnnlm.core.engines.kernels.online import Learner, score_online
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
from online_rnnlm.core.text import Split, Text
from online_rnnlm.core.way import Reading, Way, reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings


class Trainer:
    """Training by `updates.training_updates`; the kernels change all arrays in place."""

    def __init__(
        self,
        settings: RunSettings,
        text: Text,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried | None = None,
        deferred: tuple[Array, ...] = (),
    ) -> None:
        self._settings = settings
        self._class_offsets = text.class_offsets
        split = text.splits["train"]
        segments = segments_of(split, settings)
        self._text = data.text_of(split, segments.offsets)
        self.weights = Parameters(*map(np.array, weights))
        self.accumulators = Parameters(*map(np.array, accumulators))
        lanes = segments.lanes(settings.batch_sentences)
        nothing = Carried.nothing(weights, settings.cell, lanes)
        self.carried = carried.copy() if carried else nothing
        self._lanes = data.kernel_lanes(reading_of(settings), self.carried)
        self._deferred = nothing_deferred(weights, settings.rare_class_words)
        # This compiles the kernels, or loads them, before an epoch's time is measured.
        self.update(NO_BATCHES, settings.learning_rate)
        self.apply_deferred(settings.learning_rate)
        if deferred:
            self._deferred = DeferredUpdates(*map(np.array, deferred))

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        learning = self._learning(learning_rate)
        return float(train_batches(self._model(key), learning, self._text, batches, self._lanes))

    def apply_deferred(self, learning_rate: float) -> None:
        """Apply all deferred updates; none are left."""
        apply_deferred(self._model(0), self._learning(learning_rate))

    @property
    def deferred(self) -> tuple[Array, ...]:
        """The deferred updates, not copies."""
        return self._deferred

    def _model(self, key: int) -> data.KernelModel:
        settings = self._settings
        offsets = self._class_offsets
        return data.kernel_model(settings, self.weights, offsets, settings.document_rate, key=key)

    def _learning(self, learning_rate: float) -> Learning:
        settings = self._settings
        rule = ADAGRAD if settings.optimizer == "adagrad" else SGD
        return learning_of(rule, learning_rate, self.accumulators)._replace(
            rare_class_words=settings.rare_class_words, deferred=self._deferred
        )

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
        text: Text,
        reading: Reading | None = None,
        *,
        hidden_states: bool = False,
        words_a_step: int = 1,
    ) -> None:
        """Make a scorer; `words_a_step` is that of `data.KernelModel`."""
        self._settings = settings
        self._reading = reading or reading_of(settings)
        self._words_a_step = words_a_step
        self._class_offsets = text.class_offsets
        self._hidden_states = hidden_states

    def __call__(
        self, weights: Parameters, split: Split, sentences: Integers, document_rate: float
    ) -> Scores:
        """Score these sentences, the document vector learning after every word."""
        lanes = self._reading.lanes(max(1, min(SCORING_LANES, len(sentences))))
        order = scoring_order(split, sentences, self._reading, lanes)
        nothing = Carried.nothing(weights, self._settings.cell, lanes)
        return self._follow(weights, split, order, document_rate, self._reading, nothing)

    def go_on(
        self,
        weights: Parameters,
        split: Split,
        segments: Integers,
        document_rate: float,
        before: Carried,
    ) -> tuple[Scores, Carried]:
        """Score segments (B,), each from the states and the vector of a lane.

        Returns the states and vectors after them, too.
        """
        after = before.copy()
        order = ScoringOrder(
            segments[None, :],
            np.zeros((1, len(segments)), np.bool_),
            np.arange(len(segments))[None, :],
        )
        whole = Reading("stream", state=True)
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
        """Score segments in that order, from `carried`, which becomes what is carried over."""
        chosen = order.places != NOTHING
        sentences = np.empty(np.count_nonzero(chosen), np.int64)
        sentences[order.places[chosen]] = order.segments[chosen]
        starts = first_words(split.offsets, sentences)
        scores = empty_scores(weights, starts, hidden_states=self._hidden_states)
        model = data.kernel_model(
            self._settings,
            weights,
            self._class_offsets,
            document_rate,
            words_a_step=self._words_a_step,
        )
        lanes = data.kernel_lanes(reading, carried)
        score_sentences(model, data.text_of(split), order, lanes, starts, scores)
        return scores


class OnlineScorer:
    """Log-probabilities of sentences' words while chosen weights learn.

    They equal those of `updates.online_updates` applied to one word, or one sentence, after the
    other. If the vector learns alone, documents are scored side by side by `Scorer`.
    """

    def __init__(self, settings: RunSettings, text: Text, weights: Parameters, way: Way) -> None:
        self._settings = settings
        self._text = text
        self._way = way
        self._reading = reading_of(settings, way)
        self._trained = Parameters(*(array.copy() for array in weights))

    def score(self, split: Split, sentences: Integers) -> tuple[Scores, Parameters]:
        """Score these sentences in this order, starting from the trained weights.

        Returns the weights after the last sentence, too.
        """
        way = self._way
        settings = self._settings
        trained = self._trained
        rate = way.vector_rate_in(settings)
        after = way.words_a_step
        if not way.groups:
            alone = Scorer(settings, self._text, self._reading, words_a_step=after)
            return alone(trained, split, sentences, rate), trained
        weights = Parameters(*(array.copy() for array in trained))
        offsets = self._text.class_offsets
        # Plain descent has no sums, and touches no weights in their place.
        learning = learning_of(SGD, way.weight_rate or 0.0, weights)
        learning = learning._replace(
            embeddings="embeddings" in way.groups,
            recurrent="recurrent" in way.groups,
            output="output" in way.groups,
        )
        learner = Learner(
            data.kernel_model(settings, weights, offsets, rate, words_a_step=after),
            learning,
            trained,
            learnt_words=np.zeros(len(trained.embeddings), np.bool_),
            learnt_classes=np.zeros(len(offsets) - 1, np.bool_),
            after_sentence=way.after == "sentence",
            bptt_steps=way.steps,
        )
        scores = empty_scores(trained, first_words(split.offsets, sentences))
        begins = unit_beginnings(split, sentences, self._reading.unit_of_text)
        nothing = Carried.nothing(trained, settings.cell, 1)
        lane = data.kernel_lanes(self._reading, nothing)
        score_online(learner, data.text_of(split), sentences, begins, lane, scores)
        return scores, weights
