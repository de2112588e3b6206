"""The loops over batches: training, and scoring sentences."""

from __future__ import annotations

import numpy as np
from numba import njit

from online_rnnlm.engines.kernels.backward import update_weights
from online_rnnlm.engines.kernels.coupled import predict_coupled
from online_rnnlm.engines.kernels.data import feeds_hidden_layer
from online_rnnlm.engines.kernels.forward import predict_batch


@njit(cache=True)
def train_batches(model, accumulators, optimizer, text, sentences, batch_sentences, workspace):
    """Update the weights in place from sentences (S,), with one update per batch.

    Returns the sentences' log-probability, Σ -L_t.
    """
    total = 0.0
    for begin in range(0, sentences.size, batch_sentences):
        batch = sentences[begin : begin + batch_sentences].copy()
        steps, tokens = _predict(model, text, batch, workspace)
        update_weights(model, accumulators, optimizer, steps, tokens, workspace)
        for row in range(tokens):
            total += workspace.log_probabilities[row]
    return total


@njit(cache=True)
def _predict(model, text, batch, workspace):
    """Predict a batch by `coupled` if d feeds the hidden layer, else by `forward`."""
    if feeds_hidden_layer(model.weights):
        return predict_coupled(model, text, batch, workspace)
    return predict_batch(model, text, batch, workspace)


@njit(cache=True)
def score_sentences(model, text, sentences, batch_sentences, first_words, scores, workspace):
    """Fill `scores`, an `engines.base.Scores`, for sentences (S,).

    The log P of sentence s's words are log_probabilities[first_words[s] : first_words[s + 1]]. The
    h that they were predicted from are the same rows of `hidden_states`, if that has rows, and d at
    the sentence's end is document_vectors[s]. Sentences of similar length are scored side by side.
    """
    lengths = text.offsets[sentences + 1] - text.offsets[sentences]
    by_length = np.argsort(-lengths, kind="mergesort")
    for begin in range(0, sentences.size, batch_sentences):
        numbers = by_length[begin : begin + batch_sentences]
        steps, _ = _predict(model, text, sentences[numbers], workspace)
        for t in range(steps):
            for row in range(workspace.first_rows[t], workspace.first_rows[t + 1]):
                place = first_words[numbers[row - workspace.first_rows[t]]] + t
                scores.log_probabilities[place] = workspace.log_probabilities[row]
                if scores.hidden_states.shape[0] > 0:
                    scores.hidden_states[place] = workspace.hidden[row]
        for b in range(numbers.size):
            scores.document_vectors[numbers[b]] = workspace.document[b]
