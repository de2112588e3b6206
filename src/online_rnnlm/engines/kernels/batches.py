"""The compiled loops over batches: training, and scoring sentences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from online_rnnlm.engines.kernels.backward import is_coupled, update_weights
from online_rnnlm.engines.kernels.coupled import predict_coupled
from online_rnnlm.engines.kernels.forward import predict_batch


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
        steps, tokens, word_scores = _predict(
            weights, classes, stream, offsets, batch, rate, rule.error_clip, word_scores, space
        )
        update_weights(weights, sums, classes, rule, steps, tokens, word_scores, space)
        for row in range(tokens):
            total += space.log_probabilities[row]
    return total


@njit(cache=True)
def _predict(weights, classes, stream, offsets, batch, rate, error_clip, word_scores, space):
    """Predict a batch in the way that suits the layers that d feeds."""
    if is_coupled(weights):
        return predict_coupled(
            weights, classes, stream, offsets, batch, rate, error_clip, word_scores, space
        )
    return predict_batch(weights, classes, stream, offsets, batch, rate, word_scores, space)


@njit(cache=True)
def score_sentences(
    weights,
    classes,
    stream,
    offsets,
    sentences,
    batch_sentences,
    rate,
    error_clip,
    starts,
    space,
    scores,
    vectors,
    states,
):
    """Fill `scores` (N,), log P of every word, `vectors` (S, D), and `states` if it has rows.

    The words of sentence s go to the rows from starts[s] on, the states (N, M) that they were
    predicted from, too; d at the sentence's end goes to row s of `vectors`. Sentences are scored
    side by side, those of like length together.
    """
    by_length = np.argsort(offsets[sentences] - offsets[sentences + 1], kind="mergesort")
    word_scores = space.word_scores
    for begin in range(0, sentences.size, batch_sentences):
        numbers = by_length[begin : begin + batch_sentences]
        batch = sentences[numbers]
        steps, _, word_scores = _predict(
            weights, classes, stream, offsets, batch, rate, error_clip, word_scores, space
        )
        for t in range(steps):
            for row in range(space.first[t], space.first[t + 1]):
                place = starts[numbers[row - space.first[t]]] + t
                scores[place] = space.log_probabilities[row]
                if states.shape[0] > 0:
                    states[place] = space.hidden[row]
        for b in range(batch.size):
            vectors[numbers[b]] = space.current[b]
