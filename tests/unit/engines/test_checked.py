"""Tests that no engine is given weights, words or sentences outside of its arrays."""

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings
from online_rnnlm.engines.names import online_engine, usable_anywhere
from online_rnnlm.errors import UserError

SIZES = [2, 3, 4]
ONLINE = OnlineSettings(frozenset({"output"}), 0.1, 0.0, bptt_steps=2)


@pytest.fixture
def settings() -> RunSettings:
    return RunSettings.model_validate({"corpus": "small", "hidden_size": 3, "document_size": 2})


@pytest.fixture
def corpus(small):
    return small.corpus_of(SIZES, small.split_of([[3, 4, 0], [5, 8, 0]]))


@pytest.fixture
def larger(small):
    """A corpus of three words more."""
    return small.corpus_of([*SIZES, 3], small.split_of([[3, 4, 0], [11, 8, 0]]))


def each_entry(settings, corpus, weights, split, numbers):
    """Yield functions that give these weights and this text to an engine."""
    yield lambda: registry.scorer(settings, corpus)(weights, split, numbers, 0.1)
    yield lambda: registry.online_scorer(settings, corpus, weights, ONLINE).score(split, numbers)


def assert_refused(entries, what: str) -> None:
    for entry in entries:
        with pytest.raises(UserError, match=what):
            entry()


def test_what_fits_is_scored(settings, corpus, small):
    weights = small.weights_for(settings, corpus)
    text = corpus.splits["train"]
    for score in each_entry(settings, corpus, weights, text, np.arange(2)):
        assert np.isfinite(score().log_probabilities).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array[:-1],
        lambda array: array[:, :-1],
        lambda array: array.astype("float64"),
    ],
    ids=["rows", "columns", "type"],
)
@pytest.mark.parametrize("name", ["embeddings", "word_output", "word_document"])
def test_weights_of_other_shapes_are_refused(settings, corpus, small, name, change):
    weights = small.weights_for(settings, corpus)
    wrong = weights._replace(**{name: change(getattr(weights, name))})
    text, what = corpus.splits["train"], f"`{name}` is float"
    assert_refused(each_entry(settings, corpus, wrong, text, np.arange(2)), what)
    for given in ((wrong, weights), (weights, wrong)):
        with pytest.raises(UserError, match=what):
            registry.trainer(settings, corpus, *given)


def test_weights_of_another_vocabulary_are_refused(settings, corpus, larger, small):
    weights = small.weights_for(settings, corpus)
    text = corpus.splits["train"]
    assert_refused(each_entry(settings, larger, weights, text, np.arange(2)), r"\(12, 3\)")


def test_words_beyond_the_vocabulary_are_refused(settings, corpus, larger, small):
    weights = small.weights_for(settings, corpus)
    text = larger.splits["train"]
    assert_refused(each_entry(settings, corpus, weights, text, np.arange(2)), "the word 11,")
    negative = Split(np.array([0, -1, 0], np.int32), np.array([0, 2], np.int64))
    assert_refused(each_entry(settings, corpus, weights, negative, np.arange(1)), "the word -1,")
    training = small.corpus_of(SIZES, text)
    with pytest.raises(UserError, match="the word 11,"):
        registry.trainer(settings, training, weights, weights)


@pytest.mark.parametrize("numbers", [[0, 2], [-1]])
def test_sentences_that_are_not_there_are_refused(settings, corpus, small, numbers):
    weights, text = small.weights_for(settings, corpus), corpus.splits["train"]
    wanted = np.array(numbers)
    assert_refused(each_entry(settings, corpus, weights, text, wanted), "the sentences 0 to 1")


@pytest.mark.parametrize("offsets", [[0, 3, 7], [0, 7, 6], [1, 3, 6], [0, 0, 6], [0, 3], []])
def test_sentences_that_do_not_fill_the_text_are_refused(settings, corpus, small, offsets):
    weights = small.weights_for(settings, corpus)
    text = Split(corpus.splits["train"].stream, np.array(offsets, np.int64))
    none = np.zeros(0, np.int64)
    assert_refused(each_entry(settings, corpus, weights, text, none), "offsets")


@pytest.mark.parametrize("others", [{"cell": "lstm"}, {"cell": "gru"}, {"context_size": 2}])
@pytest.mark.parametrize("layer", ["hidden", "both"])
def test_a_vector_that_feeds_the_hidden_layer_is_never_left_out(small, others, layer):
    """The kernels of these cells have no part for it."""
    own = {"document_size": 2, "document_layer": layer, **others}
    trained = RunSettings(corpus="c", hidden_size=3, engine="jax", **own)
    assert {usable_anywhere(trained).engine, online_engine(trained)} == {"graph"}
    corpus = small.corpus_of([1, 3], small.split_of([[1, 2, 0]]))
    with pytest.raises(ValueError, match="engine: kernel"):
        registry.scorer(trained.model_copy(update={"engine": "kernel"}), corpus)
