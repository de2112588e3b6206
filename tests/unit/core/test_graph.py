"""Tests of the plain graph, with every cell and with an added one: against plain numpy, against
finite differences, and by hand.
"""

import numpy as np
import pytest

from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, WEIGHTS, Adaptation
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.use.network import split_of
from tests.unit import small_models as small
from tests.unit.core import leaky
from tests.unit.core.numpy_cells import (
    CELLS,
    CONTEXT,
    RATE,
    after_one_update,
    assert_steps_follow_slopes,
    predict,
    settings,
)

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph", "leaky_in_package"),
]

VECTOR = Adaptation((DOCUMENT_VECTOR,), vector_rate=RATE)
of_every_cell = pytest.mark.parametrize("name", CELLS)


def gradients(run, corpus, weights):
    """Return the gradients: the change of the weights in one step of plain SGD at rate 1."""
    updated, _ = after_one_update(run, corpus, weights)
    pairs = zip(weights, updated, strict=True)
    return parameters.Parameters(*(old - new for old, new in pairs))


# No cell sees the document vector.
@pytest.mark.parametrize(("name", "size"), [("sigmoid", 0), *((name, 2) for name in CELLS)])
def test_predictions_and_gradients_are_those_of_plain_numpy(corpus, split, name, size):
    run = settings(name, size)
    weights = small.weights_for(run, corpus)
    scores = small.scored(run, corpus, weights, split, VECTOR, hidden_states=True)
    sentences = [small.words_of(split, number) for number in range(split.sentences)]
    held = []
    for number, words in enumerate(sentences):
        expected, before, after, states = predict(name, weights, corpus.class_offsets, words)
        rows = slice(split.offsets[number], split.offsets[number + 1])
        np.testing.assert_allclose(scores.log_probabilities[rows], expected, rtol=1e-12)
        np.testing.assert_allclose(scores.hidden_states[rows], states, rtol=1e-12)
        np.testing.assert_allclose(scores.document_vectors[number], after[-1], atol=1e-12)
        held.append(before)
    learnt, _ = after_one_update(run, corpus, weights)

    def loss():
        found = (
            predict(name, weights, corpus.class_offsets, words, vectors)[0].sum()
            for words, vectors in zip(sentences, held, strict=True)
        )
        return -sum(found)

    assert_steps_follow_slopes(loss, weights, learnt, without_vector=size == 0)


def test_jax_learns_and_scores_with_an_added_cell_as_the_graph_does(corpus, split):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    learns = {"optimizer": "adagrad", "error_clip": 0.05}
    runs = [settings("leaky", engine=engine, **learns) for engine in ("graph", "jax")]
    weights = small.weights_for(runs[0], corpus)
    text = small.chosen(split, [2, 0, 1, 2])
    found = []
    for run in runs:
        learnt, sums = after_one_update(run, corpus, weights, 0.2)
        scores = small.scored(run, corpus, weights, text, VECTOR, hidden_states=True)
        found.append([*learnt, *sums, *scores[:3]])
    for array, other in zip(*found, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-10, atol=1e-12)


@of_every_cell
def test_deltas_are_bounded_at_the_inputs_of_units_and_gates(name):
    # Every word but `</s>` occurs once, so its embedding's gradient is one bounded delta.
    corpus = small.corpus_of((3, 4), split_of([[1, 2, 3, 4, 5, 6, 0]]))
    run = settings(name, error_clip=0.001)
    weights = small.weights_for(run, corpus)
    bounded = gradients(run, corpus, weights)
    largest = np.abs(bounded.embeddings).max(axis=0)
    # What slow units add up is the input of no unit or gate.
    slow = {"leaky": leaky.SLOW, "slow_context": CONTEXT}.get(name, 0)
    inputs = largest[: len(largest) - slow]
    assert inputs == pytest.approx(np.full(len(inputs), 0.001))
    # The output layer's are not bounded.
    for other in ("class_output", "word_output", "class_document", "word_document"):
        assert np.abs(getattr(bounded, other)).max() > 0.002


@of_every_cell
def test_a_step_after_a_sentence_is_that_of_finite_differences(corpus, split, name):
    run = settings(name)
    weights = small.weights_for(run, corpus)
    words = small.words_of(split, 2)
    online = small.adaptation_of(WEIGHTS, 1.0, RATE, 1, "sentence", "stream")
    learnt = small.scored(run, corpus, weights, small.chosen(split, [2]), online).weights
    # The vector stays 0 until the sentence has been read, so its weights have no gradient.
    still = np.zeros((len(words), 2))

    def loss():
        return -predict(name, weights, corpus.class_offsets, words, still)[0].sum()

    assert_steps_follow_slopes(loss, weights, learnt, without_vector=True)


def test_adagrad_by_its_formula():
    # Classes: {0, 1}, {2, 3}, {4}, {5, 6}. Words read: 0, 1, 4. Words predicted: 1, 4, 0.
    corpus = small.corpus_of((2, 2, 1, 2), split_of([[1, 4, 0]]))
    run = settings("sigmoid")
    weights = small.weights_for(run, corpus)
    plain = gradients(run, corpus, weights)
    rate = 0.3
    learnt = settings("sigmoid", optimizer="adagrad")
    updated, sums = after_one_update(learnt, corpus, weights, rate)
    every = slice(None)
    touched = {
        "embeddings": ([0, 1, 4], every),
        "word_output": ([0, 1], every),
        "word_document": (every, [0, 1]),
    }
    for parameter, weight in weights._asdict().items():
        gradient = getattr(plain, parameter)
        total = 1 + gradient**2
        np.testing.assert_allclose(getattr(sums, parameter), total, rtol=1e-12, err_msg=parameter)
        found = getattr(updated, parameter)
        expected = weight - rate * gradient / np.sqrt(total)
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=parameter)
        untouched = np.ones(weight.shape, bool)
        untouched[touched.get(parameter, (every, every))] = False
        np.testing.assert_array_equal(found[untouched], weight[untouched])


def test_a_sentence_computed_by_hand():
    """Two classes {</s>, a} and {b}, one hidden unit, D = 1, weights with simple results."""
    ln2 = np.log(2)
    ln3 = np.log(3)
    weights = Parameters(
        embeddings=np.array([[0.0], [ln3], [0.0]]),
        recurrent=np.array([[2 * ln3]]),
        class_output=np.array([[2 * ln2], [0.0]]),
        word_output=np.array([[2 * ln3], [0.0], [5.0]]),
        class_document=np.array([[1.0, 0.0]]),
        word_document=np.array([[0.0, 2.0, 7.0]]),
    )
    # `a`: h = 1/2; classes 2 : 1; words 3 : 1; log P = log 2/3 + log 1/4.
    # ∂L/∂d = (2/3 - 1) · 1 + (1/4 - 1) · 2 = -11/6; d = 0.6 · 11/6 = 1.1.
    # `b`: h = σ(ln 3 + ln 3) = 9/10; first class's score 1.8 ln 2 + 1.1; `b` is alone.
    first = 2**1.8 * np.exp(1.1)
    by_hand = [np.log(2 / 3 / 4), -np.log(first + 1)]
    vector = 1.1 - 0.6 * first / (first + 1)
    found = predict("sigmoid", weights, [0, 2, 3], [1, 2], rate=0.6)
    log_probabilities, _, after, _ = found
    np.testing.assert_allclose(log_probabilities, by_hand)
    np.testing.assert_allclose(after[:, 0], [1.1, vector])

    split = split_of([[1, 2]])
    corpus = small.corpus_of((2, 1), split)
    for kind in ("graph", "kernel"):
        run = settings("sigmoid", 1, hidden_size=1, engine=kind)
        adaptation = Adaptation((DOCUMENT_VECTOR,), vector_rate=0.6)
        scores = small.scored(run, corpus, weights, split, adaptation)
        np.testing.assert_allclose(scores.log_probabilities, by_hand)
        assert scores.document_vectors[0, 0] == pytest.approx(vector)
