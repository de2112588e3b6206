"""The scoring of a text by a trained network, in a way that says what learns from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from online_rnnlm.core.engines import registry
from online_rnnlm.core.engines.base import Scores, Sentences
from online_rnnlm.core.lanes import Carried, parts_of_documents
from online_rnnlm.core.parameters import Parameters, without_document
from online_rnnlm.core.way import Way, reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.core.text import Split, Text


class NetworkScorer:
    """A network that scores texts in one way; every call begins with the trained weights.

    The engine of the settings scores; it must be able to learn what the way says
    (`config.evaluations.engine_for`). It gives hidden states, and goes on from a state, only if no
    weights learn, and the vector learns after every word or not at all.
    """

    def __init__(
        self,
        settings: RunSettings,
        text: Text,
        weights: Parameters,
        way: Way,
        *,
        hidden_states: bool = False,
    ) -> None:
        self.reading = reading_of(settings, way)
        self.goes_on = not way.groups and (way.after == 1 or not way.vector_learns)
        """True if reading can go on from a state (`go_on`)."""
        self._weights_learn = bool(way.groups)
        self._rate = way.vector_rate_in(settings)
        if self.goes_on:
            # A vector that does not learn stays 0: the network without it predicts the same.
            self._weights = weights if way.vector_learns else without_document(weights)
            self._scorer = registry.scorer(
                settings, text, self.reading, hidden_states=hidden_states
            )
        else:
            self._online = registry.online_scorer(settings, text, weights, way)

    def score(self, split: Split, sentences: Sentences | None = None) -> Scores:
        """Score sentences of a split in their order, or all of them."""
        if sentences is not None:
            return self._score(split, sentences)
        if self._weights_learn or self.reading.unit_of_text == "stream":
            return self._score(split, np.arange(split.sentences))
        parts = [self._score(split, part) for part in parts_of_documents(split)]
        if not parts:
            return self._score(split, np.arange(0))
        return Scores(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def _score(self, split: Split, sentences: Sentences) -> Scores:
        if self.goes_on:
            return self._scorer(self._weights, split, sentences, self._rate)
        return self._online.score(split, sentences)

    def go_on(self, split: Split, segments: Sentences, before: Carried) -> tuple[Scores, Carried]:
        """Score a segment in each of B lanes, going on from the states and vectors in `before`.

        Returns the scores, and the states and vectors after the segments.
        """
        if self._weights.class_document.shape[0] == before.documents.shape[1]:
            return self._scorer.go_on(self._weights, split, segments, self._rate, before)
        nothing = before._replace(documents=before.documents[:, :0])
        scores, after = self._scorer.go_on(self._weights, split, segments, self._rate, nothing)
        return scores, after._replace(documents=before.documents)
