"""Testing by dynamic evaluation (Krause et al. 2018, arXiv 1709.07432), segment after segment.

    w ← w₀ + (1 - λ r) (w - w₀) - η g / (m + ε)          after every segment, for every weight w

g is the gradient of the segment's loss, w₀ the trained weight, m the root mean square of the
weight's gradients in training text, and r its ratio to the mean of all m. Every weight decays
after every segment. A row of E or W_o that a segment does not touch decays when it is next needed:
n steps at once are a factor (1 - λ r)^n.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from online_rnnlm.engines.kernels.backward import update_weights
from online_rnnlm.engines.kernels.batches import predict
from online_rnnlm.engines.kernels.compiled import kernel
from online_rnnlm.engines.kernels.elementary import exponential
from online_rnnlm.engines.kernels.vectors import copy

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


class Current(NamedTuple):
    """The segments that rows are current for, -1 for rows that are as trained; and the one read."""

    words: Any
    """(V,): of each word's row of E."""
    classes: Any
    """(K,): of each class's rows of W_o and columns of V_oᵀ."""
    segment: Any
    """(1,): the number of the segment that is read now."""
    begins: Any
    """(1,): False; what begins anew is reset before a segment is predicted."""


class Resets(NamedTuple):
    """The segments (S,) that read nothing on from the segment before, boolean."""

    states: Any
    """(S,): True if the cell's states are 0 before the segment."""
    vectors: Any
    """(S,): True if d is 0 before the segment."""


@kernel()
def score_dynamically(
    model, kept, decaying, text, resets, lanes, current, log_probabilities, member, workspace
):
    """Score all segments of a text in order, with a step of all weights after each.

    `lanes` is a single lane, `member` is alone, and the weights of `model` change. `kept` are
    `Parameters` of `KEPT`. Fills `log_probabilities` (tokens,).
    """
    segment, begins = current.segment, current.begins
    for n in range(text.offsets.size - 1):
        begin, end = text.offsets[n], text.offsets[n + 1]
        if resets.states[n]:
            lanes.hidden[0] = 0
            lanes.memory[0] = 0
        if resets.vectors[n]:
            lanes.documents[0] = 0
        _bring_up_to_date(model, kept, text.stream[begin : end + 1], n, current)
        segment[0] = n
        sections, tokens = predict(model, text, segment, begins, lanes, False, member, workspace)
        copy(workspace.log_probabilities, log_probabilities[begin:end])
        update_weights(model, kept, decaying, sections, tokens, False, member, workspace)


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
