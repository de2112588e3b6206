"""Tests of scoring while weights learn: kernel against plain graph, and properties of both."""

from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from online_rnnlm.config import evaluations as updates
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings, first_words
from online_rnnlm.engines.lanes import unit_beginnings
from online_rnnlm.model import parameters
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import GROUPS, groups_of
from online_rnnlm.model.sizes import sizes_for

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

UNEVEN = (1, 4, 1, 9, 2, 7)
LENGTHS = (3, 1, 6, 4, 2)
ARTICLES = (5, 7, 5, 7, 5)
ORDER = np.array([2, 0, 1, 3, 4, 2])  # sentence 2 is there twice
DOCUMENTS = (ORDER[:2], ORDER[2:4], ORDER[4:])
UNITS_BEGIN = {
    "sentence": [True] * 6,
    "document": [True, False] * 3,
    "stream": [True] + [False] * 5,
}
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
RATE = 0.3
EVERYTHING = ("embeddings", "recurrent", "output")


class Case(NamedTuple):
    document_size: int
    learning: tuple[str, ...]
    document_rate: float
    bptt_steps: int
    learn_after: str
    unit_of_text: str
    document_layer: str = "output"
    error_clip: float = 0.0
    precision: str = "float64"

    def settings(self, kind="kernel", **changes):
        values = {
            "corpus": "small",
            "hidden_size": 6,
            "document_size": self.document_size,
            "document_layer": self.document_layer,
            "error_clip": self.error_clip,
            "seed": 5,
            "engine": kind,
            "precision": self.precision,
        }
        return RunSettings.model_validate({**values, **changes})

    def online(self, learning_rate=0.05):
        return OnlineSettings(
            frozenset(self.learning),
            learning_rate,
            self.document_rate,
            self.bptt_steps,
            self.learn_after,
            self.unit_of_text,
        )


CASES = [
    Case(0, ("embeddings",), 0.0, 4, "word", "stream"),
    Case(0, ("recurrent",), 0.0, 1, "word", "document"),
    Case(0, EVERYTHING, 0.0, 4, "word", "sentence", error_clip=0.05),
    Case(0, ("recurrent", "output"), 0.0, 2, "sentence", "document", error_clip=0.05),
    Case(3, (), RATE, 2, "word", "stream"),
    Case(3, (), RATE, 2, "sentence", "document"),
    Case(3, ("output",), RATE, 1, "word", "document"),
    Case(3, ("embeddings", "recurrent"), 0.0, 3, "word", "stream"),
    Case(3, ("embeddings", "output"), RATE, 4, "word", "document"),
    Case(3, ("recurrent", "output"), RATE, 2, "word", "sentence"),
    Case(3, EVERYTHING, RATE, 4, "word", "document", error_clip=0.05),
    Case(3, EVERYTHING, RATE, 4, "sentence", "document", error_clip=0.05),
    Case(3, (), RATE, 4, "word", "document", "hidden", error_clip=0.02),
    Case(3, (), RATE, 1, "sentence", "stream", "both", error_clip=0.02),
    Case(3, ("embeddings",), RATE, 3, "word", "stream", "hidden"),
    Case(3, ("recurrent",), RATE, 4, "word", "document", "both", error_clip=0.02),
    Case(3, ("output",), RATE, 2, "word", "sentence", "hidden"),
    Case(3, EVERYTHING, RATE, 4, "word", "sentence", "hidden", error_clip=0.02),
    Case(3, EVERYTHING, RATE, 3, "word", "stream", "both"),
    Case(3, EVERYTHING, 0.0, 2, "word", "document", "both"),
    Case(3, EVERYTHING, RATE, 1, "sentence", "document", "hidden", error_clip=0.02),
    Case(3, ("embeddings", "recurrent"), RATE, 1, "sentence", "stream", "both"),
    Case(0, EVERYTHING, 0.0, 4, "word", "document", precision="float32"),
    Case(3, EVERYTHING, RATE, 4, "word", "document", precision="float32"),
    Case(3, EVERYTHING, RATE, 4, "sentence", "stream", "both", precision="float32"),
]


@pytest.fixture
def corpus(small):
    chance = np.random.default_rng(7)
    split = small.random_split(chance, sum(UNEVEN), LENGTHS)
    return small.corpus_of(UNEVEN, replace(split, articles=np.array(ARTICLES, np.int32)))


def new_scorer(small, corpus, case, kind="kernel", learning_rate=0.05):
    """Return a new scorer and the weights that it was given."""
    settings = case.settings(kind)
    weights = small.weights_for(settings, corpus)
    return registry.online_scorer(settings, corpus, weights, case.online(learning_rate)), weights


def scored(small, corpus, case, order=ORDER, kind="kernel", learning_rate=0.05):
    """Return the scores of the sentences in order, and the weights after the last sentence."""
    scorer, _ = new_scorer(small, corpus, case, kind, learning_rate)
    return scorer.score(corpus.splits["train"], np.array(order)), scorer.weights


def assert_close(actual, expected, precision):
    tolerance = TOLERANCE[precision]
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_kernel_learns_as_the_graph_does(small, corpus, case):
    expected, wanted = scored(small, corpus, case, kind="graph")
    actual, found = scored(small, corpus, case)
    for array, other in zip([*actual, *found], [*expected, *wanted], strict=True):
        assert_close(array, other, case.precision)
    assert actual.log_probabilities.dtype == "float64"
    assert actual.document_vectors.dtype == found.embeddings.dtype == case.precision
    assert len(actual.log_probabilities) == np.array(LENGTHS)[ORDER].sum()
    groups = groups_of(load_cell("sigmoid"))
    learning = {name for group in case.learning for name in groups[group]}
    if not case.document_rate:
        learning = {n for n in learning if "document" not in n}  # with d = 0 they have no gradient
    start = small.weights_for(case.settings(), corpus)
    for name, before in start._asdict().items():
        same = np.array_equal(getattr(found, name), before)
        assert same == (name not in learning or not before.size), name
    assert actual.document_vectors.any() == (case.document_rate > 0)


def test_so_it_does_with_one_class_for_all_words(small, corpus):
    one = replace(corpus, class_offsets=np.array([0, corpus.vocabulary_size], np.int64))
    case = Case(3, EVERYTHING, RATE, 4, "word", "document", "both")
    expected, wanted = scored(small, one, case, kind="graph")
    actual, found = scored(small, one, case)
    for array, other in zip([*actual, *found], [*expected, *wanted], strict=True):
        assert_close(array, other, case.precision)
    start = small.weights_for(case.settings(), one)
    np.testing.assert_array_equal(found.class_output, start.class_output)  # P(c) is 1


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize("learn_after", ["word", "sentence"])
def test_every_call_starts_from_the_weights_given(small, corpus, kind, learn_after):
    case = Case(3, EVERYTHING, RATE, 4, learn_after, "stream", "both")
    scorer, weights = new_scorer(small, corpus, case, kind)
    untouched = deepcopy(weights)
    split = corpus.splits["train"]
    first, learnt = scorer.score(split, ORDER), deepcopy(scorer.weights)
    scorer.score(split, ORDER[:2])
    assert not np.array_equal(scorer.weights.recurrent, learnt.recurrent)
    weights.recurrent[:] = 0  # the scorer has its own copies
    for array, expected in zip(scorer.score(split, ORDER), first, strict=True):
        np.testing.assert_array_equal(array, expected)
    for array, expected in zip(scorer.weights, learnt, strict=True):
        np.testing.assert_array_equal(array, expected)
    np.testing.assert_array_equal(weights.embeddings, untouched.embeddings)


@pytest.mark.parametrize("kind", ["kernel", "graph"])
def test_no_sentences_teach_nothing(small, corpus, kind):
    case = Case(3, EVERYTHING, RATE, 4, "word", "stream")
    scorer, weights = new_scorer(small, corpus, case, kind)
    scores = scorer.score(corpus.splits["train"], np.arange(0))
    assert [array.shape for array in scores] == [(0,), (0, 3), (0, 6)]
    for array, expected in zip(scorer.weights, weights, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize(
    "vector", [(0, "output"), (3, "output"), (3, "hidden"), (3, "both")], ids=str
)
@pytest.mark.parametrize(("learning", "learning_rate"), [(EVERYTHING, 0.0), ((), 0.1)])
def test_a_vector_alone_is_scored_as_by_the_plain_scorer(
    small, corpus, kind, vector, learning, learning_rate
):
    size, layer = vector
    case = Case(size, learning, RATE if size else 0.0, 4, "word", "sentence", layer, 0.02)
    actual, _ = scored(small, corpus, case, ORDER, kind, learning_rate)
    weights = small.weights_for(case.settings(), corpus)
    score = registry.scorer(case.settings(kind), corpus)
    expected = score(weights, corpus.splits["train"], ORDER, case.document_rate)
    for array, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layer", ["output", "hidden", "both"])
def test_what_is_learnt_after_a_sentence_is_lost_if_that_ends_the_unit(small, corpus, layer):
    case = Case(3, EVERYTHING, RATE, 4, "sentence", "sentence", layer)
    actual, learnt = scored(small, corpus, case)
    weights = small.weights_for(case.settings(), corpus)
    expected = registry.scorer(case.settings(), corpus)(weights, corpus.splits["train"], ORDER, 0.0)
    logs = actual.log_probabilities
    np.testing.assert_allclose(logs, expected.log_probabilities, rtol=1e-12)
    assert not np.array_equal(learnt.recurrent, weights.recurrent)  # changed by the last sentence


@pytest.mark.parametrize("kind", ["kernel", "graph"])
def test_a_step_after_a_sentence_is_one_of_training(small, corpus, kind):
    case = Case(0, EVERYTHING, 0.0, 4, "sentence", "stream", error_clip=0.05)
    actual, learnt = scored(small, corpus, case, kind=kind)
    training = case.settings(kind, optimizer="sgd", batch_sentences=1, l2=0.0)
    weights = small.weights_for(training, corpus)
    sums = parameters.filled(sizes_for(training, corpus), 0.1, "float64")
    trainer = registry.trainer(training, corpus, weights, sums)
    split = corpus.splits["train"]
    for number, (begin, end) in enumerate(pairwise(first_words(split.offsets, ORDER))):
        total = small.learn(trainer, ORDER[number : number + 1], 0.05)
        assert actual.log_probabilities[begin:end].sum() == pytest.approx(total, rel=1e-12)
    for array, expected in zip(learnt, trainer.weights, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-12)


def test_a_vector_that_learns_after_sentences_is_theirs_summed(small, corpus, reference):
    """The equations give the same: the sum of ∂L_t/∂d_t, with d fixed as before the sentence."""
    case = Case(3, (), RATE, 1, "sentence", "stream", "both", error_clip=0.02)
    actual, _ = scored(small, corpus, case)
    weights = small.weights_for(case.settings(), corpus)
    split, document, expected = corpus.splits["train"], np.zeros(3), []
    for number, sentence in enumerate(ORDER):
        words = small.words_of(split, sentence)
        held = [document] * len(words)
        result = reference(weights, corpus.class_offsets, words, RATE, held, 0.02)
        logs, before, after = result
        document = document + (after - before).sum(0)
        expected.append(logs)
        np.testing.assert_allclose(actual.document_vectors[number], document, atol=1e-12)
    np.testing.assert_allclose(actual.log_probabilities, np.concatenate(expected), rtol=1e-10)


@pytest.mark.parametrize("learn_after", ["word", "sentence"])
@pytest.mark.parametrize("layer", ["output", "hidden"])
@pytest.mark.parametrize("learning", [(), EVERYTHING], ids=str)
def test_a_unit_of_text_is_read_as_if_it_were_alone(small, corpus, learn_after, layer, learning):
    parts = {
        "sentence": [[n] for n in ORDER],
        "document": DOCUMENTS,
        "stream": [ORDER],
    }
    every = []
    for unit, orders in parts.items():
        case = Case(3, learning, RATE, 4, learn_after, unit, layer)
        together, learnt = scored(small, corpus, case)
        alone = [scored(small, corpus, case, order) for order in orders]
        logs = np.concatenate([scores.log_probabilities for scores, _ in alone])
        np.testing.assert_array_equal(together.log_probabilities, logs)
        # The earlier units have no effect, not even on the last bit.
        for array, expected in zip(learnt, alone[-1][1], strict=True):
            np.testing.assert_array_equal(array, expected)
        every.append(together.log_probabilities)
    for one, other in pairwise(every):  # the units of text give different results
        assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("unit", UNITS_BEGIN)
def test_where_units_of_text_begin(corpus, unit):
    split = corpus.splits["train"]
    assert unit_beginnings(split, ORDER, unit).tolist() == UNITS_BEGIN[unit]
    no_articles = replace(split, articles=np.zeros(0, np.int32))
    as_sentences = unit if unit == "stream" else "sentence"
    assert unit_beginnings(no_articles, ORDER, unit).tolist() == UNITS_BEGIN[as_sentences]
    assert unit_beginnings(split, ORDER[:0], unit).tolist() == []


LEARNING = [
    (),
    ("embeddings",),
    ("recurrent",),
    ("output",),
    ("embeddings", "recurrent"),
    ("embeddings", "output"),
    ("recurrent", "output"),
    EVERYTHING,
]
# The first word has no gradient for W_h, because h is 0 before a sentence, and none for V_h,
# because d is 0.
SOON = {"embeddings": 1, "recurrent": 2, "output": 1}


@pytest.mark.parametrize("learn_after", ["word", "sentence"])
@pytest.mark.parametrize("layer", ["output", "hidden", "both"])
@pytest.mark.parametrize("learning", LEARNING, ids=str)
@pytest.mark.parametrize("rate", [0.0, RATE])
def test_no_word_is_known_before_it_is_scored(small, learn_after, layer, learning, rate):
    if not learning and not rate:
        return
    sentences = [[3, 14, 3, 23, 7, 0], [14, 3, 9, 16, 0]]
    case = Case(3, learning, rate, 3, learn_after, "stream", layer)
    corpus = small.corpus_of(UNEVEN, small.split_of(sentences))
    scorer, weights = new_scorer(small, corpus, case)

    def logs_of(texts):
        return scorer.score(small.split_of(texts), np.arange(2)).log_probabilities

    logs = logs_of(sentences)
    for sentence, place in ((0, 3), (1, 0), (1, 2)):
        row = 6 * sentence + place
        total = 0.0
        for word in range(1, corpus.vocabulary_size):
            other = [list(words) for words in sentences]
            other[sentence][place] = word
            changed = logs_of(other)
            np.testing.assert_array_equal(changed[:row], logs[:row])
            total += np.exp(changed[row])
            assert word == sentences[sentence][place] or changed[row] != logs[row]
        end = [list(words) for words in sentences]
        end[sentence][place] = 0
        changed = logs_of(end)
        np.testing.assert_array_equal(changed[:row], logs[:row])
        # A word that was learnt before it is scored would have too large a probability.
        assert total + np.exp(changed[row]) == pytest.approx(1, rel=1e-12)

    still = registry.scorer(case.settings(), corpus)(
        weights, corpus.splits["train"], np.arange(2), 0
    )
    differs = np.flatnonzero(np.abs(logs - still.log_probabilities) > 1e-9)
    soon = min([SOON[group] for group in learning] + ([1] if rate else []))
    assert differs[0] == (soon if learn_after == "word" else 6 + soon - 1)


def test_a_sentence_seen_before_is_better_known(small, corpus):
    case = Case(3, EVERYTHING, RATE, 4, "word", "stream")
    split = corpus.splits["train"]
    logs = scored(small, corpus, case)[0].log_probabilities
    again = np.add.reduceat(logs, first_words(split.offsets, ORDER)[:-1])
    assert again[-1] > again[0]


def test_how_far_the_loss_reaches_back_matters_to_what_it_teaches(small, corpus):
    one, four = (
        scored(small, corpus, Case(0, ("recurrent",), 0.0, steps, "word", "stream"))[1]
        for steps in (1, 4)
    )
    assert np.abs(one.recurrent - four.recurrent).max() > 1e-3


def test_later_calls_may_need_more_memory(small):
    """Longer sentences and larger classes need more memory than the first call reserved."""
    chance = np.random.default_rng(4)
    sizes = (1, 80, 2)
    train, valid = (small.random_split(chance, sum(sizes), n) for n in ((2, 1, 3), (30, 2, 17)))
    corpus = small.corpus_of(sizes, train, valid)
    for learn_after in ("word", "sentence"):
        case = Case(4, EVERYTHING, RATE, 4, learn_after, "stream", "both")
        used, _ = new_scorer(small, corpus, case)
        for split in (train, valid, train):
            fresh, _ = new_scorer(small, corpus, case)
            results = [scorer.score(split, np.arange(3)) for scorer in (used, fresh)]
            for array, expected in zip(*results, strict=True):
                np.testing.assert_array_equal(array, expected)


def test_the_parts_that_can_be_named_are_those_that_the_model_has():
    assert (updates.DOCUMENT_VECTOR, *GROUPS) == updates.PARTS
