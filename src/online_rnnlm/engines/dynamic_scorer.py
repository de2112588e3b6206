"""Dynamic evaluation by the fast kernels: every weight learns in testing, and decays again.

`kernels.dynamic` has the equation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.checked import check_text, check_weights
from online_rnnlm.engines.kernel_arguments import kernel_lanes, kernel_model, states_of, text_of
from online_rnnlm.engines.kernels.batches import train_batches
from online_rnnlm.engines.kernels.data import Text, classes_from_offsets
from online_rnnlm.engines.kernels.dynamic import (
    KEPT,
    Current,
    Decaying,
    Resets,
    score_dynamically,
)
from online_rnnlm.engines.kernels.rules import Optimizer
from online_rnnlm.engines.kernels.team import members
from online_rnnlm.engines.kernels.workspace import Capacity, allocate
from online_rnnlm.engines.lanes import (
    Carried,
    segments_of,
    side_by_side,
    stretches,
    unit_beginnings,
)
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

_NEARLY_NOTHING = 1e-30
"""A first sum of squares above 0, so that 0 / √0 does not occur."""


class Dynamics(NamedTuple):
    """The settings of dynamic evaluation."""

    learning_rate: float
    """η."""
    decay: float
    """λ, 0 or more."""
    epsilon: float
    """ε, as a share of the mean of all m."""
    tokens: int
    """The longest segment."""


class DynamicScorer:
    """Log-probabilities of a text while all weights of a network learn and decay.

    The hidden state and the document vector live on from segment to segment, and end where they end
    in training; the weights live on through the whole text.
    """

    def __init__(self, settings: RunSettings, corpus: Corpus, weights: Parameters) -> None:
        """Read the training text once, for m.

        Raises UserError if weights and corpus do not fit each other.
        """
        check_weights(settings, corpus, weights)
        check_text(corpus, corpus.splits["train"])
        self._settings, self._weights = settings, weights
        self._corpus, self._sizes = corpus, sizes_for(settings, corpus)
        self._classes = classes_from_offsets(corpus.class_offsets)
        self._rms = self._root_mean_squares(corpus.splits["train"])

    def _root_mean_squares(self, split: Split) -> Parameters:
        """m: for each weight the root mean square of the gradients of training's batches."""
        settings, weights = self._settings, self._weights
        segments = segments_of(split, settings)
        lanes = segments.lanes(settings.batch_sentences)
        text = Text(text_of(split).stream, segments.offsets)
        order = np.arange(len(segments.units) - 1)
        batches = side_by_side(segments.units, order, lanes)
        squares = Parameters(*(np.full_like(array, _NEARLY_NOTHING) for array in weights))
        real = weights.recurrent.dtype.type
        train_batches(
            self._model(weights),
            squares,
            Optimizer(adagrad=True, learning_rate=real(0), l2=real(0)),
            text,
            batches,
            kernel_lanes(settings.reading, *self._nothing_carried(lanes)),
            *members(1),
            self._workspace(text, lanes),
        )
        return Parameters(*(np.sqrt(array / len(batches.segments)) for array in squares))

    def score(self, split: Split, dynamics: Dynamics) -> NDArray[np.float64]:
        """Natural log P of every token of a split, float64 (tokens,), in order.

        Raises UserError if the split has words that the corpus lacks.
        """
        check_text(self._corpus, split)
        weights = Parameters(*(array.copy() for array in self._weights))
        real = weights.recurrent.dtype.type
        offsets, resets = segments_for(split, self._settings, dynamics.tokens)
        text = Text(text_of(split).stream, offsets)
        hidden, memory, documents = self._nothing_carried(1)
        log_probabilities = np.empty(split.tokens)
        score_dynamically(
            self._model(weights),
            self._kept(dynamics),
            Decaying(real(dynamics.learning_rate)),
            text,
            resets,
            kernel_lanes(self._settings.reading, hidden, memory, documents)._replace(
                keeps_state=True, keeps_vector=True
            ),
            Current(
                np.full(self._sizes.vocabulary, -1),
                np.full(self._sizes.classes, -1),
                np.zeros(1, np.int64),
                np.zeros(1, np.bool_),
            ),
            log_probabilities,
            *members(1),
            self._workspace(text, 1),
        )
        return log_probabilities

    def _kept(self, dynamics: Dynamics) -> Parameters:
        """Put together `KEPT` of all weights."""
        total = sum(float(array.sum(dtype=np.float64)) for array in self._rms)
        mean = total / sum(array.size for array in self._rms)
        pairs = zip(self._weights, self._rms, strict=True)
        return Parameters(*(_kept_of(trained, rms, mean, dynamics) for trained, rms in pairs))

    def _model(self, weights: Parameters) -> Any:
        rate = weights.recurrent.dtype.type(self._settings.document_rate)
        return kernel_model(self._settings, weights, self._classes, rate)

    def _nothing_carried(self, lanes: int) -> tuple[Any, Any, Any]:
        settings = self._settings
        carried = Carried.nothing(self._weights, settings.cell_name, settings.document_size, lanes)
        return (*states_of(carried), carried.documents)

    def _workspace(self, text: Text, lanes: int) -> Any:
        segments = np.arange(len(text.offsets) - 1)
        capacity = Capacity.for_sentences(self._sizes, text, self._classes, segments, lanes)
        return allocate(capacity, self._classes, self._weights.recurrent.dtype)


def _kept_of(trained: Any, rms: Any, mean: float, dynamics: Dynamics) -> Any:
    dtype = trained.dtype
    kept = np.empty(trained.shape, [(name, dtype) for name in KEPT])
    # No weight loses more than all that it has learnt.
    lost = np.minimum(dynamics.decay * (rms / dtype.type(mean)), 1)
    kept["trained"], kept["keep"] = trained, 1 - lost
    kept["scale"] = 1 / (rms + dtype.type(dynamics.epsilon * mean))
    with np.errstate(divide="ignore"):
        kept["log_keep"] = np.maximum(np.log1p(-lost), -1e4)
    return kept


def segments_for(
    split: Split, settings: RunSettings, tokens: int
) -> tuple[NDArray[np.int64], Resets]:
    """Cut a split into segments of so many tokens; the offsets, and where things begin anew.

    A segment ends with its sentence, or with its document if state and vector live on to its end.
    """
    reading, every = settings.reading, np.arange(split.sentences)
    lives_on = reading.unit_of_text == "document" and reading.state and reading.vector
    begins = unit_beginnings(split, every, "document" if lives_on else "sentence")
    units = np.append(np.flatnonzero(begins), split.sentences)
    segments = stretches(split.offsets[units], tokens)
    resets = []
    for keeps in (reading.state, reading.vector):
        anew = np.zeros(len(segments.offsets) - 1, np.bool_)
        unit = reading.unit_of_text if keeps else "sentence"
        anew[segments.units[:-1]] = unit_beginnings(split, every, unit)[units[:-1]]
        resets.append(anew)
    return segments.offsets, Resets(*resets)
