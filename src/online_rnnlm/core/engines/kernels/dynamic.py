"""Testing by dynamic evaluation (Krause et al. 2018, arXiv 1709.07432), segment after segment.

    w ← w₀ + (1 - λ r) (w - w₀) - η g / (m + ε)          after every segment, for every weight w

g is the gradient of the segment's loss, w₀ the trained weight, m the root mean square of the
weight's gradients in training text, and r its ratio to the mean of all m. Every weight decays
after every segment. A row of E or W_o that a segment does not touch decays when it is next needed:
n steps at once are a factor (1 - λ r)^n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.arrays import Booleans, Floats, Integers
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.batches import read_batch, train_batches
from online_rnnlm.core.engines.kernels.elementwise import copy, exponential
from online_rnnlm.core.engines.kernels.layout import lay_out
from online_rnnlm.core.engines.kernels.learning import ADAGRAD, GRADIENTS, learning_of
from online_rnnlm.core.lanes import (
    Carried,
    segments_of,
    side_by_side,
    stretches,
    unit_beginnings,
)
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split, Text
from online_rnnlm.core.way import reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

_NEARLY_NOTHING = 1e-30
"""A first sum of squares above 0, so that 0 / √0 does not occur."""
_LEAST_LOG = -1e4
"""It takes the place of log 0."""


class Decay(NamedTuple):
    """The values by which every weight decays and learns, and the steps that rows have had."""

    trained: Parameters
    """w₀."""
    log_keep: Parameters
    """log(1 - λ r)."""
    rates: Parameters
    """η / (m + ε)."""
    steps_of_words: Integers
    """(V,): the number of steps that each word's row of E has had."""
    steps_of_classes: Integers
    """(K,): the same for each class's rows of W_o and columns of V_oᵀ."""


@njit(cache=True, nogil=True)
def score_dynamically(model, learning, decay, text, resets, lanes, log_probabilities):
    """Score all segments of a text in order, with a step of all weights after each.

    States and vector are reset before the segments that `resets` (S,), boolean, marks. The weights
    of `model` change; `learning` adds their gradients to its sums, which are 0. Fills
    `log_probabilities` (tokens,).
    """
    weights = model.weights
    gradients = learning.sums
    trained = decay.trained
    log_keep = decay.log_keep
    rates = decay.rates
    begins = np.zeros(1, np.bool_)
    for n in range(text.offsets.size - 1):
        begin, end = text.offsets[n], text.offsets[n + 1]
        if resets[n]:
            lanes.hidden[0] = 0
            lanes.memory[0] = 0
            lanes.documents[0] = 0
        words = text.stream[begin : end + 1]
        _catch_up(model, gradients, decay, words, n)
        batch = lay_out(text, np.array([n]), 0)
        states, _, found = read_batch(model, batch, begins, lanes, False)
        copy(found.log_probabilities, log_probabilities[begin:end])
        update_weights(model, learning, batch, states, found)
        _catch_up(model, gradients, decay, words, n + 1)
        for i in range(weights.recurrent.shape[0]):
            row = trained.recurrent[i], log_keep.recurrent[i], rates.recurrent[i]
            _step(weights.recurrent[i], gradients.recurrent[i], row, 1)
        for c in range(weights.class_output.shape[0]):
            row = trained.class_output[c], log_keep.class_output[c], rates.class_output[c]
            _step(weights.class_output[c], gradients.class_output[c], row, 1)
        for i in range(weights.class_document.shape[0]):
            row = trained.class_document[i], log_keep.class_document[i], rates.class_document[i]
            _step(weights.class_document[i], gradients.class_document[i], row, 1)


@njit(cache=True)
def _catch_up(model, gradients, decay, words, steps):
    """Take the steps that the rows of E, W_o and V_o lack, which these words (T + 1,) need."""
    weights = model.weights
    classes = model.classes
    trained = decay.trained
    log_keep = decay.log_keep
    rates = decay.rates
    for word in words[:-1]:
        lacking = steps - decay.steps_of_words[word]
        if lacking > 0:
            row = trained.embeddings[word], log_keep.embeddings[word], rates.embeddings[word]
            _step(weights.embeddings[word], gradients.embeddings[word], row, lacking)
            decay.steps_of_words[word] = steps
    for word in words[1:]:
        c = classes.of_word[word]
        lacking = steps - decay.steps_of_classes[c]
        if lacking > 0:
            low, high = classes.offsets[c], classes.offsets[c + 1]
            for w in range(low, high):
                row = trained.word_output[w], log_keep.word_output[w], rates.word_output[w]
                _step(weights.word_output[w], gradients.word_output[w], row, lacking)
            for i in range(weights.word_document.shape[0]):
                row = (
                    trained.word_document[i][low:high],
                    log_keep.word_document[i][low:high],
                    rates.word_document[i][low:high],
                )
                columns = weights.word_document[i][low:high]
                _step(columns, gradients.word_document[i][low:high], row, lacking)
            decay.steps_of_classes[c] = steps


@njit(cache=True, fastmath=True, error_model="numpy")
def _step(weights, gradient, row, steps):
    """Let weights (n,) decay for some steps, and learn in one of them; then the gradient is 0.

    `row` are these weights' w₀, log(1 - λ r) and η / (m + ε). One step has the gradient, which is 0
    if there are several steps; in the others the weights only decay.
    """
    trained, log_keep, rates = row
    number = weights.dtype.type(steps)
    zero = weights.dtype.type(0)
    for j in range(weights.size):
        kept = exponential(number * log_keep[j]) * (weights[j] - trained[j])
        weights[j] = trained[j] + kept - rates[j] * gradient[j]
        gradient[j] = zero


class DynamicScorer:
    """Log-probabilities of a text while all weights of a network learn and decay.

    The hidden state and the document vector are carried over from segment to segment, and reset as
    in training; the weights are carried over through the whole text.
    """

    def __init__(self, settings: RunSettings, text: Text, weights: Parameters) -> None:
        """Read the training text once, for m."""
        self._settings = settings
        self._weights = weights
        self._class_offsets = text.class_offsets
        self._rms = self._root_mean_squares(text.splits["train"])

    def _root_mean_squares(self, split: Split) -> Parameters:
        """m: for each weight the root mean square of the gradients of training's batches."""
        settings = self._settings
        weights = self._weights
        segments = segments_of(split, settings)
        lanes = segments.lanes(settings.batch_sentences)
        batches = side_by_side(segments.units, np.arange(len(segments.units) - 1), lanes)
        squares = Parameters(*(np.full_like(array, _NEARLY_NOTHING) for array in weights))
        learning = learning_of(ADAGRAD, 0.0, squares)
        text = data.text_of(split, segments.offsets)
        train_batches(self._model(weights), learning, text, batches, self._lanes(lanes))
        return Parameters(*(np.sqrt(array / len(batches.segments)) for array in squares))

    def score(
        self, split: Split, *, learning_rate: float, decay: float, epsilon: float, tokens: int
    ) -> Floats:
        """Natural log P of every token of a split, float64 (tokens,), in order.

        `learning_rate` is η, `decay` λ, 0 or more, and `epsilon` ε as a share of the mean of all m;
        `tokens` is the length of the longest segment.
        """
        weights = Parameters(*(array.copy() for array in self._weights))
        gradients = Parameters(*(np.zeros_like(array) for array in weights))
        offsets, resets = segments_for(split, self._settings, tokens)
        log_probabilities = np.empty(split.tokens)
        score_dynamically(
            self._model(weights),
            learning_of(GRADIENTS, 0.0, gradients),
            self._decay(learning_rate, decay, epsilon),
            data.text_of(split, offsets),
            resets,
            self._lanes(1)._replace(keeps_state=True),
            log_probabilities,
        )
        return log_probabilities

    def _decay(self, learning_rate: float, decay: float, epsilon: float) -> Decay:
        """Put together the values of all weights."""
        total = sum(float(array.sum(dtype=np.float64)) for array in self._rms)
        mean = total / sum(array.size for array in self._rms)
        with np.errstate(divide="ignore"):
            # No weight loses more than all that it has learnt.
            logs = (np.log1p(-np.minimum(decay * (m / mean), 1)) for m in self._rms)
            log_keep = [np.maximum(array, _LEAST_LOG) for array in logs]
        rates = (learning_rate / (m + epsilon * mean) for m in self._rms)
        dtype = self._weights.recurrent.dtype
        words = len(self._weights.embeddings)
        classes = len(self._class_offsets) - 1
        return Decay(
            self._weights,
            Parameters(*(array.astype(dtype) for array in log_keep)),
            Parameters(*(array.astype(dtype) for array in rates)),
            np.zeros(words, np.int64),
            np.zeros(classes, np.int64),
        )

    def _model(self, weights: Parameters) -> data.KernelModel:
        rate = self._settings.document_rate
        return data.kernel_model(self._settings, weights, self._class_offsets, rate)

    def _lanes(self, number: int) -> data.Lanes:
        """States and vectors of 0."""
        nothing = Carried.nothing(self._weights, self._settings.cell, number)
        return data.kernel_lanes(reading_of(self._settings), nothing)


def segments_for(split: Split, settings: RunSettings, tokens: int) -> tuple[Integers, Booleans]:
    """Cut each unit of a split into segments of at most `tokens` tokens.

    Returns the segments' offsets (S + 1,), and True for each that begins a unit (S,).
    """
    begins = unit_beginnings(split, np.arange(split.sentences), settings.unit_of_text)
    units = np.append(np.flatnonzero(begins), split.sentences)
    segments = stretches(split.offsets[units], tokens)
    resets = np.zeros(len(segments.offsets) - 1, np.bool_)
    resets[segments.units[:-1]] = True
    return segments.offsets, resets
