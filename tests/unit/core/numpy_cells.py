"""Cells in plain numpy, and what the tests of cells and of the graph have in common."""

import numpy as np

from online_rnnlm.core import parameters
from tests.unit import small_models as small
from tests.unit.core import leaky

CELLS = ("sigmoid", "slow_context", "lstm", "leaky")
"""The last one is not in the package."""
HIDDEN = 3
CLASS_SIZES = (1, 3, 2, 1)
LENGTHS = (4, 1, 6)
CONTEXT = 2
DECAY = 0.7
RATE = 0.4
_STEP = 1e-6


def settings(name, document_size=2, **changes):
    """Return settings of a small model with the cell of this name, learning by plain SGD."""
    values = {
        "engine": "graph",
        "hidden_size": HIDDEN,
        "document_size": document_size,
        "document_rate": RATE,
        "optimizer": "sgd",
        "error_clip": 0.0,
        "context_size": CONTEXT,
        "context_decay": DECAY,
        "seed": 2,
    }
    # No setting allows a cell that is not in the package; a fixture adds its module.
    return small.settings(**values | changes).model_copy(update={"cell": name})


def _sigmoid(values):
    return 1 / (1 + np.exp(-values))


def _log_softmax(scores):
    shifted = scores - scores.real.max()
    return shifted - np.log(np.exp(shifted).sum())


def _sigmoid_cell(weights, word, hidden):
    return _sigmoid(weights.embeddings[word] + weights.recurrent @ hidden)


def _slow_context(weights, word, state):
    hidden = state[:HIDDEN]
    slow = state[HIDDEN:]
    embedded, into_slow = np.split(weights.embeddings[word], [HIDDEN])
    recurrent, from_slow = np.split(weights.recurrent, [HIDDEN], axis=1)
    slow = DECAY * slow + (1 - DECAY) * into_slow
    return np.concatenate([_sigmoid(embedded + recurrent @ hidden + from_slow @ slow), slow])


def _lstm(weights, word, state):
    hidden, memory = np.split(state, 2)
    inputs = weights.embeddings[word] + weights.recurrent @ hidden
    into, forget, out, new = np.split(inputs, 4)
    memory = _sigmoid(forget + 1) * memory + _sigmoid(into) * np.tanh(new)
    return np.concatenate([_sigmoid(out) * np.tanh(memory), memory])


def _leaky(weights, word, state):
    hidden = state[:HIDDEN]
    slow = state[HIDDEN:]
    embedded, into_slow = np.split(weights.embeddings[word], [2 * HIDDEN])
    recurrent, from_slow = np.split(weights.recurrent, [2 * HIDDEN])
    slow = leaky.KEPT * slow + (1 - leaky.KEPT) * into_slow
    keep, new = np.split(embedded + recurrent @ hidden, 2)
    new = np.tanh(new + slow @ from_slow)
    return np.concatenate([_sigmoid(keep) * hidden + (1 - _sigmoid(keep)) * new, slow])


_STEPS = {"sigmoid": _sigmoid_cell, "slow_context": _slow_context, "lstm": _lstm, "leaky": _leaky}
_BESIDE_OUTPUT = {"lstm": HIDDEN, "leaky": leaky.SLOW}
"""The elements of a cell's state that the output layer does not read; 0 for other cells."""


def predict(name, weights, class_offsets, words, documents=None, rate=RATE):
    """Compute one sentence in plain numpy: log P, d before and after every word, and h.

    The gradient of d is exact, by a complex step. `documents`, if given, are d before each word.
    """
    size = len(weights.class_document)
    width = weights.class_output.shape[1]
    state = np.zeros(width + _BESIDE_OUTPUT.get(name, 0))
    document = np.zeros(size)
    previous = 0
    found = []
    before = []
    after = []
    states = []
    for t, word in enumerate(words):
        document = document if documents is None else documents[t]

        def scored(document, previous=previous, word=word, state=state):
            state = _STEPS[name](weights, previous, state)
            label = np.searchsorted(class_offsets, word, side="right") - 1
            run = slice(class_offsets[label], class_offsets[label + 1])
            hidden = state[:width]
            classes = weights.class_output @ hidden + document @ weights.class_document
            inside = weights.word_output[run] @ hidden + document @ weights.word_document[:, run]
            return _log_softmax(classes)[label] + _log_softmax(inside)[word - run.start], state

        value, state_after = scored(document)
        steps = 1e-20j * np.eye(size)
        slope = np.array([-scored(document + step)[0].imag / 1e-20 for step in steps])
        found.append(value)
        before.append(document)
        document = document - rate * slope
        after.append(document)
        states.append(state_after[:width])
        state = state_after
        previous = word
    return np.array(found), np.array(before), np.array(after), states


def after_one_update(run, corpus, weights, rate=1.0):
    """Return weights and accumulators, which begin at 1, after one update on all sentences."""
    sums = parameters.filled(small.sizes_of(run, corpus), 1.0, run.precision)
    trainer = small.Trainer(run, corpus, weights, sums)
    trainer.learn_from(range(corpus.splits["train"].sentences), rate)
    return trainer.weights, trainer.accumulators


def assert_steps_follow_slopes(loss, weights, learnt, *, without_vector=False):
    """Assert that a step at rate 1 equals the gradient that finite differences give.

    `loss()` computes the loss with the weights as they are at the moment.
    """
    for name, weight in weights._asdict().items():
        expected = np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            value = weight[index]
            weight[index] = value + _STEP
            above = loss()
            weight[index] = value - _STEP
            expected[index] = (above - loss()) / (2 * _STEP)
            weight[index] = value
        step = weight - getattr(learnt, name)
        np.testing.assert_allclose(step, expected, atol=1e-7, err_msg=name)
        assert weight.size == 0 or np.abs(expected).max() > 1e-3 or without_vector, name
