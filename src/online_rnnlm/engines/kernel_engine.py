"""Training and scoring by the fast kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.mode import Mode

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    NO_SENTENCES,
    SCORING_SENTENCES,
    OnlineSettings,
    Scores,
    Sentences,
    SharedTrainer,
    unit_beginnings,
    weight_symbols,
)
from online_rnnlm.engines.kernels.data import Classes, Text, classes_from_offsets
from online_rnnlm.engines.kernels.workspace import Capacity, Workspace, allocate
from online_rnnlm.engines.operations import OnlineScores, SentenceScores, TrainingSteps
from online_rnnlm.model.parameters import Parameters, without_document
from online_rnnlm.model.sizes import sizes_for

# Each function is a single operation, so there is nothing to optimise, and PyTensor's virtual
# machine in Python runs it without a compiler.
_MODE = Mode(linker="vm", optimizer=None)


class KernelTrainer(SharedTrainer):
    """Training by `TrainingSteps`."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        weights: Parameters,
        accumulators: Parameters,
    ) -> None:
        super().__init__(settings, weights, accumulators)
        self._text = _text_of(corpus.splits["train"])
        dtype, classes = settings.precision, classes_from_offsets(corpus.class_offsets)
        inputs = [pt.ivector(), pt.lvector(), pt.lvector()]
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype)]
        step = TrainingSteps(
            classes,
            _training_workspace(settings, corpus, self._text, classes),
            optimizer=settings.optimizer,
            l2=settings.l2,
            error_clip=settings.error_clip,
        )
        state = [*self._state.weights, *self._state.accumulators]
        *updated, total = step(*state, *inputs, *rates)
        self._update = pytensor.function(
            [*inputs, *rates],
            total,
            updates=list(zip(state, updated, strict=True)),
            mode=_MODE,
            accept_inplace=True,
            trust_input=True,
        )
        # This compiles the kernels, or loads them if they are compiled.
        self.update(NO_SENTENCES, settings.learning_rate)

    def update(self, sentences: Sentences, learning_rate: float) -> float:
        """Learn from the training sentences of these numbers, in order; return their log P."""
        rates = self._real(learning_rate), self._real(self._settings.document_rate)
        arrays = [np.asarray(rate) for rate in rates]
        return float(self._update(*self._text, sentences, *arrays))


class KernelScorer:
    """Scoring by `SentenceScores`."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, *, hidden_states: bool = False
    ) -> None:
        dtype = settings.precision
        self._real = np.dtype(dtype).type
        weights = weight_symbols(dtype)
        inputs = [pt.ivector(), pt.lvector(), pt.lvector(), pt.scalar(dtype=dtype)]
        score = SentenceScores(
            classes_from_offsets(corpus.class_offsets),
            SCORING_SENTENCES,
            settings.error_clip,
            hidden_states=hidden_states,
        )
        self._score = pytensor.function(
            [*weights, *inputs], score(*weights, *inputs), mode=_MODE, trust_input=True
        )

    def __call__(
        self, weights: Parameters, split: Split, sentences: Sentences, document_rate: float
    ) -> Scores:
        """Score these sentences; with a rate of 0 the document vector stays 0."""
        if document_rate == 0:
            weights = without_document(weights)
        rate = np.asarray(self._real(document_rate))
        return Scores(*self._score(*weights, *_text_of(split), sentences, rate))


class KernelOnlineScorer:
    """Scoring by `OnlineScores`."""

    def __init__(
        self, settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
    ) -> None:
        self._trained = self._learnt = Parameters(*(array.copy() for array in weights))
        self._unit_of_text = online.unit_of_text
        symbols = weight_symbols(settings.precision)
        inputs = [pt.ivector(), pt.lvector(), pt.lvector(), pt.vector(dtype="bool")]
        classes = classes_from_offsets(corpus.class_offsets)
        score = OnlineScores(classes, online, settings.error_clip)
        self._score = pytensor.function(
            [*symbols, *inputs], score(*symbols, *inputs), mode=_MODE, trust_input=True
        )

    @property
    def weights(self) -> Parameters:
        """The weights after the last call."""
        return self._learnt

    def score(self, split: Split, sentences: Sentences) -> Scores:
        """Score these sentences in this order, starting from the weights given at the start."""
        begins = unit_beginnings(split, sentences, self._unit_of_text)
        results = self._score(*self._trained, *_text_of(split), sentences, begins)
        scores = Scores(*results[: len(Scores._fields)])
        self._learnt = Parameters(*results[len(Scores._fields) :])
        return scores


def _training_workspace(
    settings: RunSettings, corpus: Corpus, text: Text, classes: Classes
) -> Workspace:
    """Allocate a workspace for any batch of the training sentences."""
    sizes, sentences = sizes_for(settings, corpus), np.arange(len(text.offsets) - 1)
    batch = min(settings.batch_sentences, len(sentences))
    capacity = Capacity.for_sentences(sizes, text, classes, sentences, batch)
    return allocate(capacity, classes, settings.precision)


def _text_of(split: Split) -> Text:
    """The split in the kernels' form."""
    return Text(_read_only(split.stream), _read_only(split.offsets))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view; even of a memory map, it is a plain array to numba and PyTensor."""
    view = np.asarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


Trainer, Scorer, OnlineScorer = KernelTrainer, KernelScorer, KernelOnlineScorer
