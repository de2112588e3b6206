"""Tests of the package's cells and of an added one with two states and other shapes."""

import sys
from typing import get_args

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from online_rnnlm.config.evaluations import PARTS
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings, first_words
from online_rnnlm.engines.names import online_engine, usable_anywhere
from online_rnnlm.errors import UserError
from online_rnnlm.model import cells, cost, graph, parameters, updates, weight_files
from online_rnnlm.model.parameters import GROUPS
from online_rnnlm.model.sizes import Sizes, sizes_for
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.training import checkpoint
from online_rnnlm.training.checkpoint import Progress
from online_rnnlm.training.schedule import Schedule
from tests.unit.model import leaky

pytestmark = [
    pytest.mark.slow,  # PyTensor and JAX compile the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

SHIPPED = get_args(RunSettings.model_fields["cell"].annotation)
CLASS_SIZES = (1, 3, 2, 1)
LENGTHS = (4, 1, 6)
RATE = 0.4
STEP = 1e-6
MODELS = [(0, "output"), (2, "both")]
"""The document size D and the layers that the vector feeds."""


@pytest.fixture(autouse=True)
def _leaky_is_in_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, f"{cells.__name__}.leaky", leaky)


@pytest.fixture
def split(small):
    return small.random_split(np.random.default_rng(3), sum(CLASS_SIZES), LENGTHS)


@pytest.fixture
def corpus(small, split):
    return small.corpus_of(CLASS_SIZES, split)


def settings(document_size=2, layer="both", **changes):
    values = {
        "corpus": "small",
        "hidden_size": 3,
        "document_size": document_size,
        "document_layer": layer,
        "document_rate": RATE,
        "optimizer": "sgd",
        "error_clip": 0.0,
        "engine": "graph",
        "precision": "float64",
        "seed": 2,
    }
    # The package has no cell of this name; the copied package below has it.
    return RunSettings.model_validate({**values, **changes}).model_copy(update={"cell": "leaky"})


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def log_softmax(scores):
    shifted = scores - scores.real.max()
    return shifted - np.log(np.exp(shifted).sum())


def fed(document, matrix):
    return document @ matrix if len(matrix) else 0.0


def predict(weights, class_offsets, words, documents=None):
    """Compute one sentence in plain numpy: log P, d before and after every word, and h.

    The gradient of d is exact, by a complex step. `documents`, if given, are d before each word.
    """
    size = max(len(weights.class_document), len(weights.hidden_document))
    hidden, slow = np.zeros(weights.from_slow.shape[1]), np.zeros(leaky.SLOW)
    document, previous, found, before, after, states = np.zeros(size), 0, [], [], [], []
    for t, word in enumerate(words):
        document = document if documents is None else documents[t]
        slow = leaky.KEPT * slow + (1 - leaky.KEPT) * weights.slow_embeddings[previous]

        def scored(document, previous=previous, word=word, hidden=hidden, slow=slow):
            inputs = weights.embeddings[previous] + weights.recurrent @ hidden
            inputs = inputs + fed(document, weights.hidden_document)
            keep, new = np.split(inputs, 2)
            new = np.tanh(new + slow @ weights.from_slow + weights.bias[0])
            h = sigmoid(keep) * hidden + (1 - sigmoid(keep)) * new
            label = np.searchsorted(class_offsets, word, side="right") - 1
            run = slice(class_offsets[label], class_offsets[label + 1])
            classes = weights.class_output @ h + fed(document, weights.class_document)
            inside = weights.word_output[run] @ h + fed(document, weights.word_document[:, run])
            return log_softmax(classes)[label] + log_softmax(inside)[word - run.start], h

        value, hidden_after = scored(document)
        steps = 1e-20j * np.eye(size)
        slope = np.array([-scored(document + step)[0].imag / 1e-20 for step in steps])
        found.append(value)
        before.append(document)
        document = document - RATE * slope
        after.append(document)
        states.append(hidden_after)
        hidden, previous = hidden_after, word
    return np.array(found), before, after, states


@pytest.mark.parametrize("name", [*SHIPPED, "slow_context", "leaky"])
@pytest.mark.parametrize("layer", ["output", "both"])
def test_a_cell_is_consistent(name, layer):
    context = 2 if name == "slow_context" else 0
    cell, sizes = cells.load_cell(name), Sizes(11, 3, 4, 5, layer, name, context)
    found = cell.shapes(sizes)
    grouped = [parameter for names in cell.GROUPS.values() for parameter in names]
    assert sorted(grouped) == sorted(found)
    assert all(found[parameter][0] == 11 for parameter in cell.GROUPS["embeddings"])
    fed = found["embeddings"][1] - context  # a context unit reads words alone
    assert found["hidden_document"] == (sizes.hidden_document, fed)
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    assert cell.states(weights)[0] == sizes.output == weights.word_output.shape[1]
    assert parameters.sizes_of(weights, name) == sizes
    assert parameters.count(sizes) == sum(array.size for array in weights)
    assert (*parameters.groups_of(cell),) == GROUPS == PARTS[1:]


def test_a_cell_that_is_not_there_is_one_line():
    with pytest.raises(UserError, match=r"`cell: gro`: no such cell; allowed: .*sigmoid"):
        cells.load_cell("gro")


@pytest.fixture(params=["graph", "jax"])
def engine(request):
    """Each of the engines that support any cell."""
    if request.param == "jax":
        pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    return request.param


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_predictions_are_those_of_plain_numpy(small, corpus, split, engine, model):
    run = settings(*model, engine=engine)
    weights = small.weights_for(run, corpus)
    numbers = np.arange(split.sentences)
    scores = registry.scorer(run, corpus, hidden_states=True)(weights, split, numbers, RATE)
    starts = first_words(split.offsets, numbers)
    for number in numbers:
        words = small.words_of(split, number)
        expected, _, after, states = predict(weights, corpus.class_offsets, words)
        rows = slice(starts[number], starts[number + 1])
        np.testing.assert_allclose(scores.log_probabilities[rows], expected, rtol=1e-12)
        np.testing.assert_allclose(scores.hidden_states[rows], states, rtol=1e-12)
        np.testing.assert_allclose(scores.document_vectors[number], after[-1], atol=1e-12)


def assert_steps_follow_slopes(weights, learnt, corpus, sentences, held):
    """Assert that a step at rate 1 equals the gradient that finite differences give.

    `held` are each sentence's document vectors, which count as constants.
    """

    def loss():
        return -sum(
            predict(weights, corpus.class_offsets, words, documents)[0].sum()
            for words, documents in zip(sentences, held, strict=True)
        )

    for name, weight in weights._asdict().items():
        expected = np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            value = weight[index]
            weight[index] = value + STEP
            above = loss()
            weight[index] = value - STEP
            expected[index] = (above - loss()) / (2 * STEP)
            weight[index] = value
        step = weight - getattr(learnt, name)
        np.testing.assert_allclose(step, expected, atol=1e-7, err_msg=name)
        assert np.abs(expected).max(initial=0) > 1e-3 or not np.any(held), name


def test_gradients_are_those_of_finite_differences(small, corpus, split, engine):
    run = settings(engine=engine)
    weights = small.weights_for(run, corpus)
    sentences = [small.words_of(split, number) for number in range(split.sentences)]
    held = [predict(weights, corpus.class_offsets, words)[1] for words in sentences]
    sums = parameters.filled(sizes_for(run, corpus), 1.0, run.precision)
    trainer = registry.trainer(run, corpus, weights, sums)
    small.learn(trainer, np.arange(split.sentences), 1.0)
    assert_steps_follow_slopes(weights, trainer.weights, corpus, sentences, held)


def test_l2_shrinks_only_what_a_batch_reaches(small):
    # Words read: 0, 1, 4. Words predicted: 1, 4, 0.
    split = small.split_of([[1, 4, 0]])
    classes = graph.WordClasses.from_offsets(np.array([0, 2, 4, 5, 7]))
    model, batch = graph.Model(leaky, classes, 0.0), graph.padded_symbols("float64")
    symbols = parameters.shapes(Sizes(7, 3, 4, 2, "both", "leaky"))
    symbols = parameters.like(symbols, (pt.matrix(dtype="float64") for _ in symbols))
    weights = parameters.initialise(Sizes(7, 3, 4, 2, "both", "leaky"), 0.1, 1, "float64")
    reached = pytensor.function(
        [*symbols, *batch], list(updates.touched(model, symbols, batch)), on_unused_input="ignore"
    )(*weights, *graph.pad(split.stream, split.offsets, np.arange(1), "float64"))
    found = parameters.like(weights, reached)
    for name in leaky.GROUPS["embeddings"]:
        np.testing.assert_array_equal(getattr(found, name)[:, 0], [1, 1, 0, 0, 1, 0, 0])
    for name in leaky.GROUPS["recurrent"]:
        np.testing.assert_array_equal(getattr(found, name), [[1]])


def test_a_vector_alone_is_scored_word_by_word_as_by_the_plain_scorer(small, corpus, split):
    run = settings()
    weights, order = small.weights_for(run, corpus), np.array([2, 0, 1, 2])
    online = OnlineSettings(frozenset(), 0.0, RATE, 3)
    actual = registry.online_scorer(run, corpus, weights, online).score(split, order)
    expected = registry.scorer(run, corpus)(weights, split, order, RATE)
    for array, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12, atol=1e-13)


def test_a_step_after_a_sentence_is_that_of_finite_differences(small, corpus, split):
    run = settings()
    weights, words = small.weights_for(run, corpus), small.words_of(split, 2)
    online = OnlineSettings(frozenset(GROUPS), 1.0, RATE, 1, "sentence", "stream")
    scorer = registry.online_scorer(run, corpus, weights, online)
    scorer.score(split, np.array([2]))
    # The vector stays 0 until the sentence has been read, so its weights have no gradient.
    still = [np.zeros((len(words), 2))]
    assert_steps_follow_slopes(weights, scorer.weights, corpus, [words], still)


def test_where_the_kernels_lack_the_cell_the_graph_scores_online_and_serves():
    on_gpu = settings(engine="jax", device="gpu")
    assert online_engine(on_gpu) == "graph"
    assert online_engine(on_gpu.model_copy(update={"cell": "sigmoid"})) == "kernel"
    served = usable_anywhere(on_gpu)
    assert (served.engine, served.device, served.cell) == ("graph", "cpu", "leaky")


def test_its_cost_by_hand():
    # M = 10, D = 4, V = 50, 6 classes, 5 words in the target's class.
    sizes = Sizes(50, 10, 6, 4, "both", "leaky")
    products = 2 * 10 * (10 + 4) + 2 * 10
    scores = (6 + 5) * (10 + 4)
    assert cost.training_multiply_adds_per_word(sizes, 5.0) == 3 * (products + scores) + 4
    # The gradient of d: through W_c and W_o to h, through V_h to d, and through V_c and V_o.
    back = (6 + 5) * 10 + 2 * 10 * 4 + (6 + 5) * 4
    assert cost.multiply_adds_per_word(sizes, 5.0) == products + scores + back + 4
    # Two steps: back through one state, which is computed again, and the gradients of both steps.
    learning = (products - 2 * 10 * 4) + products + 2 * products
    assert cost.update_multiply_adds_per_word(sizes, 5.0, {"recurrent"}, 2) == learning
    own = 2 * 10 * 10 + 4 * 2 * 10 + 2 * 10 + 10
    assert parameters.count(sizes) == own + 50 * (20 + 2) + (6 + 50) * (10 + 4)


def test_what_a_word_touches_is_what_changes(small):
    """Compare the weights after reading a sentence without and with its last word."""
    words, run = [3, 4, 1, 5, 2], settings()
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


def test_weights_and_checkpoints_are_read_back(small, corpus, tmp_path):
    weights = small.weights_for(settings(), corpus)
    sums = parameters.like(weights, (array + 1 for array in weights))
    weight_files.save(weights, tmp_path / "model.npz")
    run = RunDirectory(tmp_path)
    checkpoint.save(Progress(Schedule(0.1, 2.0, 1.003), weights, sums), run, "identity")
    progress = checkpoint.load(run, "identity")
    assert progress is not None
    read = weight_files.read(tmp_path / "model.npz")
    for found, expected in (
        (read, weights), (progress.weights, weights), (progress.accumulators, sums)
    ):  # fmt: skip
        assert found._fields == expected._fields
        for array, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(array, other)
