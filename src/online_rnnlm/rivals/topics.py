"""A topic model, which adapts to the words read without a gradient.

Latent Dirichlet allocation (Blei, Ng and Jordan 2003) gives every topic k its distribution φ_k over
the rarer words, from the articles of `train`. The topics of the text to come are inferred from the
rarer words before, older ones counting less, as in the features of Mikolov and Zweig (2012):

    P(w_{t+1}) = s Σ_k θ_t,k φ_k(w_{t+1}),    θ_t,k ∝ α + n_t,k,    n_t = γ n_{t-1} + r_t

with the responsibilities r_t,k ∝ θ_{t-1},k φ_k(w_t), and s the share of the rarer words in `train`.
A word that many articles have says nothing of the subject: P(w) is its frequency f(w). By itself
the model knows nothing of the order of words, so its perplexity is high; it belongs into a mixture.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.rivals.base import CorpusCost, CorpusRival, Floats, Impossible
from online_rnnlm.storage.records import Trial

logger = logging.getLogger(__name__)

TOPICS = (5, 10, 20, 50, 100)
"""Numbers of topics to try. Our choice."""
DECAYS = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""Decays γ to try: from two of the rarer words to two hundred. Our choice."""
MOST_ARTICLES = 0.2
"""The share of the articles above which a word is of every subject. Our choice.

A word of a single article never is.
"""
_PASSES = 5
"""Passes of variational inference through the articles."""
_SEED = 0


class Rival(CorpusRival):
    """A topic model with the number of topics and the decay that are best on `valid`."""

    label = "topics"
    note = (
        "Topics: a topic model alone, which gives each word its frequency in the topics of the "
        "words before."
    )

    @property
    def title(self) -> str:
        """The kind of model."""
        return "topic model (LDA)"

    def fit(self, corpus: Corpus) -> None:
        """Find the topics of `train`, and choose their number and γ on `valid`."""
        counts = word_counts(corpus.splits["train"], corpus.vocabulary_size)
        valid = corpus.splits["valid"].stream[1:]
        best = math.inf
        for number in TOPICS:
            topics = find_topics(counts, number)
            scores = log_probabilities(topics, valid, DECAYS)
            for decay, logs in zip(DECAYS, scores, strict=True):
                reached = math.exp(-logs.mean())
                tried: dict[str, float] = {"topics": number, "decay": decay}
                self.curve.append(Trial(settings=tried, valid_perplexity=reached))
                if reached < best:
                    best, self.chosen, self._topics = reached, dict(tried), topics
            logger.info("%d topics: perplexity %.1f on valid at best", number, best)

    def score(self, split: Split) -> Floats:
        """Natural log P of every token."""
        decay: float = self.chosen["decay"]
        logs: Floats = log_probabilities(self._topics, split.stream[1:], [decay])[0]
        return logs

    def cost(self) -> CorpusCost:
        """φ and f; for a word at most θ φ, r and n of each topic."""
        return CorpusCost(
            parameters=self._topics.words.size + self._topics.frequencies.size,
            multiply_adds_per_word=3 * len(self._topics.words),
        )


class Topics(NamedTuple):
    """K topics of the C rarer words of a vocabulary of V words."""

    words: Floats
    """φ, float64 (K, C): each topic's probabilities of the rarer words, all above 0."""
    prior: float
    """α: the weight of each topic in θ before any word is read."""
    frequencies: Floats
    """f, float64 (V,): the probability of each word whatever the topics are."""
    rank: npt.NDArray[np.int64]
    """(V,): the place in φ of each rarer word, -1 for a word of every subject."""


def word_counts(split: Split, vocabulary_size: int) -> sparse.csr_matrix:
    """Count each word in each article of a split: (articles, V).

    Where articles are not known, each sentence counts as one.
    """
    lengths = np.diff(split.offsets)
    articles = split.articles if split.articles.size else np.arange(split.sentences)
    _, rows = np.unique(np.repeat(articles, lengths), return_inverse=True)
    ones = np.ones(split.tokens)
    return sparse.csr_matrix(
        (ones, (rows, split.stream[1:])), shape=(rows.max() + 1, vocabulary_size)
    )


def find_topics(counts: sparse.csr_matrix, number: int) -> Topics:
    """Estimate that many topics from the word counts of articles, (articles, V).

    Raises Impossible if no word is rare enough to be of a subject.
    """
    from sklearn.decomposition import LatentDirichletAllocation  # noqa: PLC0415  # slow to load

    having = counts.getnnz(axis=0)
    rarer = (having > 0) & (having <= max(1, MOST_ARTICLES * counts.shape[0]))
    if not rarer.any():
        raise Impossible(
            f"every word is in more than {MOST_ARTICLES:.0%} of the articles, so there are no "
            "topics: take `topics` out of `testing.rivals`"
        )
    model = LatentDirichletAllocation(
        number, learning_method="online", batch_size=256, max_iter=_PASSES, random_state=_SEED
    )
    model.fit(counts[:, rarer])
    weights: Floats = model.components_
    # One more than it is, so that a word of the vocabulary that `train` lacks is possible.
    frequencies = np.asarray(counts.sum(axis=0)).ravel() + 1
    return Topics(
        words=weights / weights.sum(axis=1, keepdims=True),
        prior=model.doc_topic_prior_,
        frequencies=frequencies / frequencies.sum(),
        rank=np.where(rarer, np.cumsum(rarer) - 1, -1),
    )


def log_probabilities(
    topics: Topics, words: npt.NDArray[np.integer[Any]], decays: Sequence[float]
) -> Floats:
    """Natural log P of every word of a text, for each γ: float64 (decays, N).

    `words` (N,) are ids in the text's order; a word counts only for those that follow it.
    """
    by_word = np.ascontiguousarray(topics.words.T)
    share = topics.frequencies[topics.rank >= 0].sum()
    decay = np.array(decays)[:, None]
    seen = np.zeros((len(decays), len(topics.words)))
    result = np.tile(np.log(topics.frequencies[words]), (len(decays), 1))
    ranks = topics.rank[words]
    for place in np.flatnonzero(ranks >= 0):
        theta = seen + topics.prior
        parts = theta * by_word[ranks[place]]
        total = parts.sum(axis=1, keepdims=True)
        result[:, place] = np.log(share * (total / theta.sum(axis=1, keepdims=True))[:, 0])
        seen = decay * seen + parts / total
    return result
