"""Tests of documents that are read side by side, of all cells in the kernels, and of dropout."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.training import SENTENCES, Reading, RunSettings
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings
from online_rnnlm.engines.dropout import HIDDEN, factors, key_of
from online_rnnlm.engines.lanes import (
    NOTHING,
    Carried,
    scoring_order,
    segments_of,
    side_by_side,
)
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for

CLASS_SIZES = (1, 4, 1, 5, 2)
LENGTHS = (3, 1, 5, 2, 4, 1, 1, 6, 2, 3, 1, 2, 4, 2, 1)
ARTICLES = (0, 0, 0, 1, 2, 2, 2, 2, 2, 3, 3, 4, 5, 6, 6)
RATE, KEY, LANES = 0.3, 987_654_321, 3
VECTOR = {"document_size": 3}
DOCUMENT = {"unit_of_text": "document"}
THROUGH = {"document_gradient": "through"}
CASES = {
    "static": DOCUMENT,
    "both": VECTOR | DOCUMENT,
    "vector": VECTOR | DOCUMENT | {"carry": "vector"},
    "state": VECTOR | DOCUMENT | {"carry": "state"},
    "stretches": VECTOR | DOCUMENT | {"segment_tokens": 4},
    "hidden layer": VECTOR | DOCUMENT | {"document_layer": "both"},
    "dropout": VECTOR | {"dropout": 0.4, "embedding_dropout": 0.2},
    "lstm": VECTOR | DOCUMENT | {"cell": "lstm", "dropout": 0.3, "embedding_dropout": 0.2},
    "static lstm": {"cell": "lstm"},
    "through": VECTOR | THROUGH,
    "through documents": VECTOR | DOCUMENT | THROUGH | {"dropout": 0.3},
    "through lstm": VECTOR | THROUGH | {"cell": "lstm"},
    "gru": VECTOR | DOCUMENT | {"cell": "gru", "segment_tokens": 3, "embedding_dropout": 0.3},
    "static gru": {"cell": "gru"},
    "context": VECTOR | DOCUMENT | {"context_size": 3, "dropout": 0.3},
    "static context": {"context_size": 2, "embedding_dropout": 0.2},
}


def settings(engine: str, **changes) -> RunSettings:
    values = {"hidden_size": 4, "batch_sentences": LANES, "error_clip": 0.05, "l2": 0.01}
    return RunSettings(corpus="c", engine=engine, precision="float64", **values, **changes)


@pytest.fixture(scope="module")
def corpus(small):
    split = small.random_split(np.random.default_rng(3), sum(CLASS_SIZES), LENGTHS)
    return small.corpus_of(CLASS_SIZES, replace(split, articles=np.array(ARTICLES, np.int32)))


def start(run: RunSettings, corpus):
    sizes = sizes_for(run, corpus)
    weights = parameters.initialise(sizes, 0.7, 1, run.precision)
    return weights, parameters.filled(sizes, 0.5, run.precision)


def learn(run: RunSettings, corpus, epochs: int = 2):
    """Train on the text in its order; return the trainer and the log P of the batches."""
    trainer = registry.trainer(run, corpus, *start(run, corpus))
    segments = segments_of(corpus.splits["train"], run)
    order = np.random.default_rng(1).permutation(len(segments.units) - 1)
    batches = side_by_side(segments.units, order, len(trainer.carried.documents))
    return trainer, [trainer.update(batches, 0.3, KEY) for _ in range(epochs)]


@pytest.mark.slow  # PyTensor compiles the plain graph for each case
@pytest.mark.usefixtures("quick_graph")
@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_the_kernels_compute_what_the_graph_does(corpus, changes):
    (graph, of_graph), (kernel, of_kernel) = (
        learn(settings(engine, **changes), corpus) for engine in ("graph", "kernel")
    )
    assert of_kernel == pytest.approx(of_graph, rel=1e-10)
    for found, wanted in zip(
        [*kernel.weights, *kernel.accumulators], [*graph.weights, *graph.accumulators], strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-10, rtol=0)
    split, numbers = corpus.splits["train"], np.arange(len(LENGTHS))
    scores = [
        registry.scorer(settings(engine, **changes), corpus, hidden_states=True)(
            graph.weights, split, numbers, RATE
        )
        for engine in ("graph", "kernel")
    ]
    for found, wanted in zip(*scores, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-10, rtol=0)


def joined(split: Split) -> Split:
    """The same text with every article as a single long sentence."""
    ends = np.append(np.flatnonzero(np.diff(split.articles)) + 1, split.sentences)
    return Split(split.stream, split.offsets[np.append(0, ends)])


@pytest.mark.slow  # the kernels of several cells are compiled
@pytest.mark.parametrize(
    "changes", [{}, VECTOR, VECTOR | {"cell": "lstm"}, VECTOR | {"context_size": 2}], ids=str
)
def test_a_document_is_scored_as_one_long_sentence(corpus, changes):
    run = settings("kernel", **changes)
    weights, _ = start(run, corpus)
    split, whole = corpus.splits["train"], joined(corpus.splits["train"])
    reading = Reading("document", state=True, vector=True)
    documents = registry.scorer(run, corpus, reading)(weights, split, np.arange(15), RATE)
    sentences = registry.scorer(run, corpus)(weights, whole, np.arange(7), RATE)
    np.testing.assert_allclose(
        documents.log_probabilities, sentences.log_probabilities, atol=1e-12, rtol=0
    )
    last = np.append(np.flatnonzero(np.diff(ARTICLES)), 14)
    np.testing.assert_allclose(
        documents.document_vectors[last], sentences.document_vectors, atol=1e-12, rtol=0
    )


@pytest.mark.slow  # kernels are compiled
@pytest.mark.parametrize("changes", [{}, VECTOR], ids=["static", "vector"])
def test_a_stretch_longer_than_any_document_learns_as_from_one_long_sentence(corpus, changes):
    """The text of documents has the same updates as that of long sentences, in the same order."""
    run = settings("kernel", **changes)
    text = replace(corpus, splits={"train": joined(corpus.splits["train"])})
    stretches = run.model_copy(update=DOCUMENT | {"segment_tokens": 1000})
    (one, logs), (other, others) = learn(run, text), learn(stretches, corpus)
    assert logs == pytest.approx(others, rel=1e-12)
    for found, wanted in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12, rtol=0)


@pytest.mark.slow  # kernels are compiled
def test_what_is_not_carried_begins_anew_with_each_sentence(corpus):
    run = settings("kernel", **VECTOR)
    weights, _ = start(run, corpus)
    split, numbers = corpus.splits["train"], np.arange(15)
    found = {
        (state, vector): registry.scorer(run, corpus, Reading("document", state, vector))(
            weights, split, numbers, RATE
        ).log_probabilities
        for state in (False, True)
        for vector in (False, True)
    }
    by_sentences = registry.scorer(run, corpus)(weights, split, numbers, RATE).log_probabilities
    np.testing.assert_array_equal(found[False, False], by_sentences)
    first = np.isin(np.repeat(numbers, LENGTHS), np.flatnonzero(np.diff(ARTICLES, prepend=-1)))
    for way, logs in found.items():
        np.testing.assert_allclose(logs[first], by_sentences[first], atol=1e-12, rtol=0)
        assert (way == (False, False)) or not np.allclose(logs[~first], by_sentences[~first])


@pytest.mark.slow  # PyTensor compiles the plain graph
@pytest.mark.usefixtures("quick_graph")
@pytest.mark.parametrize("learn_after", ["word", "sentence"])
def test_the_state_lives_on_while_weights_learn(corpus, learn_after):
    logs = []
    for engine in ("graph", "kernel"):
        run = settings(engine, **VECTOR, **DOCUMENT)
        online = OnlineSettings(
            frozenset(parameters.GROUPS), 0.1, RATE, 3, learn_after, "document", carries_state=True
        )
        weights, _ = start(run, corpus)
        scorer = registry.online_scorer(run, corpus, weights, online)
        logs.append(scorer.score(corpus.splits["train"], np.arange(15)).log_probabilities)
    np.testing.assert_allclose(*logs, atol=1e-10, rtol=0)


def test_jax_computes_documents_as_the_kernels_do(corpus):
    pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    run = VECTOR | DOCUMENT | {"cell": "lstm"}
    (jax, of_jax), (kernel, of_kernel) = (
        learn(settings(engine, **run), corpus) for engine in ("jax", "kernel")
    )
    assert of_jax == pytest.approx(of_kernel, rel=1e-10)
    for found, wanted in zip(jax.weights, kernel.weights, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-10, rtol=0)
    scores = [
        registry.scorer(settings(engine, **run), corpus)(
            kernel.weights, corpus.splits["train"], np.arange(15), RATE
        )
        for engine in ("jax", "kernel")
    ]
    for found, wanted in zip(*scores, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-10, rtol=0)


LENGTHS_OF_UNITS = st.lists(st.integers(1, 6), min_size=1, max_size=30)


@given(lengths=LENGTHS_OF_UNITS, lanes=st.integers(1, 7), seed=st.integers(0, 99))
def test_each_lane_reads_whole_units_one_after_the_other(lengths, lanes, seed):
    units = np.append(0, np.cumsum(lengths))
    order = np.random.default_rng(seed).permutation(len(lengths))
    batches = side_by_side(units, order, lanes)
    read = batches.segments[batches.segments != NOTHING]
    assert sorted(read.tolist()) == list(range(units[-1]))
    firsts = []
    for lane in range(lanes):
        segments = batches.segments[:, lane]
        busy = segments != NOTHING
        assert not (busy[1:] & ~busy[:-1]).any()  # a lane that reads nothing has read all
        begins = batches.begins[:, lane]
        assert set(segments[begins]) == set(segments[busy]) & set(units[:-1].tolist())
        follow = np.flatnonzero(busy & ~begins)
        assert (segments[follow] == segments[follow - 1] + 1).all()
        firsts += [(time, segments[time]) for time in np.flatnonzero(begins)]
    # Units begin in the order given, and no lane waits while there is a unit to read.
    begun = [unit for _, unit in sorted(firsts, key=lambda first: first[0])]
    assert sorted(begun) == sorted(units[:-1].tolist())
    times = {segment: time for time, segment in firsts}
    in_order = [times[units[unit]] for unit in order]
    assert in_order == sorted(in_order)
    idle = (batches.segments == NOTHING).any(axis=1)
    assert not idle[: max(in_order)].any()


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    size=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_stretches_fill_each_document(lengths, size, seed):
    offsets = np.append(0, np.cumsum(lengths))
    articles = np.sort(np.random.default_rng(seed).integers(0, 5, len(lengths))).astype(np.int32)
    split = Split(np.zeros(offsets[-1] + 1, np.int32), offsets, articles)
    run = settings("kernel", **DOCUMENT, segment_tokens=size)
    segments = segments_of(split, run)
    sizes = np.diff(segments.offsets)
    assert (sizes >= 1).all()
    assert (sizes <= size).all()
    assert (segments.offsets[0], segments.offsets[-1]) == (0, offsets[-1])
    borders = segments.offsets[segments.units]
    documents = offsets[np.append(np.flatnonzero(np.diff(articles, prepend=-1)), len(lengths))]
    assert borders.tolist() == documents.tolist()
    last = np.isin(segments.offsets[1:], borders)
    assert (sizes[~last] == size).all()


def test_sentences_of_similar_length_are_scored_side_by_side(corpus):
    order = scoring_order(corpus.splits["train"], np.arange(15), SENTENCES, 4)
    lengths = np.array(LENGTHS)[order.segments[order.segments != NOTHING]]
    assert (np.diff(lengths) <= 0).all()


def test_what_is_carried_ends_with_its_unit():
    carried = Carried((np.ones((3, 2)),), np.ones((3, 1)))
    begins = np.array([True, False, False])
    before = carried.before(begins, Reading("document", state=True, vector=False))
    assert before.states[0].tolist() == [[0, 0], [1, 1], [1, 1]]
    assert before.documents.tolist() == [[0], [0], [0]]


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    places = np.arange(2000)
    found = factors(key_of(1, 1), HIDDEN, places, 50, 0.3, "float64")
    assert (found == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert found.mean() == pytest.approx(1, abs=0.02)
    # Neither words nor units are alike, nor two epochs.
    assert np.abs((found == 0).mean(axis=0) - 0.3).max() < 0.06
    assert np.abs((found == 0).mean(axis=1) - 0.3).max() < 0.35
    other = factors(key_of(1, 2), HIDDEN, places, 50, 0.3, "float64")
    assert ((found == 0) == (other == 0)).mean() == pytest.approx(0.58, abs=0.02)


@pytest.mark.parametrize("rate", [0.0, 0.999999])
def test_dropout_has_extremes(rate):
    found = factors(5, HIDDEN, np.arange(500), 20, rate, "float32")
    assert (found > 0).mean() == pytest.approx(1 - rate, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"segment_tokens": 9, "carry": "vector"} | VECTOR | DOCUMENT, "carry"),
        ({"document_layer": "both"} | THROUGH | VECTOR, "document_gradient"),
        ({"cell": "lstm", "document_layer": "both"} | VECTOR, "document_layer"),
        ({"dropout": 0.2, "document_layer": "hidden"} | VECTOR, "document_layer"),
        ({"dropout": 1.0}, "dropout"),
        ({"cell": "gru", "context_size": 3}, "cell"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        settings("kernel", **changes)


def test_jax_has_no_dropout():
    with pytest.raises(ValueError, match="dropout"):
        settings("jax", dropout=0.2)
