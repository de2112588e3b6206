"""Functions that train on and score a corpus's sentences: by kernel, plain graph, or JAX."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Protocol

from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.devices import claim
from online_rnnlm.model.graph_engine import GraphOnlineScorer, GraphScorer, GraphTrainer
from online_rnnlm.model.kernel_engine import KernelOnlineScorer, KernelScorer, KernelTrainer
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.model.state import OnlineSettings, Scores, Sentences
from online_rnnlm.settings import RunSettings


def sizes_for(settings: RunSettings, corpus: Corpus) -> Sizes:
    """The sizes of a run's model on a corpus."""
    return settings.sizes(corpus.vocabulary_size, corpus.classes)


class Trainer(Protocol):
    """Weights that learn from sentences."""

    def update(self, sentences: Sentences, learning_rate: float) -> float:
        """Learn from the training sentences of these numbers, in order; returns their log P."""

    @property
    def weights(self) -> Parameters:
        """The weights now; not copies."""

    @property
    def accumulators(self) -> Parameters:
        """AdaGrad's sums of squared gradients now; not copies."""

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Go on from copies of these."""


class Scorer(Protocol):
    """A function that scores sentences with given weights."""

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Scores of these sentences; a rate of 0 holds the document vector still at 0."""


class OnlineScorer(Protocol):
    """A scorer whose weights learn from what they have scored."""

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Scores of these sentences, read in this order, from the weights given at the start."""

    @property
    def weights(self) -> Parameters:
        """The weights as the last call has left them; not copies."""


def trainer(
    settings: RunSettings, corpus: Corpus, weights: Parameters, accumulators: Parameters
) -> Trainer:
    """A trainer by the settings' engine, starting from copies of weights and accumulators.

    Raises UserError if the engine or the device that it is to run on is not there.
    """
    make: Callable[..., Trainer]
    if settings.engine == "jax":
        make = _jax(settings).JaxTrainer
    else:
        make = KernelTrainer if settings.engine == "kernel" else GraphTrainer
    return make(settings, corpus, weights, accumulators)


def scorer(settings: RunSettings, corpus: Corpus, hidden_states: bool = False) -> Scorer:
    """A scorer by the settings' engine; its scores have hidden states if they are asked for.

    Raises UserError if the engine or the device that it is to run on is not there.
    """
    make: Callable[..., Scorer]
    if settings.engine == "jax":
        make = _jax(settings).JaxScorer
    else:
        make = KernelScorer if settings.engine == "kernel" else GraphScorer
    return make(settings, corpus, hidden_states=hidden_states)


def online_scorer(
    settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
) -> OnlineScorer:
    """A scorer by the settings' engine that starts from copies of the weights.

    That of `jax` is the kernel's: weights that learn are read word by word, or sentence by
    sentence, and neither gives a GPU enough to do.
    """
    make = GraphOnlineScorer if settings.engine == "graph" else KernelOnlineScorer
    return make(settings, corpus, weights, online)


def _jax(settings: RunSettings) -> ModuleType:
    """The module that needs JAX, which may not be installed and takes a while to load."""
    claim(settings)
    from online_rnnlm.model import jax_engine  # noqa: PLC0415

    return jax_engine
