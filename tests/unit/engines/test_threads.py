"""Tests of several threads that compute a training together."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from numba import njit

from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.engines import registry
from online_rnnlm.engines.dropout import key_of
from online_rnnlm.engines.kernels.layout import SECTION
from online_rnnlm.engines.kernels.team import wait
from online_rnnlm.engines.lanes import one_by_one, segments_of, side_by_side
from online_rnnlm.engines.teams import Team
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for

CLASS_SIZES = (1, 40, 1, 5, 12, 3)
SENTENCES = 200
LANES = 3 * SECTION + 5
VECTOR = {"document_size": 5}
DOCUMENT = {"unit_of_text": "document"}
CASES = {
    "static": {},
    "vector": VECTOR,
    "documents": VECTOR | DOCUMENT,
    "through": VECTOR | {"document_gradient": "through"},
    "dropout": VECTOR | {"dropout": 0.4, "embedding_dropout": 0.2},
    "hidden layer": VECTOR | {"document_layer": "hidden"},
    "both layers": VECTOR | DOCUMENT | {"document_layer": "both"},
    "lstm": VECTOR | DOCUMENT | {"cell": "lstm", "dropout": 0.3},
    "gru": {"cell": "gru", "embedding_dropout": 0.3},
    "context": VECTOR | {"context_size": 4},
}


def settings(changes) -> RunSettings:
    return RunSettings(
        corpus="c", hidden_size=37, batch_sentences=LANES, error_clip=0.05, **changes
    )


@pytest.fixture(scope="module")
def corpus(small):
    generator = np.random.default_rng(5)
    lengths = generator.integers(1, 30, SENTENCES)
    split = small.random_split(generator, sum(CLASS_SIZES), lengths)
    articles = np.sort(generator.integers(0, 150, SENTENCES)).astype(np.int32)
    return small.corpus_of(CLASS_SIZES, replace(split, articles=articles))


def learnt(run, corpus, threads):
    """All that two passes over the text change, and their log P."""
    sizes = sizes_for(run, corpus)
    weights = parameters.initialise(sizes, 0.5, 1, run.precision)
    sums = parameters.filled(sizes, 0.5, run.precision)
    trainer = registry.trainer(run, corpus, weights, sums, threads=threads)
    segments = segments_of(corpus.splits["train"], run)
    batches = side_by_side(
        segments.units, np.arange(len(segments.units) - 1), len(trainer.carried.documents)
    )
    found = [trainer.update(batches, 0.3, key_of(1, epoch)) for epoch in (1, 2)]
    carried = (*trainer.carried.states, trainer.carried.documents)
    return [*trainer.weights, *trainer.accumulators, *carried, np.array(found)]


def assert_same_bits(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_training_has_the_same_bits_for_every_number_of_threads(corpus, changes):
    run = settings(changes)
    alone = learnt(run, corpus, 1)
    assert np.isfinite(alone[-1]).all()
    for threads in (2, 3):
        assert_same_bits(learnt(run, corpus, threads), alone)


@pytest.mark.parametrize("name", ["static", "documents", "both layers", "lstm"])
def test_scores_have_the_same_bits_for_every_number_of_threads(corpus, name):
    run = settings(CASES[name])
    weights = parameters.initialise(sizes_for(run, corpus), 0.5, 1, run.precision)
    split, numbers = corpus.splits["train"], np.arange(SENTENCES)

    def scores(threads):
        reading = Reading(run.unit_of_text, state=True, vector=True)
        score = registry.scorer(run, corpus, reading, hidden_states=True, threads=threads)
        return score(weights, split, numbers, 0.2)

    alone = scores(1)
    assert alone.log_probabilities.max() < 0
    for threads in (2, 4):
        assert_same_bits(scores(threads), alone)


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_kernels_keep_no_references_to_the_arrays_they_are_given(corpus, changes):
    """They count none, so that one left over would keep a model's memory for ever."""
    run = settings(changes)
    sizes = sizes_for(run, corpus)
    weights = parameters.initialise(sizes, 0.5, 1, run.precision)
    trainer = registry.trainer(run, corpus, weights, parameters.filled(sizes, 0.5, run.precision))
    score = registry.scorer(run, corpus, Reading(run.unit_of_text, state=True, vector=True))
    split, numbers = corpus.splits["train"], np.arange(SENTENCES)
    batches = one_by_one(numbers, LANES)
    arrays = [*weights, *trainer.weights, *trainer.accumulators, split.stream, split.offsets]

    def references():
        trainer.update(batches, 0.1)
        score(weights, split, numbers, 0.2)
        return [sys.getrefcount(array) for array in arrays]

    before = references()
    assert references() == references() == before


@njit(nogil=True)
def wait_as_a_kernel(member):
    """Wait as kernels do, which have released Python's lock: else the others could not run."""
    wait(member)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_thread_that_fails_does_not_leave_the_others_waiting(number):
    def call(member):
        if member.number == number:
            raise ValueError("no memory")
        wait_as_a_kernel(member)

    with pytest.raises(ValueError, match="no memory"):
        Team(3).run(call)
