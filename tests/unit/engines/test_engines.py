"""Tests of the kernels against the plain graph, and of properties that both have."""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import first_words
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

EQUAL = (5, 5, 5, 5)
UNEVEN = (1, 4, 1, 9, 2, 7)
ONE_CLASS = (12,)
SINGLES = (1,) * 12
WIDE = (1, 80, 2)
LENGTHS = (3, 1, 12, 4, 4, 1, 7, 2, 5, 1, 6, 2, 3, 1, 8, 4, 2)
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
RATE = 0.3


class Case(NamedTuple):
    precision: str
    document_size: int
    batch_sentences: int
    class_sizes: tuple[int, ...]
    optimizer: str
    l2: float
    error_clip: float
    document_layer: str = "output"

    def settings(self, **changes):
        values = self._asdict()
        del values["class_sizes"]
        more = {"hidden_size": 6, "document_rate": RATE, "seed": 5}
        return RunSettings.model_validate({"corpus": "small", **values, **more, **changes})


CASES = [
    Case("float64", 0, 1, EQUAL, "sgd", 0.0, 0.0),
    Case("float64", 3, 1, UNEVEN, "sgd", 0.01, 0.02),
    Case("float64", 0, 3, UNEVEN, "adagrad", 0.01, 0.0),
    Case("float64", 4, 3, EQUAL, "adagrad", 0.0, 0.02),
    Case("float64", 5, 2, WIDE, "sgd", 0.01, 0.02),
    Case("float64", 4, 16, UNEVEN, "adagrad", 0.01, 0.02),
    Case("float64", 3, 3, SINGLES, "adagrad", 0.01, 0.0),
    Case("float64", 2, 3, ONE_CLASS, "sgd", 0.0, 0.0),
    Case("float32", 0, 1, UNEVEN, "adagrad", 0.01, 0.02),
    Case("float32", 5, 3, UNEVEN, "sgd", 0.0, 0.0),
    Case("float32", 4, 16, EQUAL, "adagrad", 0.01, 0.02),
    Case("float64", 3, 1, UNEVEN, "sgd", 0.01, 0.02, "hidden"),
    Case("float64", 4, 3, EQUAL, "adagrad", 0.0, 0.02, "hidden"),
    Case("float64", 5, 2, WIDE, "sgd", 0.01, 0.02, "hidden"),
    Case("float64", 5, 16, UNEVEN, "adagrad", 0.01, 0.0, "hidden"),
    Case("float64", 3, 3, SINGLES, "adagrad", 0.01, 0.0, "hidden"),
    Case("float32", 5, 3, UNEVEN, "sgd", 0.0, 0.0, "hidden"),
    Case("float32", 4, 16, EQUAL, "adagrad", 0.01, 0.02, "hidden"),
    Case("float64", 3, 1, EQUAL, "adagrad", 0.01, 0.02, "both"),
    Case("float64", 4, 16, UNEVEN, "adagrad", 0.01, 0.02, "both"),
    Case("float64", 5, 3, ONE_CLASS, "adagrad", 0.01, 0.0, "both"),
    Case("float32", 5, 3, UNEVEN, "adagrad", 0.01, 0.02, "both"),
]
LAYERS = ("output", "hidden", "both")


def corpus_for(small, class_sizes):
    chance = np.random.default_rng(7)
    lengths = LENGTHS[-5:] if class_sizes == WIDE else LENGTHS  # the plain graph is slow
    return small.corpus_of(class_sizes, small.random_split(chance, sum(class_sizes), lengths))


def trained(settings, corpus, weights, learning_rate):
    """Train on all sentences in two orders; return weights, accumulators and log-probabilities."""
    start = parameters.filled(sizes_for(settings, corpus), 0.1, settings.precision)
    trainer = registry.trainer(settings, corpus, weights, start)
    number = corpus.splits["train"].sentences
    orders = np.arange(number), np.random.default_rng(0).permutation(number)
    totals = [
        trainer.update(one_by_one(order, len(trainer.carried.documents)), learning_rate)
        for order in orders
    ]
    return trainer.weights, trainer.accumulators, totals


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_kernels_train_as_the_graph_does(small, case):
    corpus = corpus_for(small, case.class_sizes)
    settings = case.settings()
    weights = small.weights_for(settings, corpus)
    untouched = deepcopy(weights)
    rate = 0.02 if case.optimizer == "sgd" else 0.2
    expected = trained(case.settings(engine="graph"), corpus, weights, rate)
    actual = trained(settings, corpus, weights, rate)
    tolerance = TOLERANCE[case.precision]
    np.testing.assert_allclose(actual[2], expected[2], rtol=tolerance)
    for name in Parameters._fields:
        for found, wanted in zip(actual[:2], expected[:2], strict=True):
            array, other = getattr(found, name), getattr(wanted, name)
            assert array.dtype == case.precision
            np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance, err_msg=name)
    for array, before in zip(weights, untouched, strict=True):
        np.testing.assert_array_equal(array, before)  # a trainer works on copies
    for name in ("embeddings", "hidden_document"):
        start = getattr(weights, name)
        assert not (start.size and np.array_equal(getattr(actual[0], name), start))
    if case.error_clip:
        free = trained(case.settings(error_clip=0.0), corpus, weights, rate)
        assert np.abs(free[0].embeddings - actual[0].embeddings).max() > 100 * tolerance


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "clip"), [("output", 0.0), ("hidden", 0.0), ("hidden", 0.02), ("both", 0.02)]
)
def test_scores_are_those_of_plain_numpy(small, reference, kind, precision, layer, clip):
    case = Case(precision, 5, 1, UNEVEN, "sgd", 0.0, clip, layer)
    corpus = corpus_for(small, case.class_sizes)
    split = corpus.splits["train"]
    settings = case.settings(engine=kind)
    weights = small.weights_for(settings, corpus)
    numbers = np.random.default_rng(1).permutation(len(LENGTHS))[:12]
    score = registry.scorer(settings, corpus)
    exact = Parameters(*(array.astype("float64") for array in weights))
    moved = 0.0
    for rate in (RATE, 0.0):
        scores = score(weights, split, numbers, rate)
        starts = first_words(split.offsets, numbers)
        for row, number in enumerate(numbers):
            words = small.words_of(split, number)
            expected, _, after = reference(exact, corpus.class_offsets, words, rate, clip=clip)
            tolerance = 10 * TOLERANCE[precision]
            logs = scores.log_probabilities[starts[row] : starts[row + 1]]
            np.testing.assert_allclose(logs, expected, rtol=tolerance, atol=tolerance)
            free, _, _ = reference(exact, corpus.class_offsets, words, rate)
            moved = max(moved, np.abs(free - expected).max())
            if rate:
                vector = scores.document_vectors[row]
                np.testing.assert_allclose(vector, after[-1], atol=tolerance)
        assert scores.document_vectors.shape == (12, 5 if rate else 0)
    assert moved > 0.01 if clip else moved == 0


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize(("document_size", "layer"), [(0, "output"), (4, "output"), (4, "both")])
def test_hidden_states_are_what_words_are_predicted_from(
    small, reference, kind, document_size, layer
):
    case = Case("float64", document_size, 1, UNEVEN, "sgd", 0.0, 0.0, layer)
    corpus = corpus_for(small, case.class_sizes)
    split = corpus.splits["train"]
    settings = case.settings(engine=kind)
    weights = small.weights_for(settings, corpus)
    numbers = np.random.default_rng(1).permutation(len(LENGTHS))[:7]
    scores = registry.scorer(settings, corpus, hidden_states=True)(weights, split, numbers, RATE)
    rows = iter(scores.hidden_states)
    for number in numbers:
        words = small.words_of(split, number)
        _, documents, _ = reference(weights, corpus.class_offsets, words, RATE)
        state = np.zeros(6)
        for previous, document in zip([0, *words[:-1]], documents, strict=True):
            total = weights.embeddings[previous] + weights.recurrent @ state
            if layer == "both":
                total = total + document @ weights.hidden_document
            state = 1 / (1 + np.exp(-total))
            np.testing.assert_allclose(next(rows), state, rtol=1e-12)
    assert next(rows, None) is None
    without = registry.scorer(settings, corpus)(weights, split, numbers, RATE)
    assert without.hidden_states.shape == (0, 6)
    np.testing.assert_array_equal(without.log_probabilities, scores.log_probabilities)


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize(
    ("document_size", "layer"), [(0, "output"), (4, "output"), (4, "hidden"), (4, "both")]
)
def test_probabilities_sum_to_one_over_the_vocabulary(small, kind, document_size, layer):
    case = Case("float64", document_size, 1, UNEVEN, "sgd", 0.0, 0.0, layer)
    corpus = corpus_for(small, case.class_sizes)
    settings = case.settings(engine=kind)
    weights = small.weights_for(settings, corpus)
    score = registry.scorer(settings, corpus)

    def probabilities(beginnings):
        split = small.split_of([[*words, 0] for words in beginnings])
        logs = score(weights, split, np.arange(len(beginnings)), RATE).log_probabilities
        logs[split.offsets[1:] - 1] = 0  # the end, which only serves to begin the next sentence
        return np.exp(np.add.reduceat(logs, split.offsets[:-1]))

    for prefix in ([], [3], [2, 2, 23, 1, 14]):
        given = probabilities([prefix])[0] if prefix else 1.0
        following = probabilities([[*prefix, word] for word in range(corpus.vocabulary_size)])
        assert following.sum() == pytest.approx(given, rel=1e-12)
        assert following.min() > 0


@pytest.fixture(params=LAYERS)
def scoring(small, request):
    """A kernel scorer, weights and a corpus with an online document vector."""
    case = Case("float64", 4, 16, UNEVEN, "sgd", 0.0, 0.0, request.param)
    corpus = corpus_for(small, case.class_sizes)
    settings = case.settings()
    return registry.scorer(settings, corpus), small.weights_for(settings, corpus), corpus


def test_a_score_depends_neither_on_order_nor_on_company(scoring):
    score, weights, corpus = scoring
    split = corpus.splits["train"]
    # More sentences than are scored in parallel, some of them twice.
    numbers = np.random.default_rng(2).integers(0, split.sentences, 150)
    together = score(weights, split, numbers, RATE)
    starts = first_words(split.offsets, numbers)
    for row, number in enumerate(numbers):
        alone = score(weights, split, np.array([number]), RATE)
        logs = together.log_probabilities[starts[row] : starts[row + 1]]
        np.testing.assert_allclose(alone.log_probabilities, logs, rtol=1e-12, atol=1e-14)
        vector = together.document_vectors[row]
        np.testing.assert_allclose(alone.document_vectors[0], vector, rtol=1e-12, atol=1e-14)


def test_a_vector_held_still_is_as_good_as_none(small, scoring):
    score, weights, corpus = scoring
    split, numbers = corpus.splits["train"], np.arange(len(LENGTHS))
    static = Case("float64", 0, 16, UNEVEN, "sgd", 0.0, 0.0).settings()
    none = weights._replace(
        class_document=np.zeros((0, corpus.classes)),
        word_document=np.zeros((0, corpus.vocabulary_size)),
        hidden_document=np.zeros((0, weights.recurrent.shape[0])),
    )
    expected = registry.scorer(static, corpus)(none, split, numbers, RATE)
    held = score(weights, split, numbers, 0.0)
    np.testing.assert_array_equal(held.log_probabilities, expected.log_probabilities)
    online = score(weights, split, numbers, RATE)
    assert not np.allclose(online.log_probabilities, held.log_probabilities)


@pytest.mark.parametrize("layer", LAYERS)
def test_later_calls_may_need_more_memory(small, layer):
    """Longer sentences and larger classes need more memory than the first call reserved."""
    chance = np.random.default_rng(4)
    short, long = ((2, 1, 3), (30, 2, 17))
    for class_sizes in (UNEVEN, WIDE):
        size = sum(class_sizes)
        train, valid = (small.random_split(chance, size, lengths) for lengths in (short, long))
        corpus = small.corpus_of(class_sizes, train, valid)
        settings = Case("float64", 4, 16, class_sizes, "sgd", 0.0, 0.0, layer).settings()
        weights = small.weights_for(settings, corpus)
        used = registry.scorer(settings, corpus)
        for split in (train, valid, train):
            fresh = registry.scorer(settings, corpus)
            scores = [score(weights, split, np.arange(3), RATE) for score in (used, fresh)]
            for array, expected in zip(*scores, strict=True):
                np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("layer", LAYERS)
def test_training_goes_on_with_longer_sentences(small, layer):
    case = Case("float64", 4, 1, WIDE, "adagrad", 0.0, 0.0, layer)
    corpus = corpus_for(small, case.class_sizes)
    settings = case.settings()
    weights = small.weights_for(settings, corpus)
    start = parameters.filled(sizes_for(settings, corpus), 0.1, "float64")
    order = np.argsort(np.diff(corpus.splits["train"].offsets), kind="stable")
    one_by_one, at_once = (registry.trainer(settings, corpus, weights, start) for _ in range(2))
    total = sum(small.learn(one_by_one, order[i : i + 1], 0.1) for i in range(len(order)))
    assert small.learn(at_once, order, 0.1) == pytest.approx(total)
    for array, expected in zip(one_by_one.weights, at_once.weights, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize("layer", ["output", "both"])
def test_a_restored_trainer_goes_on_as_a_new_one(small, kind, layer):
    case = Case("float64", 2, 16, EQUAL, "adagrad", 0.0, 0.0, layer)
    corpus = corpus_for(small, case.class_sizes)
    settings = case.settings(engine=kind)
    weights = small.weights_for(settings, corpus)
    start = parameters.filled(sizes_for(settings, corpus), 0.1, "float64")
    trainer = registry.trainer(settings, corpus, weights, start)
    numbers = np.arange(len(LENGTHS))
    first = small.learn(trainer, numbers, 0.1)
    after = deepcopy(trainer.weights)
    assert small.learn(trainer, numbers, 0.1) != first
    trainer.restore(weights, start)
    assert small.learn(trainer, numbers, 0.1) == first
    for array, expected in zip(trainer.weights, after, strict=True):
        np.testing.assert_array_equal(array, expected)
    assert not np.array_equal(trainer.weights.embeddings, weights.embeddings)
