"""Tests of caches of recent words that are mixed with a network."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from online_rnnlm.jobs.network import best_trial
from online_rnnlm.rivals import caches, neural_cache
from online_rnnlm.rivals.caches import ScoredText, score, try_all
from online_rnnlm.rivals.neural_cache import SHORT_WINDOWS, NeuralCache
from online_rnnlm.rivals.unigram_cache import UnigramCache

A = 1
B = 2
C = 3
VOCABULARY = 4
UNIGRAM = UnigramCache()
NEURAL = NeuralCache(caches.WINDOWS)
SHORT = NeuralCache(SHORT_WINDOWS)


def probabilities(cache, text, window, theta=1.0):
    [found] = cache.probabilities(text, [{"window": window, "theta": theta}])
    return found


def text(tokens, hidden_size=5, seed=1) -> ScoredText:
    """Return random targets, the network's log P of them and its hidden states."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, VOCABULARY, tokens).astype(np.int32)
    states = rng.random((tokens, hidden_size), dtype=np.float32)
    return ScoredText(targets, np.log(rng.uniform(0.01, 1, tokens)), states)


def of(targets, network=None, states=None) -> ScoredText:
    targets = np.array(targets)
    logs = np.log(np.full(len(targets), 0.5) if network is None else network)
    if states is None:
        states = np.ones((len(targets), 2))
    return ScoredText(targets, logs, np.array(states, np.float32))


def naive(text, window, theta):
    """Compute the cache by its definition, token by token, in float64, with centred states."""
    targets, _, states = text
    states = states.astype(np.float64)
    result = np.full(len(targets), np.nan)
    for t in range(1, len(targets)):
        mean = states[: t + 1].mean(axis=0)
        held = range(max(0, t - window), t)
        weights = [math.exp(theta * (states[t] - mean) @ (states[i] - mean)) for i in held]
        hits = [w for w, i in zip(weights, held, strict=True) if targets[i] == targets[t]]
        result[t] = sum(hits) / sum(weights)
    return result


def test_a_unigram_cache_by_hand():
    counted = probabilities(UNIGRAM, of([A, B, A, A, C, B]), 3)
    assert_allclose(counted, [math.nan, 0, 1 / 2, 2 / 3, 0, 0], rtol=1e-15)
    settings = {"window": 2, "weight": 0.2}
    mixed = score(UNIGRAM, settings, of([A, A, B], [0.5, 0.4, 0.3]))
    expected = [0.5, 0.8 * 0.4 + 0.2 * 1, 0.8 * 0.3]  # the network's alone if the cache is empty
    assert_allclose(np.exp(mixed), expected, rtol=1e-14)


def test_a_neural_cache_by_hand():
    given_text = of([A, B, A], [0.5, 0.4, 0.3], [[0.0], [3.0], [3.0]])
    # m_3 = 2, so the products are (3 - 2)(0 - 2) = -2 and (3 - 2)(3 - 2) = 1.
    share = math.exp(-2 * 0.5) / (math.exp(-2 * 0.5) + math.exp(1 * 0.5))
    found = probabilities(NEURAL, given_text, 10, 0.5)
    assert_allclose(found, [math.nan, 0, share], rtol=1e-6)
    mixed = score(NEURAL, {"window": 10, "theta": 0.5, "weight": 0.1}, given_text)
    assert_allclose(np.exp(mixed), [0.5, 0.9 * 0.4, 0.9 * 0.3 + 0.1 * share], rtol=1e-6)


@given(st.integers(0, 40), st.integers(1, 50), st.floats(0, 8), st.integers(0, 1000))
def test_caches_are_what_a_plain_loop_computes(tokens, window, theta, seed):
    given_text = text(tokens, hidden_size=3, seed=seed)
    with patch.object(neural_cache, "_BLOCK", 8):  # so that a short text has several blocks
        found = probabilities(NEURAL, given_text, window, theta)
    assert_allclose(found, naive(given_text, window, theta), rtol=1e-4)
    found = probabilities(UNIGRAM, given_text, window)
    assert_allclose(found, naive(given_text, window, 0), rtol=1e-12)


def test_large_products_neither_overflow_nor_vanish():
    states = [[1000.0], [-1000.0], [1000.0], [-1000.0], [0.0]]
    found = probabilities(NEURAL, of([A, B, A, B, C], states=states), 10, 3.0)
    assert_allclose(found, [math.nan, 0, 1, 1, 0])


@pytest.mark.parametrize(
    ("cache", "size"),
    [
        (UNIGRAM, len(caches.WINDOWS)),
        (NEURAL, len(caches.WINDOWS) * len(neural_cache.THETAS)),
        (SHORT, 3 * len(neural_cache.THETAS)),
    ],
    ids=["unigram", "neural", "short"],
)
def test_a_curve_has_the_perplexity_of_every_setting(cache, size):
    given_text = text(200)
    curve = try_all(cache, given_text)
    assert len({tuple(trial.settings.values()) for trial in curve}) == size * 7
    for trial in curve[:: size // 2 + 3]:
        reached = math.exp(-score(cache, trial.settings, given_text).mean())
        assert trial.valid_perplexity == pytest.approx(reached, rel=1e-5)
    best = min(curve, key=lambda trial: trial.valid_perplexity)
    assert best_trial(curve) == best


def test_a_network_that_has_diverged_leaves_no_perplexity():
    diverged = text(20)._replace(log_probabilities=np.full(20, np.nan))
    assert {trial.valid_perplexity for trial in try_all(UNIGRAM, diverged)} == {None}


def test_costs_are_counted():
    assert UNIGRAM.cost(100, {"window": 500}) == 1
    # 100 for the mean, 500 products of 100, 500 weights to add, and 1 to mix
    assert NEURAL.cost(100, {"window": 500}) == 50_601
    assert SHORT.cost(100, {"window": 50}) == 1 + 100 + 50 * 101
