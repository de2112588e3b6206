"""Tests of scoring while weights learn: kernel against plain graph, and properties of both."""

import sys
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import engines, parameters
from online_rnnlm.core.parameters import BY_PART
from online_rnnlm.core.scoring import score_text
from tests.unit import small_models as small
from tests.unit.core.numpy_cells import predict

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

UNEVEN = (1, 4, 1, 9, 2, 7)
LENGTHS = (3, 1, 6, 4, 2)
ARTICLES = (5, 7, 5, 7, 5)
ORDER = np.array([2, 0, 1, 3, 4, 2])  # sentence 2 is there twice
DOCUMENTS = (ORDER[:2], ORDER[2:4], ORDER[4:])
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
RATE = 0.3
EVERYTHING = ("embeddings", "recurrent", "output")


class Case(NamedTuple):
    document_size: int
    learning: tuple[str, ...]
    document_rate: float
    bptt_steps: int
    learn_after: str | int
    unit_of_text: str
    error_clip: float = 0.0
    precision: str = "float64"
    carries_state: bool = False
    one_class: bool = False
    cell: str = "sigmoid"
    document_step: str = "error"
    document_decay: float = 1.0

    def settings(self, kind="kernel", **changes):
        own = (
            "document_size",
            "error_clip",
            "precision",
            "cell",
            "document_step",
            "document_decay",
        )
        values = {key: getattr(self, key) for key in own}
        values["unit_of_text"] = "document" if self.carries_state else "sentence"
        return RunSettings(corpus="small", hidden_size=6, seed=5, engine=kind, **(values | changes))

    def adaptation(self, learning_rate=0.05):
        later = self.document_rate, self.bptt_steps, self.learn_after, self.unit_of_text
        return small.adaptation_of(self.learning, learning_rate, *later)


CASES = [
    Case(0, EVERYTHING, 0.0, 4, "word", "sentence", error_clip=0.05),
    Case(0, ("recurrent", "output"), 0.0, 2, "sentence", "document", error_clip=0.05),
    Case(3, (), RATE, 2, "sentence", "document"),
    Case(3, (), RATE, 1, 5, "document", carries_state=True),
    Case(3, (), RATE, 1, 5, "document", cell="lstm"),
    Case(3, (), RATE, 1, 2, "sentence"),
    Case(3, (), RATE, 1, 2, "document", document_step="words", document_decay=0.8),
    Case(3, EVERYTHING, RATE, 2, "word", "document", document_decay=0.8),
    Case(3, ("embeddings", "recurrent"), 0.0, 3, "word", "stream"),
    Case(3, EVERYTHING, RATE, 4, "word", "document", error_clip=0.05, carries_state=True),
    Case(3, EVERYTHING, RATE, 4, "sentence", "document", error_clip=0.05, carries_state=True),
    Case(3, (), RATE, 4, "word", "document"),
    Case(3, ("recurrent",), RATE, 4, "word", "sentence", error_clip=0.02),
    Case(3, ("embeddings", "recurrent"), RATE, 1, "sentence", "stream"),
    Case(3, EVERYTHING, RATE, 4, "word", "document", one_class=True),
    Case(3, EVERYTHING, RATE, 4, "sentence", "stream", precision="float32"),
    Case(3, EVERYTHING, RATE, 4, "word", "document", carries_state=True, cell="slow_context"),
    Case(0, ("recurrent",), 0.0, 4, "sentence", "document", cell="slow_context"),
]


@pytest.fixture
def corpus():
    chance = np.random.default_rng(7)
    split = small.random_split(chance, sum(UNEVEN), LENGTHS)
    return small.corpus_of(UNEVEN, replace(split, articles=np.array(ARTICLES, np.int32)))


def scored(corpus, case, order=ORDER, kind="kernel"):
    """Return the scores of these sentences as a text."""
    settings = case.settings(kind)
    weights = small.weights_for(settings, corpus)
    text = small.chosen(corpus.splits["train"], order)
    return small.scored(settings, corpus, weights, text, case.adaptation())


def assert_close(actual, expected, precision):
    tolerance = TOLERANCE[precision]
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_kernel_learns_as_the_graph_does(corpus, case):
    if case.one_class:
        one = np.array([0, corpus.vocabulary_size], np.int64)
        corpus = replace(corpus, class_offsets=one)
    expected = scored(corpus, case, kind="graph")
    actual = scored(corpus, case)
    found = actual.weights
    arrays = [[*of[:3], *of.weights] for of in (actual, expected)]
    for array, other in zip(*arrays, strict=True):
        assert_close(array, other, case.precision)
    assert actual.log_probabilities.dtype == "float64"
    assert actual.document_vectors.dtype == found.embeddings.dtype == case.precision
    assert len(actual.log_probabilities) == np.array(LENGTHS)[ORDER].sum()
    learning = {name for group in case.learning for name in BY_PART[group]}
    if not case.document_rate:
        learning = {n for n in learning if "document" not in n}  # with d = 0 they have no gradient
    if case.one_class:
        learning.discard("class_output")  # P(c) is 1
        learning.discard("class_document")
    start = small.weights_for(case.settings(), corpus)
    if not case.document_rate:
        start = parameters.without_document(start)
    for name, before in start._asdict().items():
        same = np.array_equal(getattr(found, name), before)
        assert same == (name not in learning or not before.size), name
    assert actual.document_vectors.any() == (case.document_rate > 0)


@pytest.mark.parametrize(
    ("kind", "learn_after"), [("kernel", "word"), ("kernel", "sentence"), ("graph", "word")]
)
def test_every_call_starts_from_the_weights_given(corpus, kind, learn_after):
    case = Case(3, EVERYTHING, RATE, 4, learn_after, "stream")
    settings = case.settings(kind)
    engine = small.engine_of(settings, corpus)
    weights = small.weights_for(settings, corpus)
    untouched = deepcopy(weights)
    score = partial(score_text, engine, weights, case.adaptation())
    text = small.chosen(corpus.splits["train"], ORDER)
    nothing = score(text.first(0))
    assert [array.shape for array in nothing[:3]] == [(0,), (0, 3), (0, 6)]
    small.assert_same(nothing.weights, weights)
    first = score(text)
    assert not np.array_equal(score(text.first(2)).weights.recurrent, first.weights.recurrent)
    again = score(text)
    small.assert_same([*again[:3], *again.weights], [*first[:3], *first.weights])
    small.assert_same(weights, untouched)


def test_a_call_gives_the_same_whatever_other_calls_begin_within_it(corpus):
    """At every line of the engine, another call scores another text, as another thread would."""
    case = Case(3, EVERYTHING, RATE, 4, "word", "stream")
    settings = case.settings()
    engine = small.engine_of(settings, corpus)
    weights = small.weights_for(settings, corpus)
    score = partial(score_text, engine, weights, case.adaptation())
    text = small.chosen(corpus.splits["train"], ORDER)
    expected = score(text)
    interruptions = 0

    def interrupt(frame, *_):
        nonlocal interruptions
        if not frame.f_globals["__name__"].startswith(engines.__name__):
            return None
        interruptions += 1
        score(text.first(2))
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        found = score(text)
    finally:
        sys.settrace(before)
    assert interruptions > 20
    small.assert_same([*found[:3], *found.weights], [*expected[:3], *expected.weights])


@pytest.mark.parametrize("unit", ["stream", "document"])
@pytest.mark.parametrize("learn_after", ["sentence", 1, 2, 5, 8])
def test_a_vectors_step_is_the_sum_of_its_words(corpus, learn_after, unit):
    """The equations give the same: Σ ∂L_t/∂d_t, with d fixed as after the step before."""
    case = Case(3, (), RATE, 1, learn_after, unit)
    actual = scored(corpus, case)
    weights = small.weights_for(case.settings(), corpus)
    split = corpus.splits["train"]
    expected = []
    for number, sentence in enumerate(ORDER):
        if number == 0 or (unit == "document" and number % 2 == 0):
            document = np.zeros(3)
            steps = []
        words = small.words_of(split, sentence)
        held = []
        for t in range(len(words)):
            held.append(document)
            read = words[: t + 1]
            found = predict("sigmoid", weights, corpus.class_offsets, read, held, RATE)
            logs, before, after, _ = found
            expected.append(logs[-1])
            steps.append(after[-1] - before[-1])
            if len(steps) == learn_after or (learn_after == "sentence" and read == words):
                document = document + sum(steps)
                steps = []
        np.testing.assert_allclose(actual.document_vectors[number], document, atol=1e-12)
    np.testing.assert_allclose(actual.log_probabilities, expected, rtol=1e-10)


def test_learning_after_more_words_than_a_unit_has_is_none(corpus):
    case = Case(3, (), RATE, 1, 1, "document")
    frozen = scored(corpus, case._replace(document_rate=0.0)).log_probabilities
    longest = sum(LENGTHS[sentence] for sentence in DOCUMENTS[0])
    for learn_after, learns in ((longest, True), (longest + 1, False)):
        actual = scored(corpus, case._replace(learn_after=learn_after))
        np.testing.assert_allclose(actual.log_probabilities, frozen, rtol=1e-12)
        assert actual.document_vectors.any() == learns


@pytest.mark.parametrize("learn_after", ["word", "sentence"])
@pytest.mark.parametrize("learning", [(), EVERYTHING], ids=str)
def test_a_unit_of_text_is_scored_as_if_it_were_alone(corpus, learn_after, learning):
    parts = {
        "sentence": [[n] for n in ORDER],
        "document": DOCUMENTS,
        "stream": [ORDER],
    }
    every = []
    for unit, orders in parts.items():
        case = Case(3, learning, RATE, 4, learn_after, unit)
        together = scored(corpus, case)
        alone = [scored(corpus, case, order) for order in orders]
        logs = np.concatenate([scores.log_probabilities for scores in alone])
        np.testing.assert_allclose(together.log_probabilities, logs, rtol=1e-12)
        # The earlier units have no effect but that of rounding, by the words beside.
        small.assert_same(together.weights, alone[-1].weights)
        every.append(together.log_probabilities)
    for one, other in pairwise(every):  # the units of text give different results
        assert np.abs(one - other).max() > 1e-3
