"""The compiled loops over batches: training, and scoring sentences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.model.kernels.backward import update_weights
from online_rnnlm.model.kernels.forward import predict_batch


class Rule(NamedTuple):
    """How weights are updated; the reals have the weights' dtype."""

    adagrad: bool
    """AdaGrad, or else plain SGD."""
    learning_rate: np.floating
    l2: np.floating
    error_clip: np.floating
    """Bound on the errors at the hidden units' inputs; infinite for none."""


@njit(cache=True)
def train_batches(
    weights, sums, classes, stream, offsets, sentences, batch_sentences, rate, rule, space
):
    """Update the weights in place from sentences (S,), one update a batch; returns their log P."""
    total = 0.0
    word_scores = space.word_scores
    for begin in range(0, sentences.size, batch_sentences):
        batch = sentences[begin : begin + batch_sentences].copy()
        steps, tokens, word_scores = predict_batch(
            weights, classes, stream, offsets, batch, rate, word_scores, space
        )
        update_weights(weights, sums, classes, rule, steps, tokens, word_scores, space)
        for row in range(tokens):
            total += space.log_probabilities[row]
    return total


@njit(cache=True)
def score_sentences(
    weights, classes, stream, offsets, sentences, batch_sentences, rate, unk, space, scores, vectors
):
    """Fill `scores` (S, 2), log P of a sentence and of its `<unk>`, and d at its end (S, D).

    Sentences are scored side by side, those of like length together.
    """
    by_length = np.argsort(offsets[sentences] - offsets[sentences + 1], kind="mergesort")
    scores[:] = 0
    word_scores = space.word_scores
    for begin in range(0, sentences.size, batch_sentences):
        numbers = by_length[begin : begin + batch_sentences]
        batch = sentences[numbers]
        steps, _, word_scores = predict_batch(
            weights, classes, stream, offsets, batch, rate, word_scores, space
        )
        for t in range(steps):
            for row in range(space.first[t], space.first[t + 1]):
                number = numbers[row - space.first[t]]
                scores[number, 0] += space.log_probabilities[row]
                if space.targets[row] == unk:
                    scores[number, 1] += space.log_probabilities[row]
        for b in range(batch.size):
            vectors[numbers[b]] = space.current[b]
