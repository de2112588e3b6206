"""A trained network that scores text in the ways that the evaluations know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.base import Rate, Settings
from online_rnnlm.config.evaluations import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    name_of,
    parts_named,
    parts_of,
)
from online_rnnlm.config.testing import LearnAfter, Steps, UnitOfText
from online_rnnlm.config.training import SENTENCES, Reading, RunSettings
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, Corpus, Split
from online_rnnlm.engines.names import usable_anywhere
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.perplexity import diverged
from online_rnnlm.use.caching import CacheSettings, mixed_with_cache

if TYPE_CHECKING:  # These load numba and PyTensor, which `prepare_process` must precede.
    from online_rnnlm.engines.base import OnlineScorer, OnlineSettings, Scorer, Scores


class Request(Settings):
    """The way in which a text is scored."""

    updates: str
    """The parts that learn: `none`, `all`, or names joined by `+`."""
    learn_after: LearnAfter
    unit_of_text: UnitOfText
    """The unit for which learnt values are kept; `stream` is the whole text."""
    learning_rate: Rate | None
    """The rate of the weights that learn, or of the vector where only the vector learns.

    If None, the vector has the rate that it was trained with.
    """
    steps: Steps
    """Number of hidden states that a word's loss is propagated back through if weights learn."""
    cache: CacheSettings | None = None
    """The cache that the model is mixed with; then nothing learns."""

    @property
    def weights_learn(self) -> bool:
        """True if more learns than the document vector."""
        return not {*self.updates.split("+")} <= {NONE, DOCUMENT_VECTOR}

    @property
    def read_at_once(self) -> UnitOfText:
        """The unit of text that is scored in one call: a cache holds words across all others."""
        return "stream" if self.cache else self.unit_of_text


def learning_parts(request: Request, document_size: int) -> frozenset[str]:
    """Return the parts that learn.

    Raises UserError for parts that the model does not have and for useless combinations.
    """
    parts = parts_of(document_size)
    given = request.updates.split("+")
    if request.updates not in (NONE, ALL) and not set(given) <= set(parts):
        allowed = f"{NONE}, {ALL}, or one or more of {', '.join(parts)} joined by `+`"
        raise UserError(f"`updates`: Input should be {allowed}, not {request.updates!r}")
    learning = parts_named(name_of(given, document_size), document_size)
    if learning - {DOCUMENT_VECTOR} and request.learning_rate is None:
        raise UserError("`learning_rate`: weights that learn need one, such as 0.03")
    if not learning and request.learning_rate is not None:
        raise UserError("`learning_rate`: nothing learns with these `updates`: leave it out")
    if not learning and request.learn_after != "word":
        raise UserError("`learn_after`: nothing learns with these `updates`: leave it out")
    if learning and request.cache is not None:
        raise UserError(
            "`cache`: nothing learns beside a cache: `updates` must be `none` (`--static`)"
        )
    if learning and request.learn_after == request.unit_of_text:
        raise UserError(
            "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
        )
    return learning


class Network:
    """A trained network; every call begins with the trained weights.

    It computes on this machine's CPU, whatever it was trained on.
    """

    def __init__(self, settings: RunSettings, corpus: Corpus, weights: Parameters) -> None:
        self.settings = usable_anywhere(settings)
        self.corpus = corpus
        self.weights = weights
        self._ids = {word: number for number, word in enumerate(corpus.words)}
        self._scorers: dict[tuple[Reading, bool], Scorer] = {}
        self._online: tuple[OnlineSettings, OnlineScorer] | None = None

    def encode(self, sentences: Iterable[Sequence[str]], documents: Sequence[int] = ()) -> Split:
        """Return the words' ids in the format of a prepared corpus.

        `documents` are the numbers of the sentences' documents; without them, each sentence is one.
        """
        ids, unknown = self._ids, self.corpus.unk_id
        stream, offsets = [SENTENCE_END_ID], [0]
        for words in sentences:
            stream += [ids.get(word, unknown) for word in words]
            stream.append(SENTENCE_END_ID)
            offsets.append(len(stream) - 1)
        arrays = np.array(stream, np.int32), np.array(offsets, np.int64)
        return Split(*arrays, np.array(documents, np.int32))

    def score(self, split: Split, request: Request) -> Scores:
        """Score all sentences of a text, computed as in the project's own evaluations.

        Raises UserError for a request that this network cannot serve.
        """
        from online_rnnlm.engines.base import OnlineSettings  # noqa: PLC0415

        learning = learning_parts(request, self.settings.document_size)
        numbers, trained = np.arange(split.sentences), self.settings.document_rate
        rate, unit = request.learning_rate or trained, request.unit_of_text
        if not learning and unit == "stream":
            split = replace(split, articles=np.zeros(split.sentences, np.int32))
            unit = "document"
        vector_alone = learning == {DOCUMENT_VECTOR} and request.learn_after == "word"
        if not learning or (vector_alone and unit != "stream"):
            if request.cache is not None:
                states = self.scorer(self.reading(unit), hidden_states=True)
                score = partial(states, self.weights, document_rate=0.0)
                return mixed_with_cache(score, split, request.cache)
            scorer = self.scorer(self.reading(unit))
            return scorer(self.weights, split, numbers, rate if learning else 0.0)
        online = OnlineSettings.of_parts(
            learning,
            rate,
            trained,
            bptt_steps=request.steps,
            learn_after=request.learn_after,
            unit_of_text=unit,
            carries_state=self.settings.reading.state,
        )
        return self._online_scorer(online).score(split, numbers)

    def reading(self, unit: UnitOfText) -> Reading:
        """Return how a text is read by units: as in training if the unit is that of training."""
        if unit == "sentence":
            return SENTENCES
        if self.settings.unit_of_text == "document":
            return self.settings.reading
        return Reading("document", state=False, vector=True)

    def scorer(self, reading: Reading, *, hidden_states: bool = False) -> Scorer:
        """Return a scorer of fixed weights; one that was made before is kept."""
        from online_rnnlm.engines import registry  # noqa: PLC0415

        key = reading, hidden_states
        if key not in self._scorers:
            self._scorers[key] = registry.scorer(
                self.settings, self.corpus, reading, hidden_states=hidden_states
            )
        return self._scorers[key]

    def _online_scorer(self, online: OnlineSettings) -> OnlineScorer:
        """Return the last call's scorer if its settings are the same: making a new one is slow."""
        from online_rnnlm.engines import registry  # noqa: PLC0415

        if self._online is None or self._online[0] != online:
            scorer = registry.online_scorer(self.settings, self.corpus, self.weights, online)
            self._online = online, scorer
        return self._online[1]


def first_diverged(split: Split, log_probabilities: NDArray[np.float64]) -> int | None:
    """Return the place of the first sentence whose log-probability makes no sense, if any."""
    if not split.sentences:
        return None
    means = -np.add.reduceat(log_probabilities, split.offsets[:-1]) / np.diff(split.offsets)
    found = np.flatnonzero(diverged(means))
    return int(found[0]) if found.size else None
