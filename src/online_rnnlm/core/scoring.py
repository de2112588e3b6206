"""The scorer of a text for the `Learning` that says which parts of the model learn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, Learning
from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.core.engines import registry
from online_rnnlm.core.engines.base import OnlineSettings, Scores, Sentences
from online_rnnlm.core.lanes import Carried, parts_of_documents
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.corpora.corpus import Corpus, Split


class LearningScorer(NamedTuple):
    """A scorer of a split's sentences; every call begins with the trained weights."""

    score: Callable[[Split, Sentences], Scores]
    """Scores these sentences, in this order."""
    in_parts: bool
    """True if a text can be scored in parts, in which documents are whole."""
    reading: Reading
    """The unit of text, and what lives on within it."""
    go_on: Callable[[Split, Sentences, Carried], tuple[Scores, Carried]] | None = None
    """Scores segments that go on with states and vectors, and returns those after them; None if
    weights learn or steps wait."""

    def parts(self, split: Split) -> Iterator[Sentences]:
        """Yield the numbers of the sentences to score in each call: all of the split's."""
        return parts_of_documents(split) if self.in_parts else iter([np.arange(split.sentences)])


def learning_scorer(
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    learning: Learning,
    *,
    hidden_states: bool = False,
) -> LearningScorer:
    """Make the scorer of a run's model while the parts of it that `learning` names learn.

    The run's own engine scores if nothing learns, or only the vector after every word; only then
    can `hidden_states` be had. Raises UserError as `registry.online_scorer` does.
    """
    parts, reading = learning.parts(settings.document_size), _reading(settings, learning)
    if parts - {DOCUMENT_VECTOR} or (parts and learning.learn_after != "word"):
        online = OnlineSettings.of(learning, settings)
        scorer = registry.online_scorer(settings, corpus, weights, online)
        in_parts = not online.learning and reading.unit_of_text != "stream"
        return LearningScorer(scorer.score, in_parts, reading)
    fixed = registry.scorer(settings, corpus, reading, hidden_states=hidden_states)
    rate = (learning.learning_rate or settings.document_rate) if parts else 0.0

    def score(split: Split, sentences: Sentences) -> Scores:
        return fixed(weights, split, sentences, rate)

    def go_on(split: Split, segments: Sentences, before: Carried) -> tuple[Scores, Carried]:
        return fixed.go_on(weights, split, segments, rate, before)

    return LearningScorer(score, reading.unit_of_text != "stream", reading, go_on)


def _reading(settings: RunSettings, learning: Learning) -> Reading:
    """Return how a text is read: as in training, or so that the vector lives on within a unit."""
    unit = learning.unit_of_text
    if unit is None:
        return settings.reading
    state = settings.reading.state and unit != "sentence"
    return Reading(unit, state=state, vector=True)
