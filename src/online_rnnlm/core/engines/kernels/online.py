"""Testing while weights are updated: plain steps of chosen weights, or dynamic evaluation.

Segments are read in order. Words are scored first; then their loss is differentiated, and weights
take one of three kinds of steps:

- after every word, a plain step. The loss is propagated through the last `bptt_steps` hidden
  states. These are first computed again with the current weights; the state before them is kept.
- after every segment, such as a sentence, a plain step through all of its hidden states;
- after every segment, a step of dynamic evaluation (Krause et al. 2018, arXiv 1709.07432):

      w ← w₀ + (1 - λ r) (w - w₀) - η g / (m + ε)          for every weight w

  g is the gradient of the segment's loss, w₀ the trained weight, m the root mean square of the
  weight's gradients in training text, and r its ratio to the mean of all m. Every weight decays
  after every segment. A row of E or W_o that a segment does not touch decays when it is next
  needed: n steps at once are a factor (1 - λ r)^n.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.arrays import Booleans, Integers
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.batches import begin_segments
from online_rnnlm.core.engines.kernels.cells import run_cell
from online_rnnlm.core.engines.kernels.data import KernelModel, KernelText
from online_rnnlm.core.engines.kernels.elementwise import copy, exponential
from online_rnnlm.core.engines.kernels.forward import predict, take_step
from online_rnnlm.core.engines.kernels.layout import lay_out
from online_rnnlm.core.engines.kernels.learning import GRADIENTS, Learning
from online_rnnlm.core.parameters import Parameters


class Decay(NamedTuple):
    """The values by which every weight decays and is updated in dynamic evaluation."""

    log_keep: Parameters
    """log(1 - λ r)."""
    rates: Parameters
    """η / (m + ε)."""
    steps_of_words: Integers
    """(V,): the number of steps that each word's row of E has had."""
    steps_of_classes: Integers
    """(K,): the same for each class's rows of W_o and columns of V_oᵀ."""


class Learner(NamedTuple):
    """A model whose weights are updated in testing."""

    model: KernelModel
    """With the weights as they are now."""
    learning: Learning
    """With the rule `GRADIENTS`, the steps are those of dynamic evaluation."""
    trained: Parameters
    """The weights before the text."""
    learnt_words: Booleans
    """(V,): True if the word's row of E has been updated since the unit began."""
    learnt_classes: Booleans
    """(K,): True if the rows of W_o and the columns of V_oᵀ of the class's words have been."""
    after_segment: bool
    """True if weights are updated after every segment, False after every word."""
    bptt_steps: int
    """Number of hidden states that a word's loss is propagated through."""
    decay: Decay
    """It is not used by plain steps."""


@njit(cache=True, nogil=True)
def score_online(learner, text, order, carried, scores):
    """Score the segments of a `core.order.Order` of a single lane while weights are updated.

    With plain steps, they return to the trained weights where a unit of text begins. The lane's
    state is read from `carried`, and left there. Fills `scores`, an `engines.base.Scores`.
    """
    decays = learner.learning.rule == GRADIENTS
    for n in range(order.segments.shape[0]):
        segment = order.segments[n, 0]
        if order.begins[n, 0] and not decays:
            _forget(learner)
        begin_segments(carried, order, n)
        words = KernelText(text.stream, text.offsets[segment : segment + 2])
        begin, end = words.offsets
        if decays:
            _catch_up(learner, text.stream[begin : end + 1], n)
        _read_segment(learner, words, carried, scores.log_probabilities[begin:end])
        if decays:
            _catch_up(learner, text.stream[begin : end + 1], n + 1)
            _step_of_shared_weights(learner)
        copy(carried.vector[0], scores.document_vectors[segment])


@njit(cache=True)
def _read_segment(learner, segment, carried, log_probabilities):
    """Fill `log_probabilities` (T,) for a text of a single segment, and learn from it.

    The state is read from `carried`, and left there.
    """
    model = learner.model
    learning = learner.learning
    first = segment.offsets[0]
    size = log_probabilities.size
    steps = learner.bptt_steps if learning.embeddings or learning.recurrent else 1
    hidden = np.empty((size + 1, carried.hidden.shape[1]), carried.hidden.dtype)
    memory = np.empty((size + 1, carried.memory.shape[1]), carried.memory.dtype)
    copy(carried.hidden[0], hidden[0])
    copy(carried.memory[0], memory[0])
    for t in range(size - 1 if learner.after_segment else 0, size):
        begin = 0 if learner.after_segment else max(0, t + 1 - steps)
        predicted = 0 if learner.after_segment else t
        window = KernelText(segment.stream, np.array([first + begin, first + t + 1]))
        batch = lay_out(window, np.zeros(1, np.int64), predicted - begin)
        before = Carried(
            hidden[begin : begin + 1],
            memory[begin : begin + 1],
            carried.vector,
            carried.gradient,
            carried.since_step,
        )
        states = run_cell(model, batch, before)
        found = predict(model, batch, states, before, False)
        if model.words_a_step == 0:
            take_step(model, before, 0)
        update_weights(model, learning, batch, states, found)
        _mark(learner, batch)
        copy(states.hidden[t - begin], hidden[t + 1])
        copy(states.memory[t - begin], memory[t + 1])
        copy(found.log_probabilities, log_probabilities[predicted : t + 1])
    copy(hidden[size], carried.hidden[0])
    copy(memory[size], carried.memory[0])


@njit(cache=True)
def _mark(learner, batch):
    """Mark the words and the classes whose weights have learnt from a batch."""
    if learner.learning.embeddings:
        for word in batch.inputs:
            learner.learnt_words[word] = True
    if learner.learning.output:
        for word in batch.targets:
            learner.learnt_classes[learner.model.classes.of_word[word]] = True


@njit(cache=True)
def _forget(learner):
    """Return to the trained weights."""
    weights = learner.model.weights
    trained = learner.trained
    offsets = learner.model.classes.offsets
    _copy_rows(trained.recurrent, weights.recurrent)
    _copy_rows(trained.class_output, weights.class_output)
    _copy_rows(trained.class_document, weights.class_document)
    for word in np.flatnonzero(learner.learnt_words):
        copy(trained.embeddings[word], weights.embeddings[word])
    for c in np.flatnonzero(learner.learnt_classes):
        low, high = offsets[c], offsets[c + 1]
        _copy_rows(trained.word_output[low:high], weights.word_output[low:high])
        for i in range(weights.word_document.shape[0]):
            copy(trained.word_document[i][low:high], weights.word_document[i][low:high])
    learner.learnt_words[:] = False
    learner.learnt_classes[:] = False


@njit(cache=True)
def _copy_rows(source, target):
    """Set target = source; both (R, n)."""
    for r in range(target.shape[0]):
        copy(source[r], target[r])


@njit(cache=True)
def _catch_up(learner, words, steps):
    """Take the steps that the rows of E, W_o and V_o lack, which these words (T + 1,) need."""
    weights = learner.model.weights
    classes = learner.model.classes
    gradients = learner.learning.sums
    trained = learner.trained
    log_keep = learner.decay.log_keep
    rates = learner.decay.rates
    steps_of_words = learner.decay.steps_of_words
    steps_of_classes = learner.decay.steps_of_classes
    for word in words[:-1]:
        lacking = steps - steps_of_words[word]
        if lacking > 0:
            row = trained.embeddings[word], log_keep.embeddings[word], rates.embeddings[word]
            _step(weights.embeddings[word], gradients.embeddings[word], row, lacking)
            steps_of_words[word] = steps
    for word in words[1:]:
        c = classes.of_word[word]
        lacking = steps - steps_of_classes[c]
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
            steps_of_classes[c] = steps


@njit(cache=True)
def _step_of_shared_weights(learner):
    """Take a step of W_h, W_c and V_c, which every segment touches."""
    weights = learner.model.weights
    gradients = learner.learning.sums
    trained = learner.trained
    log_keep = learner.decay.log_keep
    rates = learner.decay.rates
    for i in range(weights.recurrent.shape[0]):
        row = trained.recurrent[i], log_keep.recurrent[i], rates.recurrent[i]
        _step(weights.recurrent[i], gradients.recurrent[i], row, 1)
    for c in range(weights.class_output.shape[0]):
        row = trained.class_output[c], log_keep.class_output[c], rates.class_output[c]
        _step(weights.class_output[c], gradients.class_output[c], row, 1)
    for i in range(weights.class_document.shape[0]):
        row = trained.class_document[i], log_keep.class_document[i], rates.class_document[i]
        _step(weights.class_document[i], gradients.class_document[i], row, 1)


@njit(cache=True, fastmath=True, error_model="numpy")
def _step(weights, gradient, row, steps):
    """Take some steps at once with weights (n,), and set their gradient to 0.

    `row` are these weights' w₀, log(1 - λ r) and η / (m + ε). In one step the gradient is used,
    which is 0 if there are several steps; in the others the weights only decay.
    """
    trained, log_keep, rates = row
    count = weights.dtype.type(steps)
    zero = weights.dtype.type(0)
    for j in range(weights.size):
        kept = exponential(count * log_keep[j]) * (weights[j] - trained[j])
        weights[j] = trained[j] + kept - rates[j] * gradient[j]
        gradient[j] = zero
