"""Tests of the plain graph against finite differences and against plain numpy."""

import numpy as np
import pytensor
import pytest

from online_rnnlm.engines import registry
from online_rnnlm.model import graph, parameters
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import Sizes
from tests.unit.model.numpy_cells import (
    LENGTHS,
    RATE,
    VECTORS,
    after_one_update,
    assert_steps_follow_slopes,
    settings,
)

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

of_every_vector = pytest.mark.parametrize("vector", VECTORS, ids=str)


def gradients(run, corpus, weights):
    """Return the gradients: the change of the weights in one step of plain SGD at rate 1."""
    updated, _ = after_one_update(run, corpus, weights)
    return Parameters(*(old - new for old, new in zip(weights, updated, strict=True)))


@of_every_vector
def test_gradients_are_those_of_finite_differences(corpus, split, small, reference, vector):
    run = settings("sigmoid", vector)
    weights = small.weights_for(run, corpus)
    sentences = [small.words_of(split, number) for number in range(split.sentences)]
    # The learnt document vectors count as constants.
    held = [reference(weights, corpus.class_offsets, s, RATE)[1] for s in sentences]

    def loss():
        both = zip(sentences, held, strict=True)
        scored = (reference(weights, corpus.class_offsets, w, RATE, d)[0] for w, d in both)
        return -sum(log_probabilities.sum() for log_probabilities in scored)

    learnt, _ = after_one_update(run, corpus, weights)
    assert_steps_follow_slopes(loss, weights, learnt)


@of_every_vector
def test_predictions_are_those_of_plain_numpy(corpus, split, small, reference, vector):
    run = settings("sigmoid", vector)
    weights = small.weights_for(run, corpus)
    classes = graph.WordClasses.from_offsets(corpus.class_offsets)
    symbols = graph.padded_symbols("float64")
    symbolic = Parameters(*(pytensor.shared(array) for array in weights))
    model = graph.Model(load_cell("sigmoid"), classes, error_clip=0.0)
    result = graph.predictions(model, symbolic, symbols, RATE)
    numbers = np.arange(split.sentences)
    batch = graph.pad(split.stream, split.offsets, numbers, "float64")
    log_probabilities, documents = pytensor.function(
        list(symbols), [result.log_probabilities, result.document_vectors]
    )(*batch)
    for column, length in enumerate(LENGTHS):
        words = small.words_of(split, column)
        expected, _, after = reference(weights, corpus.class_offsets, words, RATE)
        np.testing.assert_allclose(log_probabilities[:length, column], expected, rtol=1e-12)
        np.testing.assert_allclose(documents[:length, column], after, atol=1e-12)
        assert not log_probabilities[length:, column].any()
        np.testing.assert_array_equal(documents[-1, column], documents[length - 1, column])


def test_clipping_bounds_only_what_reaches_the_hidden_units_inputs(small):
    # Every word but `</s>` occurs once, so its embedding's gradient is one clipped delta.
    corpus = small.corpus_of((3, 4), small.split_of([[1, 2, 3, 4, 5, 6, 0]]))
    run = settings("sigmoid", (2, "output"))
    weights = small.weights_for(run, corpus)
    free = gradients(run, corpus, weights)
    clipped = gradients(settings("sigmoid", (2, "output"), error_clip=0.01), corpus, weights)
    assert np.abs(free.embeddings).max() > 0.02
    assert np.abs(clipped.embeddings).max() == pytest.approx(0.01)
    last = np.clip(free.embeddings[6], -0.01, 0.01)  # no later delta was clipped
    np.testing.assert_allclose(clipped.embeddings[6], last, atol=1e-12)
    for name in ("class_output", "word_output", "class_document", "word_document"):
        np.testing.assert_allclose(getattr(clipped, name), getattr(free, name), atol=1e-12)


def test_adagrad_and_l2_by_their_formulas(small):
    # Classes: {0, 1}, {2, 3}, {4}, {5, 6}. Words read: 0, 1, 4. Words predicted: 1, 4, 0.
    corpus = small.corpus_of((2, 2, 1, 2), small.split_of([[1, 4, 0]]))
    run = settings("sigmoid")
    weights = small.weights_for(run, corpus)
    plain = gradients(run, corpus, weights)
    l2, rate = 0.1, 0.3
    learnt = settings("sigmoid", optimizer="adagrad", l2=l2)
    updated, sums = after_one_update(learnt, corpus, weights, rate)
    everything = slice(None)
    touched = Parameters(
        embeddings=([0, 1, 4], everything),
        recurrent=(everything, everything),
        class_output=(everything, everything),
        word_output=([0, 1], everything),
        class_document=(everything, everything),
        word_document=(everything, [0, 1]),
        hidden_document=(everything, everything),
    )
    for name in Parameters._fields:
        weight, gradient = getattr(weights, name), getattr(plain, name).copy()
        where = getattr(touched, name)
        gradient[where] += l2 * weight[where]
        total = 1 + gradient**2
        np.testing.assert_allclose(getattr(sums, name), total, rtol=1e-12, err_msg=name)
        expected = weight - rate * gradient / np.sqrt(total)
        np.testing.assert_allclose(getattr(updated, name), expected, rtol=1e-12, err_msg=name)
        untouched = np.ones(weight.shape, bool)
        untouched[where] = False
        np.testing.assert_array_equal(getattr(updated, name)[untouched], weight[untouched])


def test_a_sentence_computed_by_hand(small, reference):
    """Two classes {</s>, a} and {b}, one hidden unit, D = 1, weights with simple results."""
    ln2, ln3 = np.log(2), np.log(3)
    weights = Parameters(
        embeddings=np.array([[0.0], [ln3], [0.0]]),
        recurrent=np.array([[2 * ln3]]),
        class_output=np.array([[2 * ln2], [0.0]]),
        word_output=np.array([[2 * ln3], [0.0], [5.0]]),
        class_document=np.array([[1.0, 0.0]]),
        word_document=np.array([[0.0, 2.0, 7.0]]),
        hidden_document=np.zeros((0, 1)),
    )
    assert parameters.sizes_of(weights) == Sizes(3, 1, 2, 1)
    # `a`: h = 1/2; classes 2 : 1; words 3 : 1; log P = log 2/3 + log 1/4.
    # ∂L/∂d = (2/3 - 1) · 1 + (1/4 - 1) · 2 = -11/6; d = 0.6 · 11/6 = 1.1.
    # `b`: h = σ(ln 3 + ln 3) = 9/10; first class's score 1.8 ln 2 + 1.1; `b` is alone.
    first = 2**1.8 * np.exp(1.1)
    by_hand = [np.log(2 / 3 / 4), -np.log(first + 1)]
    vector = 1.1 - 0.6 * first / (first + 1)
    log_probabilities, _, after = reference(weights, [0, 2, 3], [1, 2], 0.6)
    np.testing.assert_allclose(log_probabilities, by_hand)
    np.testing.assert_allclose(after[:, 0], [1.1, vector])

    split = small.split_of([[1, 2]])
    corpus = small.corpus_of((2, 1), split)
    for kind in ("graph", "kernel"):
        score = registry.scorer(
            settings("sigmoid", (1, "output"), hidden_size=1, engine=kind), corpus
        )
        scores = score(weights, split, np.arange(1), 0.6)
        np.testing.assert_allclose(scores.log_probabilities, by_hand)
        assert scores.document_vectors[0, 0] == pytest.approx(vector)
