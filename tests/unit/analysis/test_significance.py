import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from online_rnnlm.analysis.significance import (
    Chance,
    bootstrap_interval,
    gain_over_text_and_seeds,
    holm,
    pieces_of,
    pooled_over_networks,
    sign_flip_p_value,
    t_interval,
)
from online_rnnlm.config.corpora import CorpusSettings

Floats = npt.NDArray[np.float64]
REPLICATIONS = 500


def test_a_permutation_test_counts_all_patterns_of_signs_or_draws_them():
    # Only two of the 8 sign patterns, +++ and ---, reach |1 + 2 + 4| = 7.
    assert sign_flip_p_value(np.array([1.0, 2.0, 4.0])) == 2 / 8
    gains = np.random.default_rng(13).normal(0.3, 1, 14)
    drawn = sign_flip_p_value(gains, resamples=2**14 - 1)
    assert drawn == pytest.approx(sign_flip_p_value(gains, resamples=2**14), abs=0.01)


def test_the_variance_of_seeds_is_pooled_by_hand():
    """The squares are 2 · 1² and 1² + 0² + 1², with one and two degrees of freedom."""
    by_network = [[4.0, 6.0], [1.0, 2.0, 3.0], [7.0]]
    assert pooled_over_networks(by_network) == Chance(pytest.approx(4 / 3), 3)
    assert pooled_over_networks([[4.0], [5.0]]) is None  # one seed each


def test_a_gain_over_text_and_seeds_by_hand():
    """Two pieces of two tokens, two seeds on our side, one on theirs."""
    ours = np.array([[-1.0, -3.0], [-2.0, -6.0]])
    theirs = np.array([[-4.0, -4.0]])
    tokens = np.array([2, 2])
    # The mean scores of ours are -1.5 and -4.5, so that the pieces gain 2.5 and -0.5.
    # Of the text: the gains differ by 1.5 from the mean of the two, and 2 * 4.5 / 4^2 is left.
    of_text = 2 * (1.5**2 + 1.5**2) / 4**2
    for of_seeds, variance, freedom in (
        (None, of_text, 1),
        (Chance(0.3, 5), of_text + 0.3, (of_text + 0.3) ** 2 / (of_text**2 / 1 + 0.3**2 / 5)),
    ):
        found = gain_over_text_and_seeds(ours, theirs, tokens, of_seeds)
        assert found.nats_per_token == pytest.approx(0.5)
        half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
        assert found.interval == pytest.approx((0.5 - half, 0.5 + half))
        assert found.p_value == pytest.approx(2 * stats.t.sf(0.5 / np.sqrt(variance), freedom))


def test_without_chance_in_the_seeds_the_interval_is_that_of_a_bootstrap():
    random = np.random.default_rng(4)
    tokens = random.integers(3, 41, 150)
    gains = 0.1 * tokens + random.exponential(3, 150) * np.sqrt(tokens)
    found = gain_over_text_and_seeds(gains[None], np.zeros((1, 150)), tokens, None)
    assert found.interval == pytest.approx(bootstrap_interval(gains, tokens), abs=0.02)


def test_without_chance_in_the_text_the_test_of_two_networks_is_students():
    """All tokens of a network have the same score, so that only the seeds differ."""
    tokens = np.array([3, 5, 9])
    entropies = [4.7, 4.8, 4.75], [4.9, 5.1]
    ours, theirs = (-np.outer(of_side, tokens) for of_side in entropies)
    pooled = pooled_over_networks(entropies)
    assert pooled is not None
    of_seeds = Chance(pooled.variance * (1 / 3 + 1 / 2), pooled.freedom)
    found = gain_over_text_and_seeds(ours, theirs, tokens, of_seeds)
    student = stats.ttest_ind(entropies[1], entropies[0], equal_var=True)
    assert found.p_value == pytest.approx(student.pvalue)
    assert found.interval == pytest.approx(tuple(student.confidence_interval(0.95)))


def test_a_difference_that_is_always_the_same_leaves_a_point():
    tokens = np.array([3, 5, 9])
    ours = -4.5 * tokens[None]
    theirs = -5.0 * tokens[None]
    assert gain_over_text_and_seeds(ours, theirs, tokens, None) == (0.5, (0.5, 0.5), 0)
    assert gain_over_text_and_seeds(ours, ours, tokens, None) == (0, (0, 0), 1)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_holds_the_true_gain_as_often_as_it_says(seeds):
    """Articles and seeds are both drawn anew; a bootstrap of the seeds would hold it less often."""
    random = np.random.default_rng(seeds)
    held = 0
    for _ in range(REPLICATIONS):
        tokens = random.integers(20, 400, 60)
        of_text = random.normal(0, 0.1, 60) * tokens
        sides = [
            np.outer(random.normal(5, 0.01, seeds), tokens) + random.normal(0, 0.02, (seeds, 60))
            for _ in range(2)
        ]
        entropies = [(side.sum(axis=1) / tokens.sum()).tolist() for side in sides]
        pooled = pooled_over_networks(entropies)
        assert pooled is not None
        of_seeds = Chance(2 * pooled.variance / seeds, pooled.freedom)
        found = gain_over_text_and_seeds(-sides[0], -sides[1] - of_text, tokens, of_seeds)
        low, high = found.interval
        held += low <= 0 <= high
    low, high = stats.binom.interval(0.998, REPLICATIONS, 0.95)
    assert low <= held <= high


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=2, max_size=6))
def test_the_interval_of_a_mean_agrees_with_scipy(values):
    if len(set(values)) > 1:
        theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert t_interval(values) == pytest.approx(tuple(theirs))
    else:
        assert t_interval(values) == pytest.approx((values[0], values[0]))


def test_holm_by_hand():
    # Sorted: 0.01 · 4, 0.02 · 3, 0.03 · 2 (equal to the one before), 0.9 · 1.
    assert holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    # 0.04 · 1 is less than 0.03 · 2, but corrected p-values keep their order.
    assert holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


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
