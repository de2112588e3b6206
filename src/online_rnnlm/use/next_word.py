"""The distribution over the next word, after the words that a model has read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.training import SENTENCES
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, Split
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.use.network import Network

Floats = NDArray[np.float64]


def next_word(network: Network, histories: Sequence[Sequence[int]], rate: float) -> Floats:
    """Return log P (nats) of every word after each history, float64 (histories, V).

    A history is the numbers of the words of a sentence so far. The document vector has learnt from
    it at that rate; with 0 it stays 0. The engine scores each history twice: with an end, before
    which is the hidden state that is needed, and without, after which is the vector.
    """
    scorer = network.scorer(SENTENCES, hidden_states=True)
    ended = _split_of([[*history, SENTENCE_END_ID] for history in histories])
    numbers = np.arange(ended.sentences)
    states = scorer(network.weights, ended, numbers, rate).hidden_states
    hidden = states[ended.offsets[1:] - 1].astype(np.float64)
    documents = np.zeros((len(histories), network.settings.document_size))
    begun = [number for number, history in enumerate(histories) if len(history)]
    if rate and begun:
        # Every second sentence is an end, so that each history begins after one.
        open_ones = [part for n in begun for part in (histories[n], [SENTENCE_END_ID])]
        asked = np.arange(0, len(open_ones), 2)
        found = scorer(network.weights, _split_of(open_ones), asked, rate)
        documents[begun] = found.document_vectors
    return log_distribution(network.weights, network.corpus.class_offsets, hidden, documents)


def _split_of(sentences: Sequence[Sequence[int]]) -> Split:
    stream = [SENTENCE_END_ID, *(word for sentence in sentences for word in sentence)]
    offsets = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
    return Split(np.array(stream, np.int32), offsets)


def log_distribution(
    weights: Parameters, class_offsets: NDArray[np.int64], hidden: Floats, documents: Floats
) -> Floats:
    """Return log P (nats) of every word by the model's output layer, float64 (B, V).

    `hidden` (B, H) are the states that feed it, `documents` (B, D) the document vectors.
    """
    d = documents if weights.class_document.shape[0] else documents[:, :0]
    class_scores = hidden @ weights.class_output.T + d @ weights.class_document
    word_scores = hidden @ weights.word_output.T + d @ weights.word_document
    sizes, begins = np.diff(class_offsets), class_offsets[:-1]
    class_logs: Floats = class_scores - _log_sums(class_scores, np.zeros(1, np.int64))
    within = word_scores - np.repeat(_log_sums(word_scores, begins), sizes, axis=1)
    found: Floats = np.repeat(class_logs, sizes, axis=1) + within
    return found


def _log_sums(scores: Floats, begins: NDArray[np.int64]) -> Floats:
    """Return log Σ exp of the scores (B, N) of each range that begins at one of these columns."""
    highest = np.maximum.reduceat(scores, begins, axis=1)
    sizes = np.diff(begins, append=scores.shape[1])
    powers = np.exp(scores - np.repeat(highest, sizes, axis=1))
    sums: Floats = highest + np.log(np.add.reduceat(powers, begins, axis=1))
    return sums
