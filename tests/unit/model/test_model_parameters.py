"""Parameters: shapes, numbers, files; what a prediction costs."""

import numpy as np
import pytest

from online_rnnlm.model import parameters
from online_rnnlm.model.cost import multiply_adds_per_word
from online_rnnlm.model.parameters import Parameters, Sizes


@pytest.mark.parametrize("sizes", [Sizes(11, 3, 4, 0), Sizes(15332, 100, 98, 20)])
def test_the_count_is_what_the_arrays_hold(sizes):
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    assert parameters.count(sizes) == sum(array.size for array in weights)
    assert parameters.sizes_of(weights) == sizes


def test_the_count_by_hand():
    # E and W_o 10 · 3 each, W_h 3 · 3, W_c 4 · 3; the document vector's 2 · 4 and 2 · 10.
    assert parameters.count(Sizes(10, 3, 4, 0)) == 81
    assert parameters.count(Sizes(10, 3, 4, 2)) == 81 + 28


def test_weights_are_normal_and_the_seeds():
    sizes = Sizes(300, 40, 10, 5)
    first, again, other = (parameters.initialise(sizes, 0.2, s, "float32") for s in (1, 1, 2))
    for array, same, different in zip(first, again, other, strict=True):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, same)
        assert not np.array_equal(array, different)
    assert first.embeddings.std() == pytest.approx(0.2, rel=0.03)
    assert abs(first.embeddings.mean()) < 0.01
    assert not np.array_equal(first.embeddings, first.word_output)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("document_size", [0, 2])
def test_saved_weights_are_read_back(tmp_path, precision, document_size):
    weights = parameters.initialise(Sizes(7, 3, 2, document_size), 0.1, 1, precision)
    parameters.save(weights, tmp_path / "model.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
    for array, expected in zip(parameters.read(tmp_path / "model.npz"), weights, strict=True):
        assert (array.dtype, array.shape) == (precision, expected.shape)
        np.testing.assert_array_equal(array, expected)


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    weights = parameters.initialise(Sizes(7, 3, 2, 1), 0.1, 1, "float32")
    parameters.save(weights, tmp_path / "model.npz")

    def full(file, **_):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        parameters.save(parameters.filled(Sizes(7, 3, 2, 1), 0, "float32"), tmp_path / "model.npz")
    np.testing.assert_array_equal(parameters.read(tmp_path / "model.npz").recurrent, weights[1])
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_seen_wherever_it_is(bad):
    sizes = Sizes(7, 3, 2, 1)
    for name in Parameters._fields:
        weights = parameters.filled(sizes, 1.0, "float32")
        assert parameters.all_finite(weights)
        getattr(weights, name)[-1, -1] = bad
        assert not parameters.all_finite(weights)


def test_multiply_adds_by_hand():
    # M = 100, 100 classes, 50 words in the target's class: 100² + 150 · 100.
    assert multiply_adds_per_word(Sizes(10_000, 100, 100, 0), 50.0) == 25_000
    # D = 20: V d and its gradient, 2 · 150 · 20, and the step, 20.
    assert multiply_adds_per_word(Sizes(10_000, 100, 100, 20), 50.0) == 31_020
    # An uneven mean: 98 classes, 50.5 words.
    assert multiply_adds_per_word(Sizes(10_000, 100, 98, 0), 50.5) == 24_850
