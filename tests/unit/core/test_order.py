"""Tests of the order in which a text is read, of what is carried over, and of dropout's units."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.kernels.dropout import HIDDEN, factors
from online_rnnlm.core.order import (
    NOTHING,
    order_to_score,
    order_to_train,
    segments_of,
    side_by_side,
    unit_beginnings,
)
from online_rnnlm.core.text import Split
from online_rnnlm.core.training import dropout_key
from online_rnnlm.use.network import split_of

LENGTHS = (3, 1, 6, 4, 2)
ARTICLES = np.array([5, 5, 7, 7, 5], np.int32)
UNITS_BEGIN = {
    "sentence": [True] * 5,
    "document": [True, False, True, False, True],
    "stream": [True] + [False] * 4,
}


def text(articles=ARTICLES) -> Split:
    return replace(split_of([[0] * length for length in LENGTHS]), articles=articles)


@pytest.mark.parametrize("unit", UNITS_BEGIN)
def test_where_units_of_text_begin(unit):
    assert unit_beginnings(text(), unit).tolist() == UNITS_BEGIN[unit]
    no_articles = text(np.zeros(0, np.int32))
    as_sentences = unit if unit == "stream" else "sentence"
    assert unit_beginnings(no_articles, unit).tolist() == UNITS_BEGIN[as_sentences]
    assert unit_beginnings(text().first(0), unit).tolist() == []


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
    run = RunSettings(corpus="c", hidden_size=4, unit_of_text="document", segment_tokens=size)
    segments = segments_of(split, run.network, run.rule)
    sizes = segments.split.lengths
    assert (sizes >= 1).all()
    assert (sizes <= size).all()
    assert (segments.split.offsets[0], segments.split.offsets[-1]) == (0, offsets[-1])
    borders = segments.split.offsets[segments.units]
    documents = offsets[np.append(np.flatnonzero(np.diff(articles, prepend=-1)), len(lengths))]
    assert borders.tolist() == documents.tolist()
    last = np.isin(segments.split.offsets[1:], borders)
    assert (sizes[~last] == size).all()


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    lanes=st.integers(1, 9),
    size=st.integers(0, 5),
)
def test_a_stream_is_cut_into_lanes_of_about_equal_length(lengths, lanes, size):
    offsets = np.append(0, np.cumsum(lengths))
    split = Split(np.zeros(offsets[-1] + 1, np.int32), offsets)
    changes = {"unit_of_text": "stream", "batch_sentences": lanes, "segment_tokens": size}
    run = RunSettings.model_validate({"corpus": "c", **changes})
    segments = segments_of(split, run.network, run.rule)
    borders = segments.split.offsets[segments.units]
    assert len(borders) - 1 <= lanes
    assert (borders[0], borders[-1]) == (0, offsets[-1])
    assert np.isin(borders, offsets).all()
    assert np.diff(borders).max() < offsets[-1] / lanes + max(lengths)
    cut = size or max(lengths)
    assert np.diff(segments.split.offsets).max() <= cut
    batches = order_to_train(segments, run.rule, np.arange(len(borders) - 1))
    assert batches.begins.sum() == batches.begins[0].sum() == len(borders) - 1


ADAPTATIONS = st.builds(
    Adaptation,
    parts=st.sampled_from([(), ("document_vector",), ("output",)]),
    unit_of_text=st.sampled_from([None, "sentence", "document", "stream"]),
)


@given(
    lengths=st.lists(st.integers(1, 9), max_size=200),
    seed=st.integers(0, 99),
    adaptation=ADAPTATIONS,
)
def test_every_sentence_is_scored_once_after_those_before_it_in_its_unit(lengths, seed, adaptation):
    chance = np.random.default_rng(seed)
    articles = np.sort(chance.integers(0, 1 + len(lengths) // 3, len(lengths))).astype(np.int32)
    split = replace(split_of([[0] * length for length in lengths]), articles=articles)
    network = RunSettings(corpus="c").network
    order = order_to_score(split, network, adaptation)
    begins = unit_beginnings(split, adaptation.unit_in(network))
    read = order.segments != NOTHING
    assert sorted(order.segments[read].tolist()) == list(range(len(lengths)))
    np.testing.assert_array_equal(order.begins[read], begins[order.segments[read]])
    for lane in range(order.lanes):
        numbers = order.segments[:, lane]
        for earlier, later in pairwise(numbers[numbers != NOTHING].tolist()):
            assert later == earlier + 1 or begins[later]
    if adaptation.weights:
        assert order.lanes == 1 and order.segments[:, 0].tolist() == list(range(len(lengths)))


def test_sentences_of_similar_length_are_scored_side_by_side():
    lengths = np.random.default_rng(0).integers(1, 30, 300)
    split = split_of([[0] * int(length) for length in lengths])
    order = order_to_score(split, RunSettings(corpus="c").network, Adaptation())
    read = lengths[order.segments[order.segments != NOTHING]]
    assert (np.diff(read) <= 0).all()


def test_what_is_carried_over_ends_with_its_unit_of_text():
    carried = Carried(*(np.ones((3, size)) for size in (2, 4, 1, 1)), np.ones(3, np.int64))
    begins = np.array([True, False, False])
    for first_kept in (0, 1, 2):
        before = carried.before(begins, first_kept)
        for values in (before.vector, before.gradient, before.since_step):
            assert values.reshape(-1).tolist() == [0, 1, 1]
        kept = [int(unit >= first_kept) for unit in range(2)]
        assert before.hidden.tolist() == [[0, 0], kept, kept]
        assert before.memory[:, 0].tolist() == ([0, 1, 1] if first_kept == 0 else [0, 0, 0])
    begins[:] = True
    assert not any(values.any() for values in carried.before(begins))


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    places = np.arange(2000)
    found = factors(dropout_key(1, 1), HIDDEN, places, 50, 0.3, "float64")
    assert (found == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert found.mean() == pytest.approx(1, abs=0.02)
    # Neither words nor units are alike, nor two epochs.
    assert np.abs((found == 0).mean(axis=0) - 0.3).max() < 0.06
    assert np.abs((found == 0).mean(axis=1) - 0.3).max() < 0.35
    other = factors(dropout_key(1, 2), HIDDEN, places, 50, 0.3, "float64")
    assert ((found == 0) == (other == 0)).mean() == pytest.approx(0.58, abs=0.02)


@pytest.mark.parametrize("rate", [0.0, 0.999999])
def test_dropout_may_leave_out_nothing_or_nearly_everything(rate):
    found = factors(5, HIDDEN, np.arange(500), 20, rate, "float32")
    assert (found > 0).mean() == pytest.approx(1 - rate, abs=1e-3)
