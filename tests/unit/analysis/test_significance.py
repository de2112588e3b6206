import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from online_rnnlm.analysis.sides import PieceScores, effect_of, null_of, p_value_of
from online_rnnlm.analysis.significance import (
    bootstrap_interval,
    equivalence_p_value,
    holm,
    pieces_of,
    seed_interval,
    side,
    sign_flip_p_value,
)
from online_rnnlm.config.corpora import CorpusSettings

Floats = npt.NDArray[np.float64]
REPLICATIONS = 500


def test_tiny_permutations_by_hand():
    gains = np.array([1.0, 2.0, 4.0])
    # Only two of the 8 sign patterns, +++ and ---, reach |1 + 2 + 4| = 7.
    assert sign_flip_p_value(gains, seed=1) == 2 / 8
    # +++ alone reaches 7; all but +++ reach -7 or more as --- does, too.
    assert sign_flip_p_value(gains, seed=1, two_sided=False) == 1 / 8
    assert sign_flip_p_value(-gains, seed=1, two_sided=False) == 1


def test_drawn_signs_agree_with_scipy():
    gains = np.random.default_rng(5).exponential(size=100) - 0.8
    theirs = stats.permutation_test(
        (gains,), np.sum, permutation_type="samples", n_resamples=4000, rng=1
    ).pvalue
    assert sign_flip_p_value(gains, seed=1, resamples=4000) == pytest.approx(theirs, abs=0.03)


def test_a_margin_moves_what_is_tested_and_not_the_interval():
    random = np.random.default_rng(2)
    tokens = random.integers(5, 30, 200)
    second = -3.0 * tokens
    first = second - 0.005 * tokens + random.normal(0, 0.02, 200) * tokens
    ours, theirs = (PieceScores({1: 1.0}, logs, tokens) for logs in (first, second))
    plain, margin = effect_of(ours, theirs), effect_of(ours, theirs, margin_percent=2)
    interval = plain.interval_nats_per_token
    assert margin.interval_nats_per_token == interval
    sides = side(interval), side(interval, null_of(2))
    assert sides == (-1, 1)  # worse, but by less than the margin
    shifted = PieceScores({1: 1.0}, first - null_of(2) * tokens, tokens)
    assert p_value_of(ours, theirs, 2) == p_value_of(shifted, theirs) < 0.001
    assert margin.equivalence.shown
    assert plain.equivalence is None


def test_equivalence_by_hand():
    """Gains 0 and 1 with a margin of 1: shifted up 1 and 2, shifted down 1 and 0."""
    gains, tokens = np.array([0.0, 1.0]), np.array([1, 1])
    # 1 + 2 is reached by ++ alone; 1 + 0 by ++ and +-.
    assert equivalence_p_value(gains, tokens, 1.0) == 2 / 4
    assert equivalence_p_value(-gains, tokens, 1.0) == 2 / 4


def test_chunks_do_not_change_the_result(monkeypatch):
    gains, tokens = np.random.default_rng(1).normal(0.1, 1, 60), np.ones(60, int)
    whole = sign_flip_p_value(gains, 1), bootstrap_interval(gains, tokens, 1)
    monkeypatch.setattr("online_rnnlm.analysis.significance._CHUNK_ELEMENTS", 1000)
    parts = sign_flip_p_value(gains, 1), bootstrap_interval(gains, tokens, 1)
    assert parts[0] == pytest.approx(whole[0], abs=0.02)
    assert parts[1] == pytest.approx(whole[1], abs=0.02)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.2, 1), (-0.2, -0.1, -1), (-0.1, 0.1, 0), (0.0, 0.1, 0)]
)
def test_sides(low, high, expected):
    assert side((low, high), 0.0) == expected
    assert side((low - 1, high - 1), -1.0) == expected


def test_one_seed_says_nothing_and_seeds_that_agree_leave_a_point():
    assert seed_interval([0.3]) is None
    for differences, expected in (([0.1 + 0.2, 0.3, 0.3], (0.3, 0.3, 0)), ([0.0, 0.0], (0, 0, 1))):
        found = seed_interval(differences)
        assert found and (*found.interval_nats_per_token, found.p_value) == pytest.approx(expected)


@settings(deadline=None)
@given(
    st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=6),
    st.floats(-1, 1).map(lambda x: round(x, 3)),
)
def test_seed_interval_agrees_with_scipy(differences, null):
    found = seed_interval(differences, null)
    assert found is not None
    if len(set(differences)) > 1:
        theirs = stats.ttest_1samp(differences, null)
        assert found.p_value == pytest.approx(theirs.pvalue)
        interval = tuple(theirs.confidence_interval(0.95))
        assert found.interval_nats_per_token == pytest.approx(interval)
    # The interval and the p-value come from one test and must agree.
    assert (side(found.interval_nats_per_token, null) != 0) == (
        found.p_value < 0.05
    ) or found.p_value == pytest.approx(0.05)


def test_holm_by_hand():
    # Sorted: 0.01 · 4, 0.02 · 3, 0.03 · 2 (equal to the one before), 0.9 · 1.
    assert holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    # 0.04 · 1 is less than 0.03 · 2, but corrected p-values keep their order.
    assert holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def _skewed(random: np.random.Generator, truth: float) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Draw gains and tokens of sentences from a population whose mean gain a token is `truth`.

    Lengths are 3 to 40; longer sentences gain more a token; the noise is exponential.
    """
    tokens = random.integers(3, 41, 150)
    slope = 0.02 * (tokens - 21.5) * tokens  # its mean is 0.02 times the lengths' variance
    noise = (random.exponential(size=150) - 1) * 3 * np.sqrt(tokens)
    return truth * tokens + slope - 0.02 * (38**2 - 1) / 12 + noise, tokens


def _as_many_as_by_chance(p_values: Floats) -> bool:
    """Return True if, within chance, 5 % of the p-values are below 0.05 and half are below 0.5."""
    for level in (0.05, 0.5):
        low, high = stats.binom.interval(0.998, len(p_values), level)
        if not low <= np.sum(p_values <= level) <= high:
            return False
    return True


@pytest.mark.parametrize("margin", [0.0, 0.01])
def test_without_a_difference_p_values_are_uniform(margin):
    """The first model is worse by exactly the margin."""
    random, found = np.random.default_rng(13), []
    for _ in range(REPLICATIONS):
        gains, tokens = _skewed(random, -margin)
        found.append(sign_flip_p_value(gains + margin * tokens, seed=1, resamples=199))
    p_values = np.array(found)
    assert _as_many_as_by_chance(p_values)
    assert not _as_many_as_by_chance(p_values / 2)  # one-sided, chosen afterwards


ARTICLES = np.array([7, 7, 3, 3, 3, 9], dtype=np.int32)
VITAL = {"kind": "wikipedia-vital"}
READY = {"kind": "text", "train": "a", "valid": "b", "test": "c", "tokenised": True}


def _in_order(source: dict[str, object], divide_by: str = "sentence") -> bool:
    return CorpusSettings.model_validate({"source": source, "divide_by": divide_by}).keeps_order


@pytest.mark.parametrize(
    ("source", "divide_by", "kept_for", "expected"),
    [
        (VITAL, "sentence", "sentence", "sentence"),
        (VITAL, "article", "document", "article"),
        (VITAL, "sentence", "stream", "block"),
        (VITAL, "article", "sentence", "article"),
        (VITAL, "article", "stream", "article"),
        (READY, "sentence", "sentence", "article"),
    ],
)
def test_pieces_are_the_smallest_independent_ones(source, divide_by, kept_for, expected):
    assert pieces_of(ARTICLES, kept_for, in_order=_in_order(source, divide_by)).name == expected


@pytest.mark.parametrize("articles", [np.zeros(1000, np.int32), np.arange(1000, dtype=np.int32)])
def test_text_in_order_without_articles_is_drawn_by_blocks(articles):
    pieces = pieces_of(articles, "sentence", in_order=_in_order(READY))
    assert (pieces.name, pieces.count) == ("block", 100)
    assert list(pieces.number[:21]) == [0] * 10 + [1] * 10 + [2]


def test_sums_are_over_the_sentences_of_a_piece():
    pieces = pieces_of(ARTICLES, "sentence", in_order=_in_order(VITAL, "article"))
    assert pieces.sums(np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])).tolist() == [28, 3, 32]
