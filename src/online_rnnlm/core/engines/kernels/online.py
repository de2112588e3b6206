"""Testing while chosen weights learn, after every word or after every sentence.

Sentences are read in order. Words are scored first; then their loss is differentiated, and what
learns takes a plain step. Learnt weights are kept until the unit of text ends. After a word, the
loss is propagated through the last `bptt_steps` hidden states. These are first computed again with
the current weights; the state before them is kept unchanged. After a sentence, the loss is
propagated through all hidden states of the sentence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.core.arrays import Booleans
from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.cells import run_cell
from online_rnnlm.core.engines.kernels.data import KernelModel, KernelText, Lanes
from online_rnnlm.core.engines.kernels.elementwise import copy
from online_rnnlm.core.engines.kernels.forward import predict, take_step
from online_rnnlm.core.engines.kernels.layout import lay_out
from online_rnnlm.core.engines.kernels.learning import Learning
from online_rnnlm.core.parameters import Parameters


class Learner(NamedTuple):
    """A model whose weights learn in testing, and return to the trained ones."""

    model: KernelModel
    """With the weights as they are now."""
    learning: Learning
    trained: Parameters
    """The weights that every unit of text begins with."""
    learnt_words: Booleans
    """(V,): True if the word's row of E has learnt since the unit began."""
    learnt_classes: Booleans
    """(K,): True if the rows of W_o and the columns of V_oᵀ of the class's words have learnt."""
    after_sentence: bool
    """True if weights learn after every sentence, False after every word."""
    bptt_steps: int
    """Number of hidden states that a word's loss is propagated through."""


@njit(cache=True, nogil=True)
def score_online(learner, text, sentences, begins, lane, scores):
    """Score sentences (S,) in order while weights learn.

    `begins` (S,): True if a unit of text begins with the sentence. `lane` are the `Lanes` of a
    single lane, all 0. Fills `scores`, an `engines.base.Scores`, with log P of every word, sentence
    after sentence, and d at every sentence's end.
    """
    row = 0
    for index in range(sentences.size):
        if begins[index]:
            _forget(learner)
            lane.documents[0] = 0
        if begins[index] or not lane.keeps_state:
            lane.hidden[0] = 0
            lane.memory[0] = 0
        begin, end = text.offsets[sentences[index]], text.offsets[sentences[index] + 1]
        sentence = KernelText(text.stream, text.offsets[sentences[index] : sentences[index] + 2])
        log_probabilities = scores.log_probabilities[row : row + end - begin]
        _read_sentence(learner, sentence, lane, log_probabilities)
        row += end - begin
        copy(lane.documents[0], scores.document_vectors[index])


@njit(cache=True)
def _read_sentence(learner, sentence, lane, log_probabilities):
    """Fill `log_probabilities` (T,) for a text of a single segment, and learn from it.

    The states and the vector are read from `lane`, and left there.
    """
    model = learner.model
    learning = learner.learning
    first = sentence.offsets[0]
    size = log_probabilities.size
    steps = learner.bptt_steps if learning.embeddings or learning.recurrent else 1
    hidden = np.empty((size + 1, lane.hidden.shape[1]), lane.hidden.dtype)
    memory = np.empty((size + 1, lane.memory.shape[1]), lane.memory.dtype)
    copy(lane.hidden[0], hidden[0])
    copy(lane.memory[0], memory[0])
    for t in range(size - 1 if learner.after_sentence else 0, size):
        begin = 0 if learner.after_sentence else max(0, t + 1 - steps)
        predicted = 0 if learner.after_sentence else t
        window = KernelText(sentence.stream, np.array([first + begin, first + t + 1]))
        batch = lay_out(window, np.zeros(1, np.int64), predicted - begin)
        before = Lanes(
            hidden[begin : begin + 1],
            memory[begin : begin + 1],
            lane.documents,
            lane.gradients,
            lane.words,
            lane.keeps_state,
        )
        states = run_cell(model, batch, before)
        found = predict(model, batch, states, before, False)
        if learner.after_sentence:
            take_step(before, 0, model.document_rate)
        update_weights(model, learning, batch, states, found)
        _mark(learner, batch)
        copy(states.hidden[t - begin], hidden[t + 1])
        copy(states.memory[t - begin], memory[t + 1])
        copy(found.log_probabilities, log_probabilities[predicted : t + 1])
    copy(hidden[size], lane.hidden[0])
    copy(memory[size], lane.memory[0])


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
