"""Tests of JAX against the default engine, of the shapes it compiles and of its device."""

from copy import deepcopy
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings, first_words
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for

pytestmark = pytest.mark.slow  # JAX compiles each shape

jax = pytest.importorskip("jax", reason="JAX is not installed: `make jax`")

UNEVEN = (1, 4, 1, 9, 2, 7)
ONE_CLASS = (12,)
LARGE = (1, 40, 2, 70)
"""Classes of several tiles of words."""
LENGTHS = (11, 1, 12, 11, 3, 12, 2, 12, 3, 11, 1, 12, 12, 2, 11)
"""Lengths that are padded to only two different ones, because compiling is slow."""
UPDATES = 50
AGREED = 1e-4
"""The tolerance between the engines' results in single precision."""
EXACTLY = {"float32": 2e-5, "float64": 1e-10}
RATE = 0.3
VECTORS = [(0, "output"), (3, "output"), (3, "hidden"), (3, "both")]


class Case(NamedTuple):
    document_size: int
    document_layer: str
    optimizer: str
    precision: str = "float32"
    batch_sentences: int = 4
    l2: float = 0.01
    error_clip: float = 0.05
    hidden_size: int = 6

    def settings(self, kind, **changes):
        more = {"corpus": "small", "document_rate": RATE, "seed": 5, "engine": kind}
        return RunSettings.model_validate({**self._asdict(), **more, **changes})


ALL_WAYS = [Case(*vector, rule) for vector, rule in product(VECTORS, ("sgd", "adagrad"))]
OTHERS = [
    Case(3, "both", "adagrad", "float64"),
    Case(1, "both", "sgd", "float64", 1, 0.0, 0.0),
    Case(3, "output", "adagrad", "float64"),
    Case(0, "output", "sgd", "float64", 3),
    Case(1, "output", "sgd", "float64", 1, 0.0, 0.0),
]
IN_BLOCKS, BY_GRAPH = (3, "output"), (3, "both")
"""Vectors of a model that is computed in blocks, and of one that is computed by the graph."""
both_ways = pytest.mark.parametrize("vector", [IN_BLOCKS, BY_GRAPH], ids=str)


@pytest.fixture
def shapes(monkeypatch):
    """A function that sets the number of shapes, because compiling each is slow."""

    def set_number(number):
        monkeypatch.setattr("online_rnnlm.engines.jax_graph.MAX_LENGTHS", number)
        monkeypatch.setattr("online_rnnlm.engines.blocks.shapes.MAX_SHAPES", number)

    return set_number


def corpus_for(small, class_sizes=UNEVEN):
    chance = np.random.default_rng(7)
    return small.corpus_of(class_sizes, small.random_split(chance, sum(class_sizes), LENGTHS))


def new_trainer(small, corpus, case, kind):
    settings = case.settings(kind)
    weights = small.weights_for(settings, corpus)
    sums = parameters.filled(sizes_for(settings, corpus), 0.1, case.precision)
    return registry.trainer(settings, corpus, weights, sums)


def orders(corpus, case):
    """Yield sentences for `UPDATES` updates, one order an epoch, whose last batch is not full."""
    chance, left = np.random.default_rng(0), UPDATES
    number = corpus.splits["train"].sentences
    while left > 0:
        part = chance.permutation(number)[: left * case.batch_sentences]
        left -= -(-len(part) // case.batch_sentences)
        yield part


def assert_close(found, wanted, tolerance):
    for name in Parameters._fields:
        array, other = getattr(found, name), getattr(wanted, name)
        assert array.dtype == other.dtype
        np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("case", [*ALL_WAYS, *OTHERS], ids=lambda case: "-".join(map(str, case)))
def test_fifty_updates_are_those_of_the_default_engine(small, case, shapes):
    if case in ALL_WAYS:  # All batches get one shape, to save time; the others have more.
        shapes(1)
    large = LARGE if case.document_layer == "output" else UNEVEN
    corpus = corpus_for(small, ONE_CLASS if case.document_size == 1 else large)
    trainers = [new_trainer(small, corpus, case, kind) for kind in ("jax", "kernel")]
    start = deepcopy(trainers[1].weights)
    rate = 0.02 if case.optimizer == "sgd" else 0.2
    for part in orders(corpus, case):
        found, wanted = (small.learn(trainer, part, rate) for trainer in trainers)
        assert found == pytest.approx(wanted, rel=AGREED)
    tolerance = AGREED if case.precision == "float32" else EXACTLY["float64"]
    for kind in ("weights", "accumulators"):
        assert_close(*(getattr(trainer, kind) for trainer in trainers), tolerance)
    assert np.abs(trainers[0].weights.recurrent - start.recurrent).max() > 10 * AGREED


@pytest.mark.parametrize("vector", VECTORS, ids=str)
@pytest.mark.parametrize(("precision", "states"), [("float32", True), ("float64", False)])
def test_scores_are_those_of_the_default_engine(small, precision, vector, states):
    case = Case(*vector, "sgd", precision)
    corpus = corpus_for(small, LARGE)
    split = corpus.splits["train"]
    weights = small.weights_for(case.settings("jax"), corpus)
    # More sentences than are scored in parallel, in random order, some of them twice.
    numbers = np.random.default_rng(2).integers(0, split.sentences, 70)
    for rate in (RATE, 0.0):
        found, wanted = (
            registry.scorer(case.settings(kind), corpus, hidden_states=states)(
                weights, split, numbers, rate
            )
            for kind in ("jax", "kernel")
        )
        for array, other in zip(found, wanted, strict=True):
            assert array.dtype == other.dtype
            tolerance = EXACTLY[precision]
            np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance)
    nothing = registry.scorer(case.settings("jax"), corpus, hidden_states=states)(
        weights, split, numbers[:0], RATE
    )
    assert [len(array) for array in nothing] == [0, 0, 0]


@both_ways
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_padding_changes_nothing(small, vector, optimizer):
    """The same sentence is trained on in a batch of size two and in one of size nine."""
    corpus = corpus_for(small)
    results = []
    for width in (2, 9):
        case = Case(*vector, optimizer, batch_sentences=width)
        trainer = new_trainer(small, corpus, case, "jax")
        before = deepcopy(trainer.weights)
        total = small.learn(trainer, np.array([2]), 0.1)
        results.append((total, trainer.weights, trainer.accumulators))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-6)
    for one, many in zip(results[0][1:], results[1][1:], strict=True):
        assert_close(one, many, 1e-6)
    words = small.words_of(corpus.splits["train"], 2)
    never_read = np.setdiff1d(np.arange(corpus.vocabulary_size), [0, *words[:-1]])
    weights, sums = results[1][1:]
    np.testing.assert_array_equal(weights.embeddings[never_read], before.embeddings[never_read])
    np.testing.assert_array_equal(sums.embeddings[never_read], np.float32(0.1))


@pytest.fixture
def compilations():
    """The compile times, in seconds, of the models that XLA compiles; the list grows."""
    found = []

    def listen(event, seconds, fun_name="", **_):
        # Not the copies of constants.
        whole = fun_name in ("jit(jax_funcified_fgraph)", "jit(update)", "jit(score)")
        if whole and event == "/jax/core/compile/backend_compile_duration":
            found.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.unregister_event_duration_listener(listen)


@both_ways
def test_few_shapes_are_compiled_whatever_lengths_there_are(small, compilations, shapes, vector):
    shapes(2)
    chance = np.random.default_rng(3)
    lengths = [1, *range(2, 61), *chance.integers(1, 61, 40)]
    corpus = small.corpus_of(UNEVEN, small.random_split(chance, sum(UNEVEN), lengths))
    case = Case(*vector, "adagrad", batch_sentences=2)
    trainer = new_trainer(small, corpus, case, "jax")
    small.learn(trainer, np.argsort(lengths, kind="stable"), 0.1)
    assert len(compilations) == 2
    trained = len(compilations)
    for _ in range(2):
        small.learn(trainer, chance.permutation(len(lengths)), 0.1)
        trainer.restore(trainer.weights, trainer.accumulators)
    assert len(compilations) == trained
    score = registry.scorer(case.settings("jax"), corpus)
    expected = registry.scorer(case.settings("kernel"), corpus)
    for count in (len(lengths), 3, 70):
        part = chance.permutation(len(lengths))[:count]
        found, wanted = (
            scorer(trainer.weights, corpus.splits["train"], part, RATE)
            for scorer in (score, expected)
        )
        for array, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(array, other, rtol=AGREED, atol=AGREED)
    assert len(compilations) <= trained + 2


def held(trainer, vector):
    """Return the arrays in which a trainer keeps weights and accumulators."""
    if vector == IN_BLOCKS:
        return [*trainer._weights, *trainer._sums]
    state = trainer._state
    return [v.get_value(borrow=True) for v in (*state.weights, *state.accumulators)]


@both_ways
def test_weights_stay_on_the_device_between_updates(small, vector):
    corpus, case = corpus_for(small), Case(*vector, "adagrad")
    trainer = new_trainer(small, corpus, case, "jax")
    part = np.arange(case.batch_sentences)
    small.learn(trainer, part, 0.1)
    first = held(trainer, vector)
    small.learn(trainer, part, 0.1)
    second = held(trainer, vector)
    assert all(isinstance(array, jax.Array) for array in [*first, *second])
    assert not any(new is old for new, old in zip(second, first, strict=True))


@both_ways
def test_a_restored_trainer_goes_on_as_a_new_one(small, vector):
    corpus = corpus_for(small)
    trainer = new_trainer(small, corpus, Case(*vector, "adagrad"), "jax")
    weights, sums = trainer.weights, trainer.accumulators
    part = np.arange(len(LENGTHS))
    first, after = small.learn(trainer, part, 0.1), trainer.weights
    assert small.learn(trainer, part, 0.1) != first
    trainer.restore(weights, sums)
    assert small.learn(trainer, part, 0.1) == first
    for array, expected in zip(trainer.weights, after, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("learn_after", ["word", "sentence"])
def test_weights_learn_in_testing_as_in_the_default_engine(small, learn_after):
    corpus, case = corpus_for(small), Case(3, "both", "sgd")
    online = OnlineSettings(frozenset(parameters.GROUPS), 0.05, RATE, 4, learn_after, "stream")
    weights = small.weights_for(case.settings("jax"), corpus)
    found, wanted = (
        registry.online_scorer(case.settings(kind), corpus, weights, online)
        for kind in ("jax", "kernel")
    )
    part = np.arange(len(LENGTHS))
    logs = [s.score(corpus.splits["train"], part).log_probabilities for s in (found, wanted)]
    np.testing.assert_allclose(*logs, rtol=AGREED)
    assert_close(found.weights, wanted.weights, AGREED)


@both_ways
def test_a_longer_sentence_than_the_corpus_has_is_scored(small, reference, vector):
    corpus, case = corpus_for(small), Case(*vector, "sgd", "float64", error_clip=0.0)
    settings = case.settings("jax")
    weights = small.weights_for(settings, corpus)
    words = [3, 14, 3, 23, 7] * 5 + [0]
    scores = registry.scorer(settings, corpus)(weights, small.split_of([words]), np.arange(1), RATE)
    expected, _, _ = reference(weights, corpus.class_offsets, words, RATE)
    np.testing.assert_allclose(scores.log_probabilities, expected, rtol=1e-10)


def test_a_text_is_learnt(corpus_directory):
    """One epoch is better than none on a corpus that is prepared as in the workflow."""
    corpus = load_corpus(corpus_directory)
    settings = RunSettings(corpus="topics", hidden_size=8, document_size=4, engine="jax")
    sizes = sizes_for(settings, corpus)
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    trainer = registry.trainer(settings, corpus, weights, parameters.filled(sizes, 1.0, "float32"))
    valid = corpus.splits["valid"]
    numbers, score = np.arange(valid.sentences), registry.scorer(settings, corpus)
    before = score(weights, valid, numbers, RATE).log_probabilities.sum()
    trainer.update(
        one_by_one(np.arange(corpus.splits["train"].sentences), len(trainer.carried.documents)), 0.2
    )
    after = score(trainer.weights, valid, numbers, RATE).log_probabilities.sum()
    assert after > before
    assert first_words(valid.offsets, numbers)[-1] == valid.tokens
