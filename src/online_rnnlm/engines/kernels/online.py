"""Testing while chosen weights learn, after every word or after every sentence.

Sentences are read in order. What is learnt in a unit of text is there for the rest of it. Words
are scored first; then their loss is differentiated, and what learns takes a plain step. After a
word, the loss goes back through the last few hidden states: these are computed once more with the
weights as they are now and with the document vector that each word had, from the state before
them, which is kept as it was. After a sentence, it goes back through all of the sentence's.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from online_rnnlm.engines.kernels.blas import multiply_nt
from online_rnnlm.engines.kernels.forward import add_product, apply_sigmoid, to_errors
from online_rnnlm.engines.kernels.learning import Window, learn
from online_rnnlm.engines.kernels.units import begin_unit, complete, embedding_of, outputs_of


@njit(cache=True)
def score_online(
    unit, classes, stream, offsets, sentences, begins, learning, space, scores, vectors
):
    """Score sentences in order, the unit's weights learning.

    `begins` (S,): whether a unit of text begins with a sentence. Fills `scores` (N,), log P of
    every word, and `vectors` (S, D), d at every sentence's end; at the end `unit.learnt` has all
    weights as they are then. `space` is for one sentence at a time.
    """
    begin_unit(unit)
    document, word_scores = space.current[0], space.word_scores
    row = 0
    for number in range(sentences.size):
        if begins[number]:
            begin_unit(unit)
            document[:] = 0
        start, end = offsets[sentences[number]], offsets[sentences[number] + 1]
        words = stream[start : end + 1]
        needed = _candidates(classes, words[1:])
        if needed > word_scores.size:
            word_scores = np.empty(needed, space.hidden.dtype.type)
        _read_sentence(
            unit,
            classes,
            words,
            learning,
            document,
            word_scores,
            space,
            scores[row : row + end - start],
        )
        row += end - start
        vectors[number] = document
    complete(unit, classes)


@njit(cache=True)
def _candidates(classes, targets):
    """How many words are scored for these targets: all of their classes."""
    total = 0
    for target in targets:
        c = classes.of_word[target]
        total += classes.offsets[c + 1] - classes.offsets[c]
    return total


@njit(cache=True)
def _read_sentence(unit, classes, words, learning, document, word_scores, space, scores):
    """Fill `scores` (T,) for a sentence of `words` (T + 1,), and learn from it."""
    size = scores.size
    back = learning.steps if learning.embeddings or learning.recurrent else 1
    space.hidden[0] = 0
    for t in range(size):
        space.documents[t] = document
        if learning.after_sentence and t + 1 < size:
            continue
        begin = 0 if learning.after_sentence else max(0, t + 1 - back)
        scored = 0 if learning.after_sentence else t - begin
        window = Window(
            words[begin : t + 1],
            words[begin + 1 : t + 2],
            space.grouped[: t + 2 - begin],
            space.documents[begin : t + 1],
            scored,
        )
        window.states[0] = space.hidden[begin]
        _run_states(unit, window)
        _score(unit, classes, window, word_scores, space)
        learn(unit, classes, learning, window, document, word_scores, space)
        space.hidden[t + 1] = window.states[t + 1 - begin]
        scores[begin + scored : t + 1] = space.log_probabilities[scored : t + 1 - begin]


@njit(cache=True, forceinline=True)
def _run_states(unit, window):
    """h of every word: σ(E[w] + W_h h + V_h d)."""
    states = window.states
    one = states.dtype.type(1)
    for j in range(window.inputs.size):
        now = states[j + 1 : j + 2]
        now[0] = embedding_of(unit, window.inputs[j])
        multiply_nt(one, states[j : j + 1], unit.learnt.recurrent, one, now)
        add_product(window.documents[j], unit.learnt.hidden_document, 0, now.size, now[0])
        apply_sigmoid(now)


@njit(cache=True, forceinline=True)
def _score(unit, classes, window, word_scores, space):
    """log P of what is scored; leaves P - 1 at the target in place of all scores.

    Word j's errors are row j of `space.class_scores` and begin at `space.place[j]`.
    """
    one, zero = window.states.dtype.type(1), window.states.dtype.type(0)
    place = 0
    for j in range(window.scored, window.targets.size):
        state, document = window.states[j + 1 : j + 2], window.documents[j]
        target = window.targets[j]
        c = classes.of_word[target]
        errors = space.class_scores[j]
        multiply_nt(one, state, unit.learnt.class_output, zero, errors.reshape(1, errors.size))
        add_product(document, unit.learnt.class_document, 0, errors.size, errors)
        log_probability = to_errors(errors, c)
        space.place[j] = place
        low, high = classes.offsets[c], classes.offsets[c + 1]
        if high - low > 1:
            errors = word_scores[place : place + high - low]
            output, vectors = outputs_of(unit, classes, c)
            multiply_nt(one, state, output, zero, errors.reshape(1, errors.size))
            add_product(document, vectors, low, high, errors)
            log_probability += to_errors(errors, target - low)
            place += high - low
        space.log_probabilities[j] = log_probability
