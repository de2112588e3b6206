"""Tests of the fast engines against the plain graph, for every cell and option, and of the kernels
against plain numpy.
"""

from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, Adaptation
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.order import Order
from online_rnnlm.core.text import Split
from online_rnnlm.core.training import dropout_key
from online_rnnlm.use.network import split_of
from tests.unit import small_models as small
from tests.unit.small_models import corpus_of, random_split, scored, sizes_of, weights_for

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

UNEVEN = (1, 4, 1, 9, 2, 7)
LENGTHS = (3, 1, 8, 4, 4, 1, 7, 2, 5, 1, 6, 2, 3, 1)
ARTICLES = (0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 4, 5, 6, 6)
LEARNING = Adaptation((DOCUMENT_VECTOR,), vector_rate=0.3)
VECTOR = {"document_size": 3}
FIVE = {"document_size": 5}  # the kernels take four rows of V at a time
DOCUMENT = {"unit_of_text": "document"}
STREAM = {"unit_of_text": "stream"}
THROUGH = {"document_gradient": "through"}
SINGLE = {"precision": "float32"}
SGD = {"optimizer": "sgd"}
DROPOUT = {"dropout": 0.4, "embedding_dropout": 0.2}
MEMORY = {"document_step": "words", "document_decay": 0.7}
RARE = {"rare_class_words": 4}
LSTM = {"cell": "lstm"}
SLOW = {"cell": "slow_context", "context_size": 5, "context_decay": 0.8}
OPTIONS = {
    "static": SGD | {"batch_sentences": 1},
    "static float32": SINGLE,
    "static documents": DOCUMENT | {"error_clip": 0.0},
    "vector": FIVE | {"batch_sentences": 16},
    "vector float32": FIVE | SINGLE | SGD | {"batch_sentences": 16, "error_clip": 0.02},
    "vector documents": VECTOR | DOCUMENT | SINGLE,
    "stretches": VECTOR | DOCUMENT | {"segment_tokens": 4},
    "stream": VECTOR | STREAM | {"segment_tokens": 5},
    "memory": VECTOR | MEMORY,
    "decay documents": VECTOR | DOCUMENT | SINGLE | {"document_decay": 0.8},
    "dropout": VECTOR | DROPOUT,
    "rare classes": VECTOR | RARE | DOCUMENT,
    "rare classes sgd": RARE | SGD | DROPOUT,
    "slow context": SLOW | SINGLE,
    "slow context documents": VECTOR | DOCUMENT | SLOW | DROPOUT,
    "slow context stretches": VECTOR | DOCUMENT | SLOW | RARE | {"segment_tokens": 3},
    "lstm": LSTM | SINGLE | {"embedding_dropout": 0.2},
    "lstm stretches": VECTOR | DOCUMENT | LSTM | DROPOUT | {"segment_tokens": 3},
    "lstm stream": VECTOR | STREAM | LSTM,
}
OTHER_CLASSES = {
    "of a word each": ((1,) * 24, VECTOR),
    "one for all": ((24,), FIVE),
    "wide": ((1, 80, 2), FIVE | SGD),
}
OF_JAX = ("static", "vector documents", "stretches", "memory", "lstm stream")
MATRIX = [
    *(("kernel", name, UNEVEN, changes) for name, changes in OPTIONS.items()),
    *(("kernel", name, *case) for name, case in OTHER_CLASSES.items()),
    *(("jax", name, UNEVEN, OPTIONS[name]) for name in OF_JAX),
    ("jax", "lstm through", UNEVEN, VECTOR | THROUGH | LSTM),
    ("jax", "slow context", UNEVEN, VECTOR | DOCUMENT | SLOW),
    ("jax", "through sgd", UNEVEN, VECTOR | THROUGH | SGD),
]


def settings(engine="kernel", **changes):
    values = {"engine": engine, "batch_sentences": 3, "error_clip": 0.05, "seed": 5}
    return small.settings(**values | changes)


@cache
def corpus_with(class_sizes=UNEVEN):
    split = random_split(np.random.default_rng(7), sum(class_sizes), LENGTHS)
    return corpus_of(class_sizes, replace(split, articles=np.array(ARTICLES, np.int32)))


@pytest.fixture(name="corpus")
def _corpus():
    return corpus_with()


def start_for(run, corpus):
    """Weights that are large, and sums of squares."""
    return weights_for(run, corpus), parameters.filled(sizes_of(run, corpus), 0.1, run.precision)


def results(run, corpus, *, carried=False):
    """All that two passes over the text, in two orders, change, by name; and their log P."""
    trainer = small.Trainer(run, corpus, *start_for(run, corpus))
    number = len(trainer.segments.units) - 1
    rate = 0.02 if run.optimizer == "sgd" else 0.2
    orders = [np.arange(number), np.random.default_rng(0).permutation(number)]
    logs = []
    for epoch, order in enumerate(orders):
        trainer.apply_deferred(rate)  # so that some are deferred at the end alone
        logs.append(trainer.learn(trainer.order(order), rate, dropout_key(1, epoch)))
    sums = {f"sums of {name}": array for name, array in trainer.accumulators._asdict().items()}
    found = trainer.weights._asdict() | sums | {"log P": np.array(logs)}
    if carried:  # between the segments of a unit; nothing reads what follows its last one
        found |= trainer.state.carried._asdict()
    return found


def scores_of(run, corpus):
    """The scores of some sentences, by the weights with which training starts."""
    numbers = np.random.default_rng(1).permutation(len(LENGTHS))[:12]
    if run.unit_of_text != "sentence":
        numbers.sort()
    text = small.chosen(corpus.splits["train"], numbers)
    return scored(run, corpus, weights_for(run, corpus), text, LEARNING, hidden_states=True)[:3]


@cache
def of_graph(classes, changes):
    """The results and scores of the plain graph, which takes seconds to compile."""
    corpus = corpus_with(classes)
    run = settings("graph", **dict(changes))
    return results(run, corpus), scores_of(run, corpus)


@pytest.mark.parametrize(
    ("engine", "classes", "changes"),
    [(engine, classes, changes) for engine, _, classes, changes in MATRIX],
    ids=[f"{engine} {name}" for engine, name, _, _ in MATRIX],
)
def test_an_engine_computes_what_the_graph_does(engine, classes, changes):
    if engine == "jax":
        pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    corpus = corpus_with(classes)
    run = settings(engine, **changes)
    tolerance = {"float32": 1e-5, "float64": 1e-10}[run.precision]
    close = dict.fromkeys(("rtol", "atol"), tolerance * (10 if engine == "jax" else 1))
    expected, expected_scores = of_graph(classes, tuple(changes.items()))
    found = results(run, corpus)
    for name, wanted in expected.items():
        assert found[name].dtype == wanted.dtype
        np.testing.assert_allclose(found[name], wanted, err_msg=name, **close)
    for name, before in weights_for(run, corpus)._asdict().items():
        # A class of one word has no softmax over its words, and one class none over classes.
        certain = ["word_"] * (max(classes) == 1) + ["class_"] * (len(classes) == 1)
        never_learns = name.startswith(tuple(certain))
        assert never_learns or not (before.size and np.array_equal(found[name], before)), name
    if run.error_clip and engine == "kernel":  # others compile for each bound
        free = results(settings(engine, **changes | {"error_clip": 0.0}), corpus)
        assert np.abs(free["embeddings"] - found["embeddings"]).max() > 100 * tolerance
    for one, wanted in zip(scores_of(run, corpus), expected_scores, strict=True):
        np.testing.assert_allclose(one, wanted, **close)


@pytest.mark.parametrize("changes", [FIVE, FIVE | SINGLE, FIVE | SINGLE | LSTM], ids=str)
def test_a_sentence_is_scored_alike_alone_among_others_and_word_by_word(corpus, changes):
    def assert_close(found, expected):
        tolerance = {"float32": 1e-6, "float64": 1e-12}[run.precision]
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)

    run = settings(**changes)
    split = corpus.splits["train"]
    weights = weights_for(run, corpus)
    engine = small.engine_of(run, corpus)
    a_word = Order(np.zeros((1, 1), np.int64), np.zeros((1, 1), np.bool_))
    # More sentences than are scored in parallel, some of them twice.
    text = small.chosen(split, np.random.default_rng(2).integers(0, split.sentences, 150))
    together = scored(run, corpus, weights, text, LEARNING, hidden_states=True)
    for number in range(40):
        begin, end = text.offsets[number : number + 2]
        logs = together.log_probabilities[begin:end]
        sentence = small.chosen(text, [number])
        alone = scored(run, corpus, weights, sentence, LEARNING, hidden_states=True)
        assert_close(alone.log_probabilities, logs)
        assert_close(alone.hidden_states, together.hidden_states[begin:end])
        assert_close(alone.document_vectors[0], together.document_vectors[number])
        carried = Carried.nothing(weights, run.cell, 1)
        found = []
        for place in range(begin, end):
            word = Split(text.stream, np.array([place, place + 1]))
            part, carried = engine.score(weights, word, a_word, LEARNING, carried)
            found.append(part.log_probabilities[place])
        assert_close(found, logs)
        assert_close(carried.vector[0], together.document_vectors[number])
    frozen = scored(run, corpus, weights, text, Adaptation()).log_probabilities
    assert not np.allclose(together.log_probabilities, frozen)


@pytest.mark.parametrize("engine", ["kernel", "graph", "jax"])
def test_slow_units_alone_are_kept_for_the_article_by_a_network_trained_on_sentences(
    corpus, engine
):
    if engine == "jax":
        pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    run = settings(engine, **SLOW)
    weights = weights_for(run, corpus)
    text = replace(small.chosen(corpus.splits["train"], [0, 1]), articles=np.zeros(2, np.int32))
    first, second = (small.chosen(text, [number]) for number in range(2))
    kept = scored(run, corpus, weights, text, Adaptation(unit_of_text="document"))
    one = Order(np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_))
    begun = Carried.nothing(weights, run.cell, 1)
    frozen = small.engine_of(run, corpus)
    _, after = frozen.score(weights, first, one, Adaptation(), begun)
    after.hidden[:, : run.hidden_size] = 0
    goes_on = one._replace(begins=np.zeros((1, 1), np.bool_))
    expected, _ = frozen.score(weights, second, goes_on, Adaptation(), after)
    begin = text.offsets[1]
    close = np.testing.assert_allclose
    close(kept.log_probabilities[begin:], expected.log_probabilities, rtol=1e-5)
    anew = scored(run, corpus, weights, text, Adaptation()).log_probabilities
    assert np.abs(kept.log_probabilities - anew)[begin:].max() > 1e-4


@pytest.mark.parametrize("engine", ["kernel", "graph"])
def test_deferred_updates_are_applied_by_another_engine(corpus, engine):
    run = settings(engine, **VECTOR, **RARE)
    numbers = np.arange(len(LENGTHS))
    unbroken = small.Trainer(run, corpus, *start_for(run, corpus))
    first = small.Trainer(run, corpus, *start_for(run, corpus))
    for trainer in (unbroken, first):
        trainer.learn_from(numbers[:7], 0.1)
    state = first.state
    assert any(count > 0 for count in state.deferred[0])
    second = small.Trainer(run, corpus, *start_for(run, corpus))
    second.state = deepcopy(state._replace(deferred=(*state.deferred,)))
    for trainer in (unbroken, second):
        trainer.learn_from(numbers[7:], 0.1)
        trainer.apply_deferred(0.1)
        assert not trainer.state.deferred[0].any()
    small.assert_same(second.weights, unbroken.weights)


ARTICLES_END = np.append(np.flatnonzero(np.diff(ARTICLES)) + 1, len(LENGTHS))
of_every_kind = pytest.mark.parametrize("changes", [{}, VECTOR, VECTOR | LSTM], ids=str)


def joined(split, ends):
    """The same text with all sentences between two of these ends as a single long one."""
    return replace(split, offsets=split.offsets[np.append(0, ends)], articles=split.articles[:0])


@of_every_kind
@pytest.mark.parametrize(
    ("unit", "ends"), [("document", ARTICLES_END), ("stream", np.array([len(LENGTHS)]))]
)
def test_a_unit_of_text_is_scored_as_one_long_sentence(corpus, changes, unit, ends):
    run = settings(**changes)
    weights = weights_for(run, corpus)
    split = corpus.splits["train"]
    whole = joined(split, ends)
    of_unit = run.model_copy(update={"unit_of_text": unit})
    found = scored(of_unit, corpus, weights, split, LEARNING)
    expected = scored(run, corpus, weights, whole, LEARNING)
    close = {"atol": 1e-12, "rtol": 0}
    np.testing.assert_allclose(found.log_probabilities, expected.log_probabilities, **close)
    vectors = found.document_vectors[ends - 1]
    np.testing.assert_allclose(vectors, expected.document_vectors, **close)


@of_every_kind
def test_stretches_longer_than_any_document_are_learnt_from_as_long_sentences(corpus, changes):
    run = settings(**changes)
    whole = joined(corpus.splits["train"], ARTICLES_END)
    stretches = run.model_copy(update=DOCUMENT | {"segment_tokens": 1000})
    found = results(stretches, corpus)
    for name, expected in results(run, replace(corpus, splits={"train": whole})).items():
        np.testing.assert_allclose(found[name], expected, err_msg=name, atol=1e-12, rtol=0)


@pytest.mark.parametrize("size", [0, 5])
def test_a_stream_is_read_as_documents_that_are_cut_by_hand(corpus, size):
    """Its 48 tokens are cut where the first sentences end from the 16th and from the 32nd on."""
    run = settings(**VECTOR, **STREAM, segment_tokens=size, dropout=0.4)
    split = corpus.splits["train"]
    by_hand = replace(split, articles=np.repeat([0, 1, 2], [4, 5, 5]).astype(np.int32))
    documents = run.model_copy(update=DOCUMENT)
    expected = results(documents, replace(corpus, splits={"train": by_hand}), carried=True)
    for name, found in results(run, corpus, carried=True).items():
        np.testing.assert_array_equal(found, expected[name], err_msg=name)


def test_jax_scores_no_text_a_longer_one_and_with_a_frozen_vector(corpus):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    runs = [settings(engine, **VECTOR) for engine in ("jax", "kernel")]
    weights = weights_for(runs[0], corpus)
    longer = split_of([[3, 14, 3, 23, 7] * 5 + [0]])
    for text, adaptation in (
        (longer, LEARNING),
        (longer.first(0), LEARNING),
        (longer, Adaptation()),
    ):
        found = [scored(run, corpus, weights, text, adaptation) for run in runs]
        for array, expected in zip(found[0][:3], found[1][:3], strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-10)
