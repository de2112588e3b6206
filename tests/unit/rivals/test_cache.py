"""Tests of caches of recent words that are mixed with a static network."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose, assert_array_equal

from online_rnnlm.config import testing as typed
from online_rnnlm.rivals import caches, neural_cache, rival_in, unigram_cache
from online_rnnlm.rivals.base import ScoredText

A, B, C = 1, 2, 3
VOCABULARY = 4


def text(tokens, hidden_size=5, seed=1):
    """Return random targets, the network's log P of them and its hidden states."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, VOCABULARY, tokens).astype(np.int32)
    states = rng.random((tokens, hidden_size), dtype=np.float32)
    return targets, np.log(rng.uniform(0.01, 1, tokens)), states


def naive_neural(targets, states, window, theta):
    """Compute the cache by its definition, token by token, in float64, with centred states."""
    states = states.astype(np.float64)
    result = np.full(len(targets), np.nan)
    for t in range(1, len(targets)):
        mean = states[: t + 1].mean(axis=0)
        held = range(max(0, t - window), t)
        weights = [math.exp(theta * (states[t] - mean) @ (states[i] - mean)) for i in held]
        hits = [w for w, i in zip(weights, held, strict=True) if targets[i] == targets[t]]
        result[t] = sum(hits) / sum(weights)
    return result


def test_a_unigram_cache_counts_the_words_of_its_window():
    targets = np.array([A, B, A, A, C, B])
    expected = [math.nan, 0, 1 / 2, 2 / 3, 0, 0]
    assert_allclose(unigram_cache.unigram_probabilities(targets, window=3), expected, rtol=1e-15)
    expected = [math.nan, 0, 1 / 2, 2 / 3, 0, 1 / 5]
    assert_allclose(unigram_cache.unigram_probabilities(targets, window=100), expected, rtol=1e-15)


def test_a_unigram_cache_is_mixed_by_its_weight():
    targets, network = np.array([A, A, B]), np.array([0.5, 0.4, 0.3])
    mixed = unigram_cache.unigram_cache(targets, np.log(network), window=2, weight=0.2)
    expected = [0.5, 0.8 * 0.4 + 0.2 * 1, 0.8 * 0.3]  # the network's alone if the cache is empty
    assert_allclose(np.exp(mixed), expected, rtol=1e-14)


def test_a_neural_cache_weighs_words_by_their_hidden_states():
    targets = np.array([A, B, A])
    states = np.array([[0.0], [3.0], [3.0]], np.float32)
    # m_3 = 2, so the products are (3 - 2)(0 - 2) = -2 and (3 - 2)(3 - 2) = 1.
    share = math.exp(-2 * 0.5) / (math.exp(-2 * 0.5) + math.exp(1 * 0.5))
    probabilities = neural_cache.neural_probabilities(targets, states, window=10, theta=0.5)
    assert_allclose(probabilities, [math.nan, 0, share], rtol=1e-6)
    network = np.array([0.5, 0.4, 0.3])
    mixed = neural_cache.neural_cache(targets, np.log(network), states, 10, theta=0.5, weight=0.1)
    assert_allclose(np.exp(mixed), [0.5, 0.9 * 0.4, 0.9 * 0.3 + 0.1 * share], rtol=1e-6)


def test_a_window_of_one_token_holds_the_last():
    targets, _, states = text(300)
    same = targets[1:] == targets[:-1]
    assert_array_equal(unigram_cache.unigram_probabilities(targets, 1)[1:], same)
    assert_array_equal(neural_cache.neural_probabilities(targets, states, 1, theta=2.0)[1:], same)


@given(arrays.arrays(np.int32, st.integers(0, 40), elements=st.integers(0, 3)), st.integers(1, 50))
def test_a_unigram_cache_is_what_a_plain_loop_counts(targets, window):
    expected = [
        (targets[max(0, t - window) : t] == word).mean() if t else math.nan
        for t, word in enumerate(targets)
    ]
    assert_allclose(unigram_cache.unigram_probabilities(targets, window), expected, rtol=1e-14)


@settings(deadline=None)
@given(
    tokens=st.integers(0, 40),
    window=st.integers(1, 50),
    theta=st.floats(0, 8),
    seed=st.integers(0, 1000),
)
def test_a_neural_cache_is_what_a_plain_loop_computes(tokens, window, theta, seed):
    targets, _, states = text(tokens, hidden_size=3, seed=seed)
    with patch.object(neural_cache, "_BLOCK", 8):  # so that a short text has several blocks
        probabilities = neural_cache.neural_probabilities(targets, states, window, theta)
    assert_allclose(probabilities, naive_neural(targets, states, window, theta), rtol=1e-4)


def test_a_neural_cache_of_many_blocks_is_what_a_plain_loop_computes():
    targets, _, states = text(300)
    probabilities = neural_cache.neural_probabilities(targets, states, 150, theta=3.0)
    assert_allclose(probabilities, naive_neural(targets, states, 150, 3.0), rtol=1e-4)


def test_a_grid_holds_what_each_setting_gives_alone():
    targets, _, states = text(400)
    grid = neural_cache.neural_grid(targets, states, windows=[7, 300, 40], thetas=[2.0, 0.5])
    for w, window in enumerate([7, 300, 40]):
        for k, theta in enumerate([2.0, 0.5]):
            alone = neural_cache.neural_probabilities(targets, states, window, theta)
            assert_allclose(grid[w, k], alone, rtol=1e-5)


def test_without_regard_to_the_states_a_neural_cache_is_a_unigram_cache():
    targets, _, states = text(400)
    unigram = unigram_cache.unigram_probabilities(targets, 50)
    assert_allclose(
        neural_cache.neural_probabilities(targets, states, 50, theta=0), unigram, rtol=1e-6
    )


def test_what_all_states_share_does_not_matter():
    targets, _, states = text(300)
    moved = neural_cache.neural_probabilities(targets, states + 5, 50, theta=2.0)
    assert_allclose(
        moved, neural_cache.neural_probabilities(targets, states, 50, theta=2.0), rtol=1e-4
    )


def test_large_products_neither_overflow_nor_vanish():
    targets = np.array([A, B, A, B, C])
    states = np.array([[1000.0], [-1000.0], [1000.0], [-1000.0], [0.0]], np.float32)
    probabilities = neural_cache.neural_probabilities(targets, states, 10, theta=3.0)
    assert_allclose(probabilities, [math.nan, 0, 1, 1, 0])


@pytest.mark.parametrize("place", [0, 1, 5, 127, 128, 129, 299])
def test_over_all_words_a_mixture_sums_to_one(place):
    targets, _, states = text(300)
    network = np.array([0.1, 0.2, 0.3, 0.4])
    unigram, neural = 0.0, 0.0
    for word in range(VOCABULARY):
        targets[place] = word
        logs = np.log(network[targets])
        unigram += math.exp(unigram_cache.unigram_cache(targets, logs, 20, 0.3)[place])
        neural += math.exp(neural_cache.neural_cache(targets, logs, states, 20, 1.5, 0.3)[place])
    assert unigram == pytest.approx(1, abs=1e-12)
    assert neural == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("place", [1, 60, 127, 128, 200, 299])
def test_the_future_does_not_leak(place):
    """A change from `place` on alters later values, but not a bit of the earlier ones."""
    targets, logs, states = text(300)
    other_targets, other_logs, other_states = targets.copy(), logs.copy(), states.copy()
    other_targets[place:] = (targets[place:] + 1) % VOCABULARY
    other_logs[place:] -= 1
    other_states[place:] = 100 * (1 - states[place:])
    for scored, other in [
        (
            unigram_cache.unigram_cache(targets, logs, 50, 0.2),
            unigram_cache.unigram_cache(other_targets, other_logs, 50, 0.2),
        ),
        (
            neural_cache.neural_cache(targets, logs, states, 50, 1.0, 0.2),
            neural_cache.neural_cache(other_targets, other_logs, other_states, 50, 1.0, 0.2),
        ),
    ]:
        assert_array_equal(scored[:place], other[:place])
        assert (scored[place:] != other[place:]).all()


def test_a_word_is_scored_before_the_cache_holds_it():
    """A word's own state and identity affect later words only."""
    targets, states = np.array([A, B, C, C]), np.ones((4, 2), np.float32)
    expected = [math.nan, 0, 0, 1 / 3]
    assert_allclose(unigram_cache.unigram_probabilities(targets, 10), expected)
    assert_allclose(
        neural_cache.neural_probabilities(targets, states, 10, 1.0), expected, rtol=1e-6
    )


@given(
    arrays.arrays(np.float64, 6, elements=st.floats(-40, 0)),
    arrays.arrays(np.float64, 6, elements=st.floats(0, 1) | st.just(math.nan)),
    st.floats(0, 0.99),
)
def test_a_mixture_lies_between_what_is_mixed(logs, cached, weight):
    mixed = np.exp(caches.mix(logs, cached, weight))
    network = np.exp(logs)
    other = np.where(np.isnan(cached), network, cached)
    assert (mixed >= np.minimum(network, other) * (1 - 1e-12)).all()
    assert (mixed <= np.maximum(network, other) * (1 + 1e-12)).all()


def test_without_weight_the_network_alone_remains():
    targets, logs, _ = text(50)
    assert_array_equal(unigram_cache.unigram_cache(targets, logs, 10, 0), logs)


def test_the_search_takes_the_window_that_suits_the_text():
    """Words are repeated at once, so the last two tokens tell more than the last sixty."""
    targets = np.tile(np.repeat([A, B, C], 10), 10)
    logs = np.full(300, math.log(0.01))
    found = unigram_cache.search_unigram(targets, logs, windows=[60, 2], weights=[0.02, 0.3])
    assert found.chosen == {"window": 2, "weight": 0.3}


@pytest.mark.parametrize(("telling", "theta"), [(True, 4.0), (False, 0.1)])
def test_the_search_takes_the_theta_that_suits_the_text(telling, theta):
    """The states either predict the next word or are unrelated to it."""
    targets, logs, _ = text(300)
    words = targets if telling else text(300, seed=2)[0]
    states = np.eye(VOCABULARY, dtype=np.float32)[words]
    found = neural_cache.search_neural(targets, logs, states, [20], [1.0, 0.1, 4.0], [0.1])
    assert found.chosen == {"window": 20, "theta": theta, "weight": 0.1}


def test_a_curve_has_the_perplexity_of_every_setting():
    targets, logs, states = text(200)
    unigram = unigram_cache.search_unigram(targets, logs, [3, 30], [0.1, 0.2])
    neural = neural_cache.search_neural(targets, logs, states, [3, 30], [0.5, 2.0], [0.1, 0.2])
    order = [(3, 0.1), (3, 0.2), (30, 0.1), (30, 0.2)]
    assert [tuple(trial.settings.values()) for trial in unigram.curve] == order
    assert len({tuple(trial.settings.values()) for trial in neural.curve}) == 8
    for trial in unigram.curve:
        mixed = unigram_cache.unigram_cache(targets, logs, **trial.settings)
        assert trial.valid_perplexity == pytest.approx(math.exp(-mixed.mean()), rel=1e-12)
    for trial in neural.curve:
        mixed = neural_cache.neural_cache(targets, logs, states, **trial.settings)
        assert trial.valid_perplexity == pytest.approx(math.exp(-mixed.mean()), rel=1e-5)
    for found in (unigram, neural):
        best = min(found.curve, key=lambda p: p.valid_perplexity)
        assert found.chosen == best.settings


def test_costs_are_counted():
    unigram, neural = (
        rival_in(f"{kind}_cache", typed.TestingSettings()) for kind in ("unigram", "neural")
    )
    assert unigram.cost(state_size=100) == 1
    neural.chosen = {"window": 500, "theta": 1.0, "weight": 0.1}
    # 100 for the mean, 500 products of 100, 500 weights to add, and 1 to mix
    assert neural.cost(state_size=100) == 50_601


def test_a_short_neural_cache_is_the_best_of_fifty_words():
    short = rival_in("short_neural_cache", typed.TestingSettings())
    valid = ScoredText(*text(400))
    short.fit(valid)
    assert short.chosen == neural_cache.search_neural(*valid, windows=(20, 50)).chosen
    assert short.cost(state_size=100) <= 1 + 100 + 50 * 101
    assert_array_equal(short.score(valid), neural_cache.neural_cache(*valid, **short.chosen))


def test_a_mixture_has_the_longer_cache_alone():
    rivals = ["neural_cache", "short_neural_cache", "mixture"]
    assert typed.TestingSettings(rivals=rivals).parts_of("mixture") == ("neural_cache",)


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_below_one_is_refused(window):
    targets, logs, states = text(5)
    with pytest.raises(ValueError, match="window"):
        unigram_cache.unigram_cache(targets, logs, window, 0.1)
    with pytest.raises(ValueError, match="window"):
        neural_cache.neural_cache(targets, logs, states, window, 1.0, 0.1)


@pytest.mark.parametrize("weight", [-0.1, 1, 1.5, math.nan])
def test_a_weight_outside_its_range_is_refused(weight):
    targets, logs, states = text(5)
    with pytest.raises(ValueError, match="weight"):
        unigram_cache.unigram_cache(targets, logs, 3, weight)
    with pytest.raises(ValueError, match="weight"):
        neural_cache.neural_cache(targets, logs, states, 3, 1.0, weight)


@pytest.mark.parametrize("theta", [-0.1, math.nan, math.inf])
def test_a_theta_outside_its_range_is_refused(theta):
    targets, _, states = text(5)
    with pytest.raises(ValueError, match="theta"):
        neural_cache.neural_probabilities(targets, states, 3, theta)


def test_arrays_that_do_not_fit_together_are_refused():
    targets, logs, states = text(5)
    with pytest.raises(ValueError, match="length"):
        unigram_cache.unigram_cache(targets, logs[:4], 3, 0.1)
    with pytest.raises(ValueError, match="length"):
        neural_cache.neural_cache(targets, logs[:4], states, 3, 1.0, 0.1)
    with pytest.raises(ValueError, match="state"):
        neural_cache.neural_cache(targets, logs, states[:4], 3, 1.0, 0.1)
    with pytest.raises(ValueError, match="state"):
        neural_cache.neural_cache(targets, logs, states[:, 0], 3, 1.0, 0.1)


def test_numbers_that_are_not_finite_are_refused():
    targets, logs, states = text(5)
    states[2, 1] = math.nan
    with pytest.raises(ValueError, match="finite"):
        neural_cache.neural_cache(targets, logs, states, 3, 1.0, 0.1)
    logs[2] = -math.inf
    with pytest.raises(ValueError, match="finite"):
        unigram_cache.unigram_cache(targets, logs, 3, 0.1)


def test_a_search_needs_a_text_and_a_grid():
    targets, logs, states = text(5)
    with pytest.raises(ValueError, match="tokens"):
        unigram_cache.search_unigram(targets[:0], logs[:0])
    with pytest.raises(ValueError, match="tokens"):
        neural_cache.search_neural(targets[:0], logs[:0], states[:0])
    with pytest.raises(ValueError, match="settings"):
        unigram_cache.search_unigram(targets, logs, windows=[])
    with pytest.raises(ValueError, match="settings"):
        neural_cache.search_neural(targets, logs, states, thetas=[])
