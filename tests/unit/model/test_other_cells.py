"""Tests of the hidden layers other than the simple one, and of an added one, by plain numpy."""

import numpy as np
import pytensor.tensor as pt
import pytest

from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings, first_words
from online_rnnlm.model import cost, graph, parameters
from online_rnnlm.model.cells import Words, load_cell
from online_rnnlm.model.parameters import GROUPS, Parameters
from online_rnnlm.model.sizes import Sizes, sizes_for
from tests.unit.model.numpy_cells import (
    CELLS,
    CLASS_SIZES,
    HIDDEN,
    RATE,
    VECTORS,
    after_one_update,
    assert_steps_follow_slopes,
    predict,
    settings,
)

pytestmark = [
    pytest.mark.slow,  # PyTensor and JAX compile the plain graph for each case
    pytest.mark.usefixtures("quick_graph", "leaky_in_package"),
]

of_every_cell = pytest.mark.parametrize("name", sorted({*CELLS} - {"sigmoid"}))
# With both layers, each of the weights that d is multiplied by learns.
without_and_with_vector = pytest.mark.parametrize("vector", [VECTORS[0], VECTORS[-1]], ids=str)


@of_every_cell
@without_and_with_vector
def test_predictions_are_those_of_plain_numpy(small, corpus, split, name, vector):
    run = settings(name, vector)
    weights = small.weights_for(run, corpus)
    numbers = np.arange(split.sentences)
    scores = registry.scorer(run, corpus, hidden_states=True)(weights, split, numbers, RATE)
    starts = first_words(split.offsets, numbers)
    for number in numbers:
        words = small.words_of(split, number)
        expected, _, after, states = predict(name, weights, corpus.class_offsets, words)
        rows = slice(starts[number], starts[number + 1])
        np.testing.assert_allclose(scores.log_probabilities[rows], expected, rtol=1e-12)
        np.testing.assert_allclose(scores.hidden_states[rows], states, rtol=1e-12)
        np.testing.assert_allclose(scores.document_vectors[number], after[-1], atol=1e-12)


@of_every_cell
@without_and_with_vector
def test_gradients_are_those_of_finite_differences(small, corpus, split, name, vector):
    run = settings(name, vector)
    weights = small.weights_for(run, corpus)
    sentences = [small.words_of(split, number) for number in range(split.sentences)]
    held = [predict(name, weights, corpus.class_offsets, words)[1] for words in sentences]
    learnt, _ = after_one_update(run, corpus, weights)

    def loss():
        both = zip(sentences, held, strict=True)
        return -sum(predict(name, weights, corpus.class_offsets, *one)[0].sum() for one in both)

    assert_steps_follow_slopes(loss, weights, learnt, without_vector=vector[0] == 0)


@of_every_cell
@without_and_with_vector
def test_jax_learns_and_scores_as_the_graph_does(small, corpus, split, name, vector):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    learns = {"optimizer": "adagrad", "l2": 0.01, "error_clip": 0.05}
    runs = [settings(name, vector, engine=engine, **learns) for engine in ("graph", "jax")]
    weights, order = small.weights_for(runs[0], corpus), np.array([2, 0, 1, 2])
    learnt = [after_one_update(run, corpus, weights, 0.2) for run in runs]
    for found, expected in zip(*learnt, strict=True):
        for array, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-10, atol=1e-12)
    for rate in (RATE, 0.0) if vector[0] else (RATE,):
        scorers = (registry.scorer(run, corpus, hidden_states=True) for run in runs)
        scores = (score(weights, split, order, rate) for score in scorers)
        for array, other in zip(*scores, strict=True):
            assert array.shape == other.shape
            np.testing.assert_allclose(array, other, rtol=1e-10, atol=1e-12)


@of_every_cell
def test_the_probabilities_of_all_words_sum_to_one(small, name):
    """A sentence for every word of the vocabulary, all with the same words before it."""
    words = range(sum(CLASS_SIZES))
    split = small.split_of([[3, 5, 1, word, 0] for word in words])
    corpus, run = small.corpus_of(CLASS_SIZES, split), settings(name)
    weights = small.weights_for(run, corpus)
    scores = registry.scorer(run, corpus)(weights, split, np.arange(len(words)), RATE)
    assert np.exp(scores.log_probabilities[3::5]).sum() == pytest.approx(1, rel=1e-12)


@of_every_cell
def test_deltas_are_bounded_at_the_inputs_of_units_and_gates(small, name):
    # Every word but `</s>` occurs once, so its embedding's gradient is one bounded delta.
    corpus = small.corpus_of((3, 4), small.split_of([[1, 2, 3, 4, 5, 6, 0]]))
    weights = small.weights_for(settings(name), corpus)
    free, bounded = (
        weights.embeddings
        - after_one_update(settings(name, error_clip=clip), corpus, weights)[0].embeddings
        for clip in (0.0, 0.001)
    )
    units = HIDDEN if name == "slow_context" else weights.embeddings.shape[1]
    assert (np.abs(free[:, :units]) > 0.002).any(axis=0).all()
    # The delta of a GRU's reset gate is computed from a bounded one, and so is smaller.
    first = HIDDEN if name == "gru" else 0
    largest = np.abs(bounded[:, :units]).max(axis=0)
    assert largest[first:] == pytest.approx(np.full(units - first, 0.001))
    assert (largest[:first] < 0.001).all()
    if name == "slow_context":  # the context is linear: only what reaches it through h is bounded
        assert np.abs(bounded[:, units:]).max() > 0.002


@of_every_cell
def test_a_vector_alone_is_scored_word_by_word_as_by_the_plain_scorer(small, corpus, split, name):
    run = settings(name)
    weights, order = small.weights_for(run, corpus), np.array([2, 0, 1, 2])
    online = OnlineSettings(frozenset(), 0.0, RATE, 3)
    actual = registry.online_scorer(run, corpus, weights, online).score(split, order)
    expected = registry.scorer(run, corpus)(weights, split, order, RATE)
    for array, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12, atol=1e-13)


@of_every_cell
def test_a_step_after_a_sentence_is_that_of_finite_differences(small, corpus, split, name):
    run = settings(name)
    weights, words = small.weights_for(run, corpus), small.words_of(split, 2)
    online = OnlineSettings(frozenset(GROUPS), 1.0, RATE, 1, "sentence", "stream")
    scorer = registry.online_scorer(run, corpus, weights, online)
    scorer.score(split, np.array([2]))
    # The vector stays 0 until the sentence has been read, so its weights have no gradient.
    still = np.zeros((len(words), 2))

    def loss():
        return -predict(name, weights, corpus.class_offsets, words, still)[0].sum()

    assert_steps_follow_slopes(loss, weights, scorer.weights, without_vector=True)


@of_every_cell
def test_what_a_word_touches_is_what_changes(small, name):
    """Compare the weights after reading a sentence without and with its last word."""
    words, run = [3, 4, 1, 5, 2], settings(name)
    splits = [small.split_of([words[:count]]) for count in (4, 5)]
    corpus = small.corpus_of((2, 4), splits[0])
    weights = small.weights_for(run, corpus)
    online = OnlineSettings(frozenset(GROUPS), 0.05, RATE, 3)
    scorer = registry.online_scorer(run, corpus, weights, online)
    learnt = []
    for split in splits:
        scorer.score(split, np.arange(1))
        learnt.append(parameters.like(weights, map(np.copy, scorer.weights)))
    changed = sum(int((a != b).sum()) for a, b in zip(*learnt, strict=True))
    assert changed == cost.touched_per_word(sizes_for(run, corpus), 4, GROUPS, False, 3)


LN3 = np.log(3)
BY_HAND = {
    # One unit, h = 1 and c = 0.4. σ(x_i) = 1/2, σ(x_f + 1) = 3/4, σ(x_o) = 3/4, tanh(x_g) = 1/2:
    # c = 3/4 · 0.4 + 1/2 · 1/2 = 0.55.
    "lstm": (
        [[-1.0, LN3 - 2, LN3 + 1, np.arctanh(0.5) - 2]],
        [[1.0], [1.0], [-1.0], [2.0]],
        ([[1.0]], [[0.4]]),
        ([[0.75 * np.tanh(0.55)]], [[0.55]]),
    ),
    # One unit, h = 1/2. r = σ(ln 3) = 3/4, z = σ(-ln 3) = 1/4, n = tanh(x_n + 3/4 · 1) = 0.6:
    # 3/4 · 0.6 + 1/4 · 1/2 = 0.575.
    "gru": (
        [[LN3 - 1, -LN3 + 1, np.arctanh(0.6) - 0.75]],
        [[2.0], [-2.0], [2.0]],
        ([[0.5]],),
        ([[0.575]],),
    ),
    # One unit and one of context, decay 3/4. s = 1/4 · 0.8 + 3/4 · 0.4 = 0.5;
    # h = σ(ln 3 + 2 · 0.5 - 2 · 0.5) = 3/4.
    "slow_context": ([[LN3, 0.8]], [[2.0, -2.0]], ([[0.5, 0.4]],), ([[0.75, 0.5]],)),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_step_by_hand(name):
    embeddings, recurrent, before, after = BY_HAND[name]
    classes = graph.WordClasses.from_offsets(np.array([0, 1]))
    model = graph.Model(load_cell(name), classes, 0.0, 0.75)
    none = np.zeros((0, 0))
    matrices = [np.array(embeddings), np.array(recurrent), *[none] * 5]
    weights = Parameters(*map(pt.as_tensor_variable, matrices))
    states = tuple(pt.as_tensor_variable(np.array(state)) for state in before)
    from_document = pt.zeros((1, 1), dtype="float64")
    words = Words(pt.as_tensor_variable(np.array([0])), weights.embeddings[[0]])
    found = model.cell.step(weights, words, states, from_document, model)
    assert len(found) == len(after) == len(model.cell.states(Parameters(*matrices)))
    for state, expected in zip(found, after, strict=True):
        np.testing.assert_allclose(state.eval(), expected, rtol=1e-14)


# M = 10, D = 4, V = 50, 6 classes, 5 words in the target's class.
LAYERS = {
    "lstm": (Sizes(50, 10, 6, 4, "both", "lstm"), 40, 40 * 10),
    "gru": (Sizes(50, 10, 6, 4, "both", "gru"), 30, 30 * 10),
    "slow_context": (Sizes(50, 10, 6, 4, "both", "slow_context", 3), 10, 10 * 13),
}
"""The sizes, the elements that V_h feeds, and the multiply-adds of the product with W_h."""


@pytest.mark.parametrize("name", LAYERS)
def test_its_cost_by_hand(name):
    sizes, inputs, recurrent = LAYERS[name]
    width = 13 if name == "slow_context" else 10
    assert sizes.output == width
    products = recurrent + inputs * 4
    scores = (6 + 5) * (width + 4)
    assert load_cell(name).multiply_adds(sizes) == products
    assert cost.training_multiply_adds_per_word(sizes, 5.0) == 3 * (products + scores) + 4
    # The gradient of d: through W_c and W_o to h, through V_h to d, and through V_c and V_o.
    back = (6 + 5) * width + inputs * 4 + (6 + 5) * 4
    assert cost.multiply_adds_per_word(sizes, 5.0) == products + scores + back + 4
    # Two steps: back through one state, which is computed again, and the gradients of both steps.
    learning = recurrent + products + 2 * products
    assert cost.update_multiply_adds_per_word(sizes, 5.0, {"recurrent"}, 2) == learning
    # The context of the first word learns, too: through P.
    reading = recurrent + products + (10 * 3 if name == "slow_context" else 0)
    assert cost.update_multiply_adds_per_word(sizes, 5.0, {"embeddings"}, 2) == reading
    output = cost.update_multiply_adds_per_word(sizes, 5.0, {"output"}, 2)
    assert output == cost.touched_per_word(sizes, 5.0, {"output"}, False, 2) == scores
    # A sentence's loss is propagated through each state once, and none is computed again.
    after = cost.update_multiply_adds_per_word(
        sizes, 5.0, {"embeddings", "recurrent"}, 2, after_sentence=True
    )
    assert after == recurrent + products
    # Without d, the loss is propagated to h for the weights alone.
    static = cost.update_multiply_adds_per_word(
        sizes.without_document(), 5.0, {"recurrent"}, 1, after_sentence=True
    )
    assert static == recurrent + (6 + 5) * width + recurrent
    row = width if name == "slow_context" else inputs
    assert cost.touched_per_word(sizes, 5.0, {"embeddings"}, True, 3) == 3 * row + 4
    own = recurrent + inputs * 4
    assert parameters.count(sizes) == 50 * row + own + (6 + 50) * (width + 4)
