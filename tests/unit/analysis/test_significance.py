import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from online_rnnlm.analysis.significance import (
    bootstrap_interval,
    compare,
    equivalence_p_value,
    holm,
    seed_interval,
    side,
    sign_flip_p_value,
)

Floats = npt.NDArray[np.float64]
REPLICATIONS = 500


def _enumerated(gains: list[float]) -> float:
    """Return the sign-flip test's p-value by its definition, one pattern after another."""
    patterns = list(itertools.product([-1, 1], repeat=len(gains)))
    sums = [abs(sum(s * g for s, g in zip(signs, gains, strict=True))) for signs in patterns]
    return sum(value >= abs(sum(gains)) - 1e-9 for value in sums) / len(patterns)


def test_tiny_permutation_by_hand() -> None:
    # Only two of the 8 sign patterns, +++ and ---, reach |1 + 2 + 4| = 7.
    assert sign_flip_p_value(np.array([1.0, 2.0, 4.0]), seed=1) == 2 / 8


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=7))
def test_few_sentences_are_enumerated(gains: list[int]) -> None:
    values = [float(gain) for gain in gains]
    assert sign_flip_p_value(np.array(values), seed=1) == pytest.approx(_enumerated(values))


def test_drawn_signs_agree_with_all_signs() -> None:
    gains = np.random.default_rng(3).normal(0.3, 1, 12)
    exact = _enumerated(list(gains))
    drawn = sign_flip_p_value(gains, seed=1, resamples=4000)  # 2^12 > 4000, so patterns are drawn
    assert drawn == pytest.approx(exact, abs=0.03)


def test_drawn_signs_agree_with_scipy() -> None:
    gains = np.random.default_rng(5).exponential(size=100) - 0.8
    theirs = stats.permutation_test(
        (gains,), np.sum, permutation_type="samples", n_resamples=4000, rng=1
    ).pvalue
    assert sign_flip_p_value(gains, seed=1, resamples=4000) == pytest.approx(theirs, abs=0.03)


def test_no_difference_is_on_neither_side() -> None:
    scores, tokens = -np.arange(1.0, 101), np.full(100, 5)
    same = compare(scores, scores, tokens)
    assert (same.difference, same.low, same.high, same.p_value, same.side) == (0, 0, 0, 1, 0)
    noise = np.random.default_rng(1).normal(size=100)
    noisy = compare(scores + noise - noise.mean(), scores, tokens)
    assert noisy.side == 0
    assert noisy.p_value > 0.9


def test_a_constant_gain_has_an_interval_of_one_point() -> None:
    tokens = np.random.default_rng(1).integers(1, 30, 200)
    result = compare(-1.0 * tokens, -1.5 * tokens, tokens)
    assert [result.difference, result.low, result.high] == pytest.approx([0.5, 0.5, 0.5])
    assert result.side == 1
    assert result.p_value < 0.001


def test_two_models_that_change_places_change_the_sign() -> None:
    random = np.random.default_rng(2)
    tokens = random.integers(1, 30, 80)
    first, second = -random.gamma(2.0, tokens), -random.gamma(2.1, tokens)
    one, other = compare(first, second, tokens), compare(second, first, tokens)
    assert other.difference == -one.difference
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.p_value == one.p_value


def test_a_margin_moves_what_is_tested_and_not_the_interval() -> None:
    random = np.random.default_rng(2)
    tokens = random.integers(5, 30, 200)
    second = -3.0 * tokens
    first = second - 0.005 * tokens + random.normal(0, 0.02, 200) * tokens
    plain, margin = compare(first, second, tokens), compare(first, second, tokens, null=-0.02)
    assert (margin.low, margin.high) == (plain.low, plain.high)
    assert (plain.side, margin.side) == (-1, 1)  # worse, but by less than the margin
    shifted = compare(first + 0.02 * tokens, second, tokens)
    assert margin.p_value == shifted.p_value < 0.001


def test_one_sided_p_values_by_hand() -> None:
    # Of 8 sign patterns, +++ alone reaches 7; all but +++ reach -7 or more as --- does, too.
    gains = np.array([1.0, 2.0, 4.0])
    assert sign_flip_p_value(gains, seed=1, two_sided=False) == 1 / 8
    assert sign_flip_p_value(-gains, seed=1, two_sided=False) == 1


def test_equivalence_by_hand() -> None:
    """Gains 0 and 1 with a margin of 1: shifted up 1 and 2, shifted down 1 and 0."""
    gains, tokens = np.array([0.0, 1.0]), np.array([1, 1])
    # 1 + 2 is reached by ++ alone; 1 + 0 by ++ and +-.
    assert equivalence_p_value(gains, tokens, 1.0, seed=1) == 2 / 4
    assert equivalence_p_value(-gains, tokens, 1.0, seed=1) == 2 / 4


def test_equal_models_are_equivalent_and_unclear_ones_are_not() -> None:
    tokens, zeros = np.full(400, 25), np.zeros(400)
    noise = np.random.default_rng(1).normal(0, 1, 400)
    small, large = (compare(scale * noise, zeros, tokens, margin=0.01) for scale in (1.0, 10.0))
    assert small.equivalence_p_value is not None
    assert small.equivalence_p_value < 0.05
    assert large.equivalence_p_value is not None
    assert large.equivalence_p_value > 0.05
    assert compare(noise, zeros, tokens).equivalence_p_value is None


def test_the_interval_is_as_wide_as_the_theory_says() -> None:
    gains = np.random.default_rng(1).normal(0, 1, 400)
    low, high = bootstrap_interval(gains, np.ones(400, int), seed=2)
    assert high - low == pytest.approx(2 * 1.96 * gains.std() / 20, rel=0.05)


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    gains, tokens = np.random.default_rng(1).normal(0.1, 1, 60), np.ones(60, int)
    whole = sign_flip_p_value(gains, 1), bootstrap_interval(gains, tokens, 1)
    monkeypatch.setattr("online_rnnlm.analysis.significance._CHUNK_ELEMENTS", 1000)
    parts = sign_flip_p_value(gains, 1), bootstrap_interval(gains, tokens, 1)
    assert parts[0] == pytest.approx(whole[0], abs=0.02)
    assert parts[1] == pytest.approx(whole[1], abs=0.02)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.2, 1), (-0.2, -0.1, -1), (-0.1, 0.1, 0), (0.0, 0.1, 0)]
)
def test_sides(low: float, high: float, expected: int) -> None:
    assert side(low, high, 0.0) == expected
    assert side(low - 1, high - 1, -1.0) == expected


def test_seed_interval_by_hand() -> None:
    # Mean 2, sample standard deviation 1, so t = 2 / (1 / √3) with 2 degrees of freedom, whose
    # distribution function has a closed form: p = 1 - t / √(2 + t²); its 97.5 % point is 4.3027.
    found = seed_interval([1.0, 2.0, 3.0])
    assert found is not None
    t = 2 * math.sqrt(3)
    assert found.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert (found.low, found.high) == pytest.approx(
        (2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3))
    )
    assert (found.mean, found.seeds, found.side) == (2, 3, 0)


def test_one_seed_says_nothing_of_others() -> None:
    assert seed_interval([0.3]) is None


def test_seeds_that_agree_leave_a_point() -> None:
    equal = seed_interval([0.1 + 0.2, 0.3, 0.3])
    assert equal is not None
    assert (equal.low, equal.high, equal.p_value) == (pytest.approx(0.3), pytest.approx(0.3), 0)
    assert equal.side == 1
    nothing = seed_interval([0.0, 0.0])
    assert nothing is not None
    assert (nothing.p_value, nothing.side) == (1, 0)


@settings(deadline=None)
@given(
    st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=6),
    st.floats(-1, 1),
)
def test_seed_interval_agrees_with_scipy(differences: list[float], null: float) -> None:
    found = seed_interval(differences, null)
    assert found is not None
    if len(set(differences)) > 1:
        theirs = stats.ttest_1samp(differences, null)
        assert found.p_value == pytest.approx(theirs.pvalue)
        assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    # The interval and the p-value come from one test and must agree.
    assert (found.side != 0) == (found.p_value < 0.05) or found.p_value == pytest.approx(0.05)


def test_holm_by_hand() -> None:
    # Sorted: 0.01 · 4, 0.02 · 3, 0.03 · 2 (equal to the one before), 0.9 · 1.
    assert holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    # 0.04 · 1 is less than 0.03 · 2, but corrected p-values keep their order.
    assert holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12), st.randoms())
def test_holm_corrects_upwards_and_keeps_the_order(p_values: list[float], random: object) -> None:
    adjusted = holm(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, adjusted, strict=True))
    ranked = [new for _, new in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)
    bonferroni = [min(1, len(p_values) * p) for p in p_values]
    assert all(new <= b + 1e-12 for new, b in zip(adjusted, bonferroni, strict=True))
    order = np.random.default_rng(1).permutation(len(p_values))
    assert holm([p_values[i] for i in order]) == [adjusted[i] for i in order]


def _skewed(random: np.random.Generator, truth: float) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Draw gains and tokens of sentences from a population whose mean gain a token is `truth`.

    Lengths are 3 to 40; longer sentences gain more a token; the noise is exponential.
    """
    tokens = random.integers(3, 41, 150)
    slope = 0.02 * (tokens - 21.5) * tokens  # its mean is 0.02 times the lengths' variance
    noise = (random.exponential(size=150) - 1) * 3 * np.sqrt(tokens)
    return truth * tokens + slope - 0.02 * (38**2 - 1) / 12 + noise, tokens


def _covered(intervals: Floats, truth: float, width: float = 1.0) -> float:
    """Return the share of intervals that contain the truth; `width` scales all intervals."""
    middle, half = intervals.mean(axis=1), width * np.diff(intervals, axis=1)[:, 0] / 2
    return float(np.mean(np.abs(truth - middle) <= half))


def _is_95_percent(share: float) -> bool:
    return 0.92 <= share <= 0.98


def test_95_percent_of_bootstrap_intervals_hold_the_truth() -> None:
    random, truth = np.random.default_rng(11), 0.1
    intervals = np.array(
        [bootstrap_interval(*_skewed(random, truth), i, 300) for i in range(REPLICATIONS)]
    )
    assert _is_95_percent(_covered(intervals, truth))
    # The check fails, as it should, for half the width or another truth.
    assert not _is_95_percent(_covered(intervals, truth, width=0.5))
    assert not _is_95_percent(_covered(intervals, truth + 0.1))


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_95_percent_of_seed_intervals_hold_the_truth(seeds: int) -> None:
    random, truth = np.random.default_rng(12), 0.05
    found = [seed_interval(list(row)) for row in random.normal(truth, 0.02, (2000, seeds))]
    intervals = np.array([(one.low, one.high) for one in found if one is not None])
    assert _is_95_percent(_covered(intervals, truth))
    assert not _is_95_percent(_covered(intervals, truth, width=0.5))


def _as_many_as_by_chance(p_values: Floats) -> bool:
    """Return True if, within chance, 5 % of the p-values are below 0.05 and half are below 0.5."""
    for level in (0.05, 0.5):
        low, high = stats.binom.interval(0.998, len(p_values), level)
        if not low <= np.sum(p_values <= level) <= high:
            return False
    return True


def _sentence_p(random: np.random.Generator) -> float:
    return sign_flip_p_value(_skewed(random, 0.0)[0], seed=1, resamples=199)


def _margin_p(random: np.random.Generator) -> float:
    """Return the p-value for a first model that is worse by exactly the margin."""
    gains, tokens = _skewed(random, -0.01)
    zeros = np.zeros(len(gains))
    return compare(gains, zeros, tokens, null=-0.01, resamples=199).p_value


def _seeds_p(random: np.random.Generator) -> float:
    found = seed_interval(list(random.normal(0, 0.02, 3)))
    assert found is not None
    return found.p_value


@pytest.mark.parametrize("draw", [_sentence_p, _margin_p, _seeds_p])
def test_without_a_difference_p_values_are_uniform(
    draw: Callable[[np.random.Generator], float],
) -> None:
    random = np.random.default_rng(13)
    p_values = np.array([draw(random) for _ in range(REPLICATIONS)])
    assert _as_many_as_by_chance(p_values)
    assert not _as_many_as_by_chance(p_values / 2)  # one-sided, chosen afterwards


@pytest.mark.parametrize("truth", [-0.5, 0.5])
def test_models_that_differ_by_the_margin_are_seldom_called_equal(truth: float) -> None:
    """The one-sided tests are exact for symmetric gains; these are skewed."""
    random = np.random.default_rng(15)
    drawn = [_skewed(random, truth) for _ in range(REPLICATIONS)]
    called = [equivalence_p_value(*one, 0.5, seed=1, resamples=199) <= 0.05 for one in drawn]
    assert 0.01 <= np.mean(called) <= 0.1


def test_holm_keeps_the_chance_of_any_false_claim_at_5_percent() -> None:
    families = np.random.default_rng(14).uniform(size=(REPLICATIONS, 10))
    any_false = np.array([min(holm(list(family))) <= 0.05 for family in families])
    assert any_false.sum() <= stats.binom.ppf(0.999, REPLICATIONS, 0.05)
    uncorrected = (families.min(axis=1) <= 0.05).sum()
    assert uncorrected > stats.binom.ppf(0.999, REPLICATIONS, 0.05)
