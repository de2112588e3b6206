"""Checks at the entry of every engine, so that none reads or writes outside of an array."""

from __future__ import annotations

from dataclasses import dataclass

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import OnlineScorer, Scorer, Scores, Sentences
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import Parameters, check_fit
from online_rnnlm.model.sizes import sizes_for


def check_weights(settings: RunSettings, corpus: Corpus, *weights: Parameters) -> None:
    """Raise UserError unless the weights are those of a model with these settings and words."""
    for one in weights:
        check_fit(one, sizes_for(settings, corpus), settings.precision)


def check_text(corpus: Corpus, split: Split, sentences: Sentences | None = None) -> None:
    """Raise UserError unless the split has the sentences, and the corpus all of its words."""
    split.check(corpus.vocabulary_size, "the text")
    if sentences is None or not sentences.size:
        return
    if sentences.min() < 0 or sentences.max() >= split.sentences:
        raise UserError(
            f"the text: it has the sentences 0 to {split.sentences - 1}, not all of those asked for"
        )


@dataclass(frozen=True)
class CheckedScorer:
    """A scorer that checks weights and text before it scores."""

    settings: RunSettings
    corpus: Corpus
    score: Scorer

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; raises UserError if the arrays do not fit the model."""
        check_weights(self.settings, self.corpus, weights)
        check_text(self.corpus, split, sentences)
        return self.score(weights, split, sentences, document_rate)


@dataclass(frozen=True)
class CheckedOnlineScorer:
    """A scorer with weights that learn, which checks the text before it scores."""

    corpus: Corpus
    scorer: OnlineScorer

    @property
    def weights(self) -> Parameters:
        """The weights after the last call, not copies."""
        return self.scorer.weights

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order; raises UserError if the split lacks any of them."""
        check_text(self.corpus, split, sentences)
        return self.scorer.score(split, sentences)
