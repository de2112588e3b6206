"""A trained network that scores text in the ways that the evaluations know."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import engine_for, usable_anywhere
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.perplexity import diverged
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import UnitOfText, Way
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, Corpus
from online_rnnlm.errors import UserError, needing_packages

if TYPE_CHECKING:  # These load numba and PyTensor, which `prepare_process` must precede.
    from online_rnnlm.core.engines.base import Scores
    from online_rnnlm.core.scoring import NetworkScorer


def split_of(sentences: Iterable[Sequence[int]], documents: Sequence[int] = ()) -> Split:
    """Return sentences of words' ids, ends included, in the format of a prepared corpus."""
    stream, offsets = [SENTENCE_END_ID], [0]
    for words in sentences:
        stream += words
        offsets.append(len(stream) - 1)
    arrays = np.array(stream, np.int32), np.array(offsets, np.int64)
    return Split(*arrays, np.array(documents, np.int32))


class Network:
    """A trained network; every call begins with the trained weights, in any thread.

    It computes on this machine's CPU, whatever it was trained on.
    """

    def __init__(self, settings: RunSettings, corpus: Corpus, weights: Parameters) -> None:
        self.settings = usable_anywhere(settings)
        self.corpus = corpus
        self.weights = weights
        self._ids = {word: number for number, word in enumerate(corpus.words)}
        self._making = threading.Lock()
        self._made = lru_cache(maxsize=4)(self._make_scorer)

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the words' numbers; those that are not in the vocabulary have that of `<unk>`."""
        known, unknown = self._ids, self.corpus.unk_id
        return [known.get(word, unknown) for word in words]

    def encode(self, sentences: Iterable[Sequence[str]], documents: Sequence[int] = ()) -> Split:
        """Return the words' ids in the format of a prepared corpus.

        `documents` are the numbers of the sentences' documents; without them, each sentence is one.
        """
        return split_of(([*self.ids(words), SENTENCE_END_ID] for words in sentences), documents)

    def score(self, split: Split, way: Way, numbers: Sequence[int] = ()) -> Scores:
        """Score all sentences of a text, computed as in the project's own evaluations.

        Raises UserError if it diverges, with the sentence's number: one of `numbers`, or its place
        in the text.
        """
        scores = self.scorer(way).score(split, np.arange(split.sentences))
        _refuse_diverged(split, scores.log_probabilities, numbers)
        return scores

    def unit_of(self, way: Way) -> UnitOfText:
        """Return the unit of text at whose end all that was learnt is forgotten."""
        return way.unit_of_text or self.settings.unit_of_text

    def vector_learns(self, way: Way) -> bool:
        """Return True if the document vector learns when a text is scored so."""
        return way.vector_learns and self.settings.document_size > 0

    def scorer(self, way: Way, *, hidden_states: bool = False) -> NetworkScorer:
        """Return the network's scorer for a way; making one can be slow."""
        with self._making:
            return self._made(way, hidden_states=hidden_states)

    def _make_scorer(self, way: Way, *, hidden_states: bool) -> NetworkScorer:
        from online_rnnlm.core.scoring import NetworkScorer  # noqa: PLC0415

        settings = engine_for(self.settings, way)
        with needing_packages():
            return NetworkScorer(
                settings, self.corpus, self.weights, way, hidden_states=hidden_states
            )


def _refuse_diverged(
    split: Split, log_probabilities: NDArray[np.float64], numbers: Sequence[int]
) -> None:
    """Raise UserError for the first sentence whose log-probability makes no sense."""
    if split.sentences:
        means = -np.add.reduceat(log_probabilities, split.offsets[:-1]) / np.diff(split.offsets)
        wrong = np.flatnonzero(diverged(means))
        if wrong.size:
            number = numbers[wrong[0]] if numbers else wrong[0]
            raise UserError(
                f"sentence {number}: diverged: the weights give it no probability; if something "
                "learns, a smaller learning rate is needed"
            )
