"""Testing while weights learn: the kernel against the plain graph, and what holds for both."""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pytest

from online_rnnlm import updates
from online_rnnlm.configuration import RunSettings
from online_rnnlm.model import engine
from online_rnnlm.model.parameters import GROUPS, Parameters
from online_rnnlm.model.state import OnlineSettings

pytestmark = pytest.mark.usefixtures("quick_graph")

UNEVEN = (1, 4, 1, 9, 2, 7)
LENGTHS = (3, 1, 9, 4, 2, 6)
ORDER = np.array([2, 0, 5, 1, 3, 4, 2])  # one sentence comes again: it is better known then
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
RATE = 0.3
EVERYTHING = ("embeddings", "recurrent", "output")


class Case(NamedTuple):
    precision: str
    document_size: int
    learning: tuple[str, ...]
    document_rate: float
    steps: int
    error_clip: float = 0.0


CASES = [
    Case("float64", 0, ("embeddings",), 0.0, 4),
    Case("float64", 0, ("recurrent",), 0.0, 1),
    Case("float64", 0, EVERYTHING, 0.0, 4, error_clip=0.05),
    Case("float64", 3, ("embeddings",), RATE, 1),
    Case("float64", 3, ("recurrent",), RATE, 4),
    Case("float64", 3, ("output",), RATE, 1),
    Case("float64", 3, ("output",), 0.0, 4),
    Case("float64", 3, ("embeddings", "recurrent"), 0.0, 4),
    Case("float64", 3, ("embeddings", "output"), RATE, 4),
    Case("float64", 3, ("recurrent", "output"), RATE, 1),
    Case("float64", 3, EVERYTHING, RATE, 4, error_clip=0.05),
    Case("float32", 0, ("output",), 0.0, 1),
    Case("float32", 0, EVERYTHING, 0.0, 4),
    Case("float32", 3, EVERYTHING, RATE, 4),
]


@pytest.fixture
def corpus(small):
    chance = np.random.default_rng(7)
    return small.corpus_of(UNEVEN, small.random_split(chance, sum(UNEVEN), LENGTHS))


def settings_of(kind, precision, document_size, error_clip=0.0):
    return RunSettings(
        corpus="small",
        hidden_size=6,
        document_size=document_size,
        error_clip=error_clip,
        seed=5,
        engine=kind,
        precision=precision,
    )


def scored(small, kind, corpus, case, learning_rate=0.05):
    """The scores of the sentences in order, and the weights after the last."""
    settings = settings_of(kind, case.precision, case.document_size, case.error_clip)
    online = OnlineSettings(frozenset(case.learning), learning_rate, case.document_rate, case.steps)
    weights = small.weights_for(settings, corpus)
    untouched = deepcopy(weights)
    scorer = engine.online_scorer(settings, corpus, weights, online)
    # In two calls: what is learnt stays from one to the next.
    parts = [scorer.score(corpus.splits["train"], part) for part in (ORDER[:3], ORDER[3:])]
    for array, before in zip(weights, untouched, strict=True):
        np.testing.assert_array_equal(array, before)  # a scorer works on copies
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)], scorer.weights, weights


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_kernel_learns_as_the_graph_does(small, corpus, case):
    expected, wanted, _ = scored(small, "graph", corpus, case)
    actual, found, start = scored(small, "kernel", corpus, case)
    tolerance = TOLERANCE[case.precision]
    for array, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance)
    for name in Parameters._fields:
        array, other = getattr(found, name), getattr(wanted, name)
        assert array.dtype == case.precision
        np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance, err_msg=name)
    learning = {name for group in case.learning for name in GROUPS[group]}
    if not case.document_rate:
        learning -= {"class_document", "word_document"}  # d = 0: nothing to learn from
    for name in Parameters._fields:
        same = np.array_equal(getattr(found, name), getattr(start, name))
        assert same == (name not in learning or (not case.document_size and "document" in name))


@pytest.mark.parametrize("kind", ["kernel", "graph"])
@pytest.mark.parametrize(("document_size", "rate"), [(0, 0.0), (3, RATE)])
@pytest.mark.parametrize(("learning", "learning_rate"), [(EVERYTHING, 0.0), ((), 0.1)])
def test_weights_that_do_not_move_are_scored_as_by_the_plain_scorer(
    small, corpus, kind, document_size, rate, learning, learning_rate
):
    case = Case("float64", document_size, learning, rate, 4)
    actual, _, weights = scored(small, kind, corpus, case, learning_rate)
    settings = settings_of(kind, "float64", document_size)
    expected = engine.scorer(settings, corpus)(weights, corpus.splits["train"], ORDER, rate)
    for array, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12, atol=1e-13)


def test_a_sentence_seen_before_is_better_known(small, corpus):
    scores, _, _ = scored(small, "kernel", corpus, Case("float64", 3, EVERYTHING, RATE, 4))
    assert scores[0][-1] > scores[0][0]


def test_how_far_the_loss_reaches_back_matters_to_what_it_teaches(small, corpus):
    one, four = (
        scored(small, "kernel", corpus, Case("float64", 0, ("recurrent",), 0.0, steps))[1]
        for steps in (1, 4)
    )
    assert np.abs(one.recurrent - four.recurrent).max() > 1e-3


def test_the_parts_that_can_be_named_are_those_that_the_model_has():
    assert (updates.DOCUMENT_VECTOR, *GROUPS) == updates.PARTS
