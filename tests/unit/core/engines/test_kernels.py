"""Tests of the kernels' parts: matrix products, elementary functions and the batch's layout."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from online_rnnlm.core.engines.kernels import blas, layout
from online_rnnlm.core.engines.kernels.data import Text, classes_from_offsets
from online_rnnlm.core.engines.kernels.elementwise import exponential, larger
from online_rnnlm.core.engines.kernels.rows import multiply_rows
from online_rnnlm.core.engines.kernels.workspace import allocate
from online_rnnlm.core.sizes import Sizes

pytestmark = pytest.mark.slow  # kernels are compiled with checked indices

PRODUCTS = {
    "nn": (blas.multiply_nn, lambda a, b: a @ b),
    "nt": (blas.multiply_nt, lambda a, b: a @ b.T),
    "tn": (blas.multiply_tn, lambda a, b: a.T @ b),
}
PADDING = 99.0
UNLIMITED = settings(deadline=None)  # compiling is slow


@njit(fastmath=True)
def largest(values):
    top = values[0]
    for value in values:
        top = larger(top, value)
    return top


@given(st.lists(st.floats(-(2.0**90), 2.0**90, width=32), min_size=1, max_size=70))
@UNLIMITED
def test_the_largest_is_found_in_vectors_and_behind_them(values):
    for precision in ("float32", "float64"):
        array = np.array(values, precision)
        assert largest(array) == array.max()


@njit
def exponentials(values, results):
    for i in range(values.size):
        results[i] = exponential(values[i])


def mapped(function, values):
    results = np.empty_like(values)
    function(values, results)
    return results


def inside(wide_by, array):
    """Copy a matrix into the inside of a larger one; return the inner part and the larger one."""
    rows, columns = array.shape
    larger = np.full((rows + 2, columns + wide_by), PADDING, array.dtype)
    part = larger[1 : 1 + rows, 1 : 1 + columns]
    part[:] = array
    return part, larger


def check_product(kind, precision, shape, factors, wide_by, seed):
    """Check c ← alpha a b + beta c on slices of wider matrices; `shape`: rows, inner, columns."""
    multiply, expected = PRODUCTS[kind]
    rows, between, columns = shape
    alpha, beta = factors
    chance = np.random.default_rng(seed)
    shape_a = (between, rows) if kind == "tn" else (rows, between)
    shape_b = (columns, between) if kind == "nt" else (between, columns)
    a, b, c = (
        chance.normal(size=shape).astype(precision) for shape in (shape_a, shape_b, (rows, columns))
    )
    wanted = alpha * expected(a.astype("float64"), b.astype("float64")) + beta * c
    if beta == 0:
        c[:] = np.nan  # the old values must not matter
    (part_a, _), (part_b, _), (part_c, larger) = (inside(wide_by, x) for x in (a, b, c))
    real = np.dtype(precision).type
    multiply(real(alpha), part_a, part_b, real(beta), part_c)
    tolerance = 1e-6 if precision == "float32" else 1e-14
    np.testing.assert_allclose(part_c, wanted, rtol=0, atol=tolerance * (between + 5))
    part_c[:] = PADDING
    assert (larger == PADDING).all()  # nothing outside of the result was written


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kind", PRODUCTS)
@UNLIMITED
@given(
    shape=st.tuples(*[st.integers(0, 7)] * 3),
    factors=st.tuples(*[st.sampled_from([0.0, 1.0, -0.5])] * 2),
    wide_by=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_products_on_slices_of_wider_matrices(kind, precision, shape, factors, wide_by, seed):
    check_product(kind, precision, shape, factors, wide_by, seed)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@UNLIMITED
@given(shape=st.tuples(st.integers(0, 20), *[st.integers(0, 35)] * 2), seed=st.integers(0, 1000))
def test_each_row_of_a_product_by_rows_has_the_bits_that_it_has_alone(precision, shape, seed):
    """Blocks are of 8 rows and 16 columns; the last ones are smaller."""
    rows, between, columns = shape
    chance = np.random.default_rng(seed)
    shapes = (rows, between), (between, columns), (rows, columns)
    a, b, c = (chance.normal(size=one).astype(precision) for one in shapes)
    wanted = c + a.astype("float64") @ b.astype("float64")
    (part_a, _), (part_b, _), (part_c, larger) = (inside(2, x) for x in (a, b, c))
    multiply_rows(part_a, part_b, part_c)
    tolerance = 1e-6 if precision == "float32" else 1e-14
    np.testing.assert_allclose(part_c, wanted, rtol=0, atol=tolerance * (between + 5))
    for row, together in zip(range(rows), part_c.copy(), strict=True):
        alone = inside(2, c[row : row + 1])[0]
        multiply_rows(inside(2, a[row : row + 1])[0], part_b, alone)
        np.testing.assert_array_equal(alone[0], together)
    part_c[:] = PADDING
    assert (larger == PADDING).all()  # nothing outside of the result was written


# These products are so large that they are computed in pieces, the last of them smaller.
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kind", PRODUCTS)
@pytest.mark.parametrize(
    "shape", [(10, 1501, 200), (301, 45, 303), (20, 100, 183), (65, 100, 183), (3, 7, 60_001)]
)
def test_large_products(kind, precision, shape):
    check_product(kind, precision, shape, (-0.5, 1.0), 2, 0)


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
    lengths=st.lists(st.integers(1, 8), min_size=1, max_size=3 * layout.SECTION),
    class_sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_every_token_lies_once_in_the_batch_and_once_in_its_class(lengths, class_sizes, seed):
    chance = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    stream = chance.integers(0, sum(class_sizes), offsets[-1] + 1).astype(np.int32)
    classes = classes_from_offsets(np.concatenate([[0], np.cumsum(class_sizes)]).astype(np.int64))
    text, tokens = Text(stream, offsets), int(offsets[-1])
    batch = chance.permutation(len(lengths))
    idle = np.insert(batch, chance.integers(0, len(batch) + 1), -1)  # a lane that reads nothing
    model = Sizes(sum(class_sizes), hidden=1, classes=len(class_sizes), document=0)
    laid = allocate(model, text, classes, batch, len(batch), np.float32)

    sections, found = layout.lay_out(text, idle, laid)
    assert (sections, found) == (len(laid.steps), tokens)
    # The longest come first; those of equal length keep the given order.
    expected = sorted(batch.tolist(), key=lambda sentence: -lengths[sentence])
    assert idle[laid.sorted_lanes].tolist() == expected
    assert sorted(idle[laid.lanes].tolist()) == list(range(len(batch)))
    seen = []
    for number in range(sections):
        section = layout.section_of.py_func(laid, number)
        own = idle[laid.lanes[laid.first_lanes[number] : laid.first_lanes[number + 1]]]
        assert own.tolist() == expected[number::sections]
        assert section.steps == lengths[own[0]]
        seen += range(*layout.rows_of(section))
        for b, sentence in enumerate(own):
            rows = section.first_rows[: lengths[sentence]] + b
            assert (rows < section.first_rows[1 : lengths[sentence] + 1]).all()
            begin, end = offsets[sentence], offsets[sentence + 1]
            np.testing.assert_array_equal(laid.places[rows], np.arange(begin, end))
            np.testing.assert_array_equal(laid.inputs[rows], stream[begin:end])
            np.testing.assert_array_equal(laid.targets[rows], stream[begin + 1 : end + 1])
    assert seen == list(range(tokens))

    layout.group_by_class(tokens, classes, laid)
    order, firsts = laid.rows_by_class[:tokens], laid.first_candidates[:tokens]
    assert sorted(order.tolist()) == list(range(tokens))
    assert order[laid.places_by_class[:tokens]].tolist() == list(range(tokens))
    labels = classes.of_word[laid.targets[:tokens]]
    sizes = np.array(class_sizes)[labels]
    needed = int(sizes.sum())
    values = np.arange(needed)
    for c, size in enumerate(class_sizes):
        rows = order[laid.class_starts[c] : laid.class_starts[c + 1]]
        assert rows.tolist() == np.flatnonzero(labels == c).tolist()
        assert (np.diff(firsts[rows]) == size).all()
        if len(rows):
            of_class = layout.candidates_of.py_func(values, firsts[rows[0]], len(rows), size)
            assert of_class.tolist() == (firsts[rows][:, None] + np.arange(size)).tolist()
    candidates = [s for row in range(tokens) for s in range(firsts[row], firsts[row] + sizes[row])]
    assert sorted(candidates) == list(range(needed))
