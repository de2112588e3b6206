"""Training and scoring by the fast kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.mode import Mode

from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import (
    SCORING_SENTENCES,
    OnlineSettings,
    Scores,
    Sentences,
    SharedTrainer,
    weight_symbols,
)
from online_rnnlm.engines.kernels.data import Text, classes_from_offsets
from online_rnnlm.engines.kernels.workspace import Capacity, allocate
from online_rnnlm.engines.lanes import (
    NO_BATCHES,
    Batches,
    Carried,
    scoring_order,
    segments_of,
    unit_beginnings,
)
from online_rnnlm.engines.operations import (
    OnlineScores,
    SentenceScores,
    TrainingSteps,
    states_of,
)
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
        carried: Carried,
    ) -> None:
        super().__init__(settings, weights, accumulators)
        split, dtype = corpus.splits["train"], settings.precision
        self._text = Text(
            _read_only(split.stream), _read_only(segments_of(split, settings).offsets)
        )
        classes = classes_from_offsets(corpus.class_offsets)
        self._states = len(carried.states)
        kept = (*states_of(carried), carried.documents)
        self._kept = [pytensor.shared(array) for array in kept]
        inputs = [pt.ivector(), pt.lvector(), pt.lmatrix(), pt.matrix(dtype="bool")]
        rates = [pt.scalar(dtype=dtype), pt.scalar(dtype=dtype), pt.lscalar()]
        sizes, segments = sizes_for(settings, corpus), np.arange(len(self._text.offsets) - 1)
        capacity = Capacity.for_sentences(
            sizes, self._text, classes, segments, len(carried.documents)
        )
        workspace = allocate(capacity, classes, dtype, dropout=settings.dropout > 0)
        state = [*self._state.weights, *self._state.accumulators, *self._kept]
        *updated, total = TrainingSteps(settings, classes, workspace)(*state, *inputs, *rates)
        self._update = pytensor.function(
            [*inputs, *rates],
            total,
            updates=list(zip(state, updated, strict=True)),
            mode=_MODE,
            accept_inplace=True,
            trust_input=True,
        )
        # This compiles the kernels, or loads them if they are compiled.
        self.update(NO_BATCHES, settings.learning_rate)

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P."""
        rates = self._real(learning_rate), self._real(self._settings.document_rate)
        arrays = [np.asarray(value) for value in (*rates, key)]
        return float(self._update(*self._text, *batches, *arrays))

    @property
    def carried(self) -> Carried:
        """The states and vectors after the segments read last, by lane; not copies."""
        hidden, memory, documents = (v.get_value(borrow=True) for v in self._kept)
        return Carried((hidden, memory)[: self._states], documents)


class KernelScorer:
    """Scoring by `SentenceScores`."""

    def __init__(
        self,
        settings: RunSettings,
        corpus: Corpus,
        reading: Reading,
        *,
        hidden_states: bool = False,
    ) -> None:
        dtype = settings.precision
        self._real, self._reading = np.dtype(dtype).type, reading
        weights = weight_symbols(dtype)
        inputs = [pt.ivector(), pt.lvector(), pt.lvector()]
        inputs += [pt.lmatrix(), pt.matrix(dtype="bool"), pt.lmatrix(), pt.scalar(dtype=dtype)]
        classes = classes_from_offsets(corpus.class_offsets)
        score = SentenceScores(settings, classes, reading, hidden_states=hidden_states)
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
        order = scoring_order(split, sentences, self._reading, SCORING_SENTENCES)
        return Scores(*self._score(*weights, *_text_of(split), sentences, *order, rate))


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
        score = OnlineScores(settings, classes, online)
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


def _text_of(split: Split) -> Text:
    """The split in the kernels' form."""
    return Text(_read_only(split.stream), _read_only(split.offsets))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view; even of a memory map, it is a plain array to numba and PyTensor."""
    view = np.asarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


Trainer, Scorer, OnlineScorer = KernelTrainer, KernelScorer, KernelOnlineScorer
