"""Tests of the parameters' shapes, numbers and files."""

import numpy as np
import pytest

from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import Sizes


@pytest.mark.parametrize(
    "sizes",
    [
        Sizes(11, 3, 4, 0),
        Sizes(15332, 100, 98, 20),
        Sizes(11, 3, 4, 5, "hidden"),
        Sizes(11, 3, 4, 5, "both"),
    ],
)
def test_the_count_is_what_the_arrays_hold(sizes):
    weights = parameters.initialise(sizes, 0.1, 1, "float32")
    assert parameters.count(sizes) == sum(array.size for array in weights)
    assert parameters.sizes_of(weights) == sizes


def test_the_count_by_hand():
    # E and W_o have 10 · 3 each, W_h 3 · 3, W_c 4 · 3; V_c and V_o have 2 · 4 and 2 · 10.
    assert parameters.count(Sizes(10, 3, 4, 0)) == 81
    assert parameters.count(Sizes(10, 3, 4, 2)) == 81 + 28
    # V_h has 2 · 3, instead of the 28 of V_c and V_o or in addition to them.
    assert parameters.count(Sizes(10, 3, 4, 2, "hidden")) == 81 + 6
    assert parameters.count(Sizes(10, 3, 4, 2, "both")) == 81 + 28 + 6


def test_what_the_vector_feeds_changes_nothing_else():
    output, both = (
        parameters.initialise(Sizes(10, 3, 4, 2, layer), 0.1, 1, "float64")
        for layer in ("output", "both")
    )
    for array, same in zip(output[:-1], both[:-1], strict=True):
        np.testing.assert_array_equal(array, same)
    hidden = parameters.initialise(Sizes(10, 3, 4, 2, "hidden"), 0.1, 1, "float64")
    np.testing.assert_array_equal(hidden.word_output, both.word_output)
    assert [array.shape for array in hidden[-3:]] == [(0, 4), (0, 10), (2, 3)]
    assert both.hidden_document.all()


def test_weights_are_normal_and_the_seeds():
    sizes = Sizes(300, 40, 10, 5, "both")
    first, again, other = (parameters.initialise(sizes, 0.2, s, "float32") for s in (1, 1, 2))
    for array, same, different in zip(first, again, other, strict=True):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, same)
        assert not np.array_equal(array, different)
    assert first.embeddings.std() == pytest.approx(0.2, rel=0.03)
    assert abs(first.embeddings.mean()) < 0.01
    assert not np.array_equal(first.embeddings, first.word_output)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("document", [(0, "output"), (2, "output"), (2, "hidden")])
def test_saved_weights_are_read_back(tmp_path, precision, document):
    weights = parameters.initialise(Sizes(7, 3, 2, *document), 0.1, 1, precision)
    weight_files.save(weights, tmp_path / "model.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
    for array, expected in zip(weight_files.read(tmp_path / "model.npz"), weights, strict=True):
        assert (array.dtype, array.shape) == (precision, expected.shape)
        np.testing.assert_array_equal(array, expected)


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    weights = parameters.initialise(Sizes(7, 3, 2, 1), 0.1, 1, "float32")
    weight_files.save(weights, tmp_path / "model.npz")

    def full(file, **_):
        file.write(b"half of it")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        weight_files.save(
            parameters.filled(Sizes(7, 3, 2, 1), 0, "float32"), tmp_path / "model.npz"
        )
    np.testing.assert_array_equal(weight_files.read(tmp_path / "model.npz").recurrent, weights[1])
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_seen_wherever_it_is(bad):
    sizes = Sizes(7, 3, 2, 1, "both")
    for name in Parameters._fields:
        weights = parameters.filled(sizes, 1.0, "float32")
        assert parameters.all_finite(weights)
        getattr(weights, name)[-1, -1] = bad
        assert not parameters.all_finite(weights)
