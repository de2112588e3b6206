"""Testing by dynamic evaluation (Krause et al. 2018, arXiv 1709.07432), segment after segment.

    w ← w₀ + (1 - λ r) (w - w₀) - η g / (m + ε)          after every segment, for every weight w

g is the gradient of the segment's loss, w₀ the trained weight, m the root mean square of the
weight's gradients in training text, and r its ratio to the mean of all m. Every weight decays
after every segment. A row of E or W_o that a segment does not touch decays when it is next needed:
n steps at once are a factor (1 - λ r)^n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.engines.base import ONE_WORD
from online_rnnlm.core.engines.kernels import data
from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.batches import predict, train_batches
from online_rnnlm.core.engines.kernels.blas import multiply_nn, multiply_tn
from online_rnnlm.core.engines.kernels.compiled import compile_once, kernel
from online_rnnlm.core.engines.kernels.data import step_row
from online_rnnlm.core.engines.kernels.elementwise import copy, exponential
from online_rnnlm.core.engines.kernels.team import members
from online_rnnlm.core.engines.kernels.workspace import Workspace, allocate
from online_rnnlm.core.lanes import (
    Batches,
    Carried,
    segments_of,
    side_by_side,
    stretches,
    unit_beginnings,
)
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.sizes import sizes_for
from online_rnnlm.core.text import Split, Text
from online_rnnlm.core.way import reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

_NEARLY_NOTHING = 1e-30
"""A first sum of squares above 0, so that 0 / √0 does not occur."""


KEPT = ("trained", "scale", "keep", "log_keep")
"""The values of every weight that its steps need: w₀, 1 / (m + ε), 1 - λ r, and log(1 - λ r)."""


class Decaying(NamedTuple):
    """The rule by which weights learn in dynamic evaluation, and forget what they have learnt."""

    learning_rate: np.floating

    @staticmethod
    def step(weights, gradient, kept, optimizer):
        """Set w = w₀ + (1 - λ r) (w - w₀) - η ∂L/∂w / (m + ε); `kept` are `KEPT`."""
        rate = optimizer.learning_rate
        for j in range(weights.size):
            trained = kept[j]["trained"]
            learnt = kept[j]["keep"] * (weights[j] - trained)
            weights[j] = trained + learnt - rate * kept[j]["scale"] * gradient[j]

    @staticmethod
    def step_rows(weights, kept, a, b, c, memory, optimizer):
        """Set c ← a w for weights w (R, n), unless c is None; then update w by `step`."""
        one, zero = weights.dtype.type(1), weights.dtype.type(0)
        if c is not None:
            multiply_nn(one, a, weights, zero, c)
        gradient = memory[: weights.size].reshape(weights.shape)
        multiply_tn(one, a, b, zero, gradient)
        for i in range(weights.shape[0]):
            step_row(weights[i], gradient[i], kept[i], optimizer)


class Current(NamedTuple):
    """The segment that each row is up to date for; -1 for a row as trained."""

    words: Any
    """(V,): of each word's row of E."""
    classes: Any
    """(K,): of each class's rows of W_o and columns of V_oᵀ."""


class Resets(NamedTuple):
    """Marks of the segments (S,) before which values are reset to 0, boolean."""

    states: Any
    """(S,): True if the cell's states are 0 before the segment."""
    vectors: Any
    """(S,): True if d is 0 before the segment."""


@kernel()
def score_dynamically(
    model, kept, rule, text, batches, resets, lanes, current, log_probabilities, member, workspace
):
    """Score all segments of a text in order, with a step of all weights after each.

    `batches` are all segments in a single lane, none marked as a unit's beginning: `resets` says
    where states and vectors become 0. `member` is alone, and the weights of `model` change. `kept`
    are `Parameters` of `KEPT`. Fills `log_probabilities` (tokens,).
    """
    for n in range(text.offsets.size - 1):
        begin, end = text.offsets[n], text.offsets[n + 1]
        if resets.states[n]:
            lanes.hidden[0] = 0
            lanes.memory[0] = 0
        if resets.vectors[n]:
            lanes.documents[0] = 0
        _bring_up_to_date(model, kept, text.stream[begin : end + 1], n, current)
        segment, begins = batches.segments[n], batches.begins[n]
        sections, tokens = predict(model, text, segment, begins, lanes, False, member, workspace)
        copy(workspace.log_probabilities, log_probabilities[begin:end])
        update_weights(model, kept, rule, sections, tokens, False, member, workspace)


@kernel()
def _bring_up_to_date(model, kept, words, n, current):
    """Let the rows that segment n needs decay for the segments that did not touch them."""
    weights, classes = model.weights, model.classes
    for i in range(words.size - 1):
        word = words[i]
        missed = n - current.words[word]
        if current.words[word] >= 0 and missed > 0:
            _decay(weights.embeddings[word], kept.embeddings[word], missed)
        current.words[word] = n + 1
        c = classes.of_word[words[i + 1]]
        low, high = classes.offsets[c], classes.offsets[c + 1]
        missed = n - current.classes[c]
        if current.classes[c] >= 0 and missed > 0:
            for row in range(low, high):
                _decay(weights.word_output[row], kept.word_output[row], missed)
            for row in range(weights.word_document.shape[0]):
                columns = weights.word_document[row][low:high]
                _decay(columns, kept.word_document[row][low:high], missed)
        current.classes[c] = n + 1


@kernel(fastmath=True, error_model="numpy")
def _decay(weights, kept, times):
    """Set w = w₀ + (1 - λ r)^times (w - w₀) for weights (n,)."""
    power = weights.dtype.type(times)
    for j in range(weights.size):
        trained = kept[j]["trained"]
        factor = exponential(power * kept[j]["log_keep"])
        weights[j] = trained + factor * (weights[j] - trained)


class DynamicScorer:
    """Log-probabilities of a text while all weights of a network learn and decay.

    The hidden state and the document vector live on from segment to segment, and end where they end
    in training; the weights live on through the whole text.
    """

    def __init__(self, settings: RunSettings, corpus: Text, weights: Parameters) -> None:
        """Read the training text once, for m."""
        self._settings, self._weights = settings, weights
        self._sizes = sizes_for(settings, corpus)
        self._classes = data.classes_from_offsets(corpus.class_offsets)
        compile_once(f"{settings.precision}-{settings.cell}-dynamic", self._read_one_word)
        self._rms = self._root_mean_squares(corpus.splits["train"])

    def _read_one_word(self) -> None:
        self._rms = self._root_mean_squares(ONE_WORD)
        self.score(ONE_WORD, learning_rate=0.0, decay=0.0, epsilon=1.0, tokens=1)

    def _root_mean_squares(self, split: Split) -> Parameters:
        """m: for each weight the root mean square of the gradients of training's batches."""
        settings, weights = self._settings, self._weights
        segments = segments_of(split, settings)
        lanes = segments.lanes(settings.batch_sentences)
        text = data.text_of(split, segments.offsets)
        batches = side_by_side(segments.units, np.arange(len(segments.units) - 1), lanes)
        squares = Parameters(*(np.full_like(array, _NEARLY_NOTHING) for array in weights))
        model, carried, space = self._arguments(weights, text, lanes)
        nothing = weights.recurrent.dtype.type(0)
        rule = data.Optimizer(adagrad=True, learning_rate=nothing)
        train_batches(model, squares, rule, text, batches, carried, *members(1), space)
        return Parameters(*(np.sqrt(array / len(batches.segments)) for array in squares))

    def score(
        self, split: Split, *, learning_rate: float, decay: float, epsilon: float, tokens: int
    ) -> NDArray[np.float64]:
        """Natural log P of every token of a split, float64 (tokens,), in order.

        `learning_rate` is η, `decay` λ, 0 or more, and `epsilon` ε as a share of the mean of all m;
        `tokens` is the length of the longest segment.
        """
        weights = Parameters(*(array.copy() for array in self._weights))
        offsets, resets = segments_for(split, self._settings, tokens)
        text, number = data.text_of(split, offsets), len(offsets) - 1
        batches = Batches(np.arange(number)[:, None], np.zeros((number, 1), np.bool_))
        model, carried, space = self._arguments(weights, text, 1)
        carried = carried._replace(keeps_state=True, keeps_vector=True)
        rule = Decaying(weights.recurrent.dtype.type(learning_rate))
        kept, (member,) = self._kept(decay, epsilon), members(1)
        current = Current(np.full(self._sizes.vocabulary, -1), np.full(self._sizes.classes, -1))
        logs = np.empty(split.tokens)
        score_dynamically(
            model, kept, rule, text, batches, resets, carried, current, logs, member, space
        )
        return logs

    def _kept(self, decay: float, epsilon: float) -> Parameters:
        """Put together `KEPT` of all weights."""
        total = sum(float(array.sum(dtype=np.float64)) for array in self._rms)
        mean = total / sum(array.size for array in self._rms)
        pairs = zip(self._weights, self._rms, strict=True)
        return Parameters(*(_kept_of(*pair, mean, decay, epsilon) for pair in pairs))

    def _arguments(
        self, weights: Parameters, text: data.Text, lanes: int
    ) -> tuple[data.Model, data.Lanes, Workspace]:
        """The model, states and vectors of 0, and memory for all segments of a text."""
        settings, segments = self._settings, np.arange(len(text.offsets) - 1)
        model = data.kernel_model(settings, weights, self._classes, settings.document_rate)
        nothing = Carried.nothing(weights, settings.cell, lanes)
        space = allocate(self._sizes, text, self._classes, segments, lanes, settings.precision)
        return model, data.kernel_lanes(reading_of(settings), nothing), space


def _kept_of(trained: Any, rms: Any, mean: float, decay: float, epsilon: float) -> Any:
    dtype = trained.dtype
    kept = np.empty(trained.shape, [(name, dtype) for name in KEPT])
    # No weight loses more than all that it has learnt.
    lost = np.minimum(decay * (rms / dtype.type(mean)), 1)
    kept["trained"], kept["keep"] = trained, 1 - lost
    kept["scale"] = 1 / (rms + dtype.type(epsilon * mean))
    with np.errstate(divide="ignore"):
        kept["log_keep"] = np.maximum(np.log1p(-lost), -1e4)
    return kept


def segments_for(
    split: Split, settings: RunSettings, tokens: int
) -> tuple[NDArray[np.int64], Resets]:
    """Cut a split into segments of at most `tokens` tokens; return offsets and `Resets`.

    A segment ends with its sentence, or with its unit if state and vector live on to its end.
    """
    reading, every = reading_of(settings), np.arange(split.sentences)
    lives_on = reading.state and reading.vector
    begins = unit_beginnings(split, every, reading.unit_of_text if lives_on else "sentence")
    units = np.append(np.flatnonzero(begins), split.sentences)
    segments = stretches(split.offsets[units], tokens)
    resets = []
    for keeps in (reading.state, reading.vector):
        anew = np.zeros(len(segments.offsets) - 1, np.bool_)
        unit = reading.unit_of_text if keeps else "sentence"
        anew[segments.units[:-1]] = unit_beginnings(split, every, unit)[units[:-1]]
        resets.append(anew)
    return segments.offsets, Resets(*resets)
