"""Tests of the kernels' parts: elementary functions and the batch's layout."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from online_rnnlm.core.engines.kernels import layout
from online_rnnlm.core.engines.kernels.data import Classes, KernelText
from online_rnnlm.core.engines.kernels.elementwise import exponential, largest
from online_rnnlm.core.lanes import NOTHING

pytestmark = pytest.mark.slow  # kernels are compiled with checked indices

UNLIMITED = settings(deadline=None)  # compiling is slow


@njit
def largest_of(values):
    return largest(values)


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=70))
@UNLIMITED
def test_the_largest_is_found_in_vectors_and_behind_them(values):
    for precision in ("float32", "float64"):
        array = np.array(values, precision)
        assert largest_of(array) == array.max()


@njit
def exponentials(values, results):
    for i in range(values.size):
        results[i] = exponential(values[i])


def mapped(function, values):
    results = np.empty_like(values)
    function(values, results)
    return results


def test_exponential_is_accurate_everywhere_and_rises_up_to_its_bounds():
    values = np.linspace(-31, 31, 1_000_001, dtype=np.float32)
    results = mapped(exponentials, values)
    exact = np.exp(np.clip(values, -30, 30), dtype="f8")
    np.testing.assert_allclose(results, exact, rtol=3e-7)
    # Rounding may make it fall, but by no more than the allowed error, and not at its bounds.
    assert (results[1:] >= results[:-1] * (1 - 3e-7)).all()
    for bound in (-30.0, 30.0):
        near = np.sort(np.float32(bound) * np.linspace(0.999, 1.001, 20_001, dtype=np.float32))
        assert (np.diff(mapped(exponentials, near)) >= 0).all()
        beyond = mapped(exponentials, np.array([bound, 10 * bound, np.inf * bound], np.float32))
        assert (beyond == beyond[0]).all()


@UNLIMITED
@given(
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=70),
    class_sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_every_token_lies_once_in_the_batch_and_once_in_its_class(lengths, class_sizes, seed):
    chance = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    stream = chance.integers(0, sum(class_sizes), offsets[-1] + 1).astype(np.int32)
    segments = chance.permutation(len(lengths))
    idle = np.insert(segments, chance.integers(0, len(segments) + 1), NOTHING)
    batch = layout.lay_out(KernelText(stream, offsets), idle, 0)

    # The longest come first; those of equal length keep the given order.
    expected = sorted(segments.tolist(), key=lambda segment: -lengths[segment])
    assert idle[batch.lanes].tolist() == expected
    assert len(batch.first_rows) == max(lengths) + 1
    assert batch.first_rows[-1] == len(batch.places) == offsets[-1]
    for b, segment in enumerate(expected):
        rows = batch.first_rows[: lengths[segment]] + b
        assert (rows < batch.first_rows[1 : lengths[segment] + 1]).all()
        begin, end = offsets[segment], offsets[segment + 1]
        np.testing.assert_array_equal(batch.places[rows], np.arange(begin, end))
        np.testing.assert_array_equal(batch.inputs[rows], stream[begin:end])
        np.testing.assert_array_equal(batch.targets[rows], stream[begin + 1 : end + 1])

    class_offsets = np.concatenate([[0], np.cumsum(class_sizes)]).astype(np.int64)
    labels = np.repeat(np.arange(len(class_sizes)), class_sizes)
    classes = Classes(labels, class_offsets)
    groups = layout.group_by_class(classes, batch.targets)
    labels = labels[batch.targets]
    values = np.arange(groups.scores)
    seen = []
    for c, size in enumerate(class_sizes):
        words = groups.words[groups.starts[c] : groups.starts[c + 1]]
        assert words.tolist() == np.flatnonzero(labels == c).tolist()
        if len(words):
            of_class = layout.scores_of_class(values, groups, classes, c)
            firsts = groups.first_scores[words]
            assert of_class.tolist() == (firsts[:, None] + np.arange(size)).tolist()
            seen += of_class.ravel().tolist()
    assert seen == values.tolist()
