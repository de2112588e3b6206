"""Tests of the kernels' elementary functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from online_rnnlm.core.engines.kernels.elementwise import exponential, largest

pytestmark = pytest.mark.slow  # kernels are compiled with checked indices


@njit
def largest_of(values):
    return largest(values)


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=70))
def test_the_largest_of_any_number_of_values_is_found(values):
    for precision in ("float32", "float64"):
        array = np.array(values, precision)
        assert largest_of(array) == array.max()


@njit
def exponentials(values):
    results = np.empty_like(values)
    for i in range(values.size):
        results[i] = exponential(values[i])
    return results


def test_the_exponential_is_accurate_and_rises_up_to_its_bounds():
    values = np.linspace(-31, 31, 1_000_001, dtype=np.float32)
    results = exponentials(values)
    exact = np.exp(np.clip(values, -30, 30), dtype="f8")
    np.testing.assert_allclose(results, exact, rtol=3e-7)
    # Rounding may make it fall, but by no more than the allowed error, and not at its bounds.
    assert (results[1:] >= results[:-1] * (1 - 3e-7)).all()
    for bound in (-30.0, 30.0):
        near = np.sort(np.float32(bound) * np.linspace(0.999, 1.001, 20_001, dtype=np.float32))
        assert (np.diff(exponentials(near)) >= 0).all()
        beyond = exponentials(np.array([bound, 10 * bound, np.inf * bound], np.float32))
        assert (beyond == beyond[0]).all()
