"""Tests of the mixture: its equation, its weights, and what each part adds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from online_rnnlm.config import testing as typed
from online_rnnlm.rivals import rival_in
from online_rnnlm.rivals.mixture import best_weights, mixed


def scores(seed, parts=3, tokens=400):
    """Log-probabilities of models that are good at different tokens."""
    return np.log(np.random.default_rng(seed).beta(0.3, 1.5, (parts, tokens)) + 1e-6)


def test_a_mixture_by_hand():
    logs = np.log([[0.5, 0.1], [0.1, 0.3]])
    np.testing.assert_allclose(np.exp(mixed(logs, np.array([0.25, 0.75]))), [0.2, 0.25])


def test_distributions_that_are_mixed_sum_to_one():
    distributions = np.random.default_rng(2).dirichlet(np.ones(7), size=4)
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    assert np.exp(mixed(np.log(distributions), weights)).sum() == pytest.approx(1)


def test_a_part_may_give_a_token_no_probability():
    logs = np.array([[-np.inf, -1.0], [-2.0, -np.inf]])
    np.testing.assert_allclose(mixed(logs, np.array([0.5, 0.5])), np.array([-2, -1]) - np.log(2))


@given(st.integers(0, 10_000), st.integers(2, 5), st.booleans())
def test_no_other_weights_are_better(seed, parts, alike):
    logs = scores(seed, parts, 60)
    if alike:  # a part that is almost another one, as a network with a cache can be
        logs[1] = logs[0] + 1e-3 * np.sin(np.arange(60))
    found = best_weights(logs)
    reached = mixed(logs, found).mean()
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    others = np.random.default_rng(seed).dirichlet(np.ones(parts), 200)
    nearby = 0.99 * found + 0.01 * np.vstack([np.eye(parts), others])
    for weights in (*others, *np.eye(parts), *nearby):
        assert mixed(logs, weights).mean() <= reached + 1e-7


def test_of_two_parts_the_weight_is_where_the_derivative_is_0():
    logs = scores(8, 2)
    first, second = np.exp(logs)
    weight = brentq(lambda w: ((first - second) / (w * first + (1 - w) * second)).mean(), 0, 1)
    assert 0.1 < weight < 0.9
    np.testing.assert_allclose(best_weights(logs), [weight, 1 - weight], atol=1e-4)


def test_a_part_that_only_harms_has_no_weight():
    logs = np.log(np.random.default_rng(2).uniform(0.4, 0.9, (3, 500)))
    logs[1] = logs[0] - 0.001
    logs[2] -= 5
    np.testing.assert_allclose(best_weights(logs), [1, 0, 0], atol=1e-4)


def test_no_mixture_is_worse_than_its_best_part_on_the_text_it_is_chosen_by():
    logs = scores(3)
    assert mixed(logs, best_weights(logs)).mean() >= logs.mean(axis=1).max()


@pytest.mark.parametrize("logs", [np.zeros((2, 0)), np.full((2, 3), -np.inf)])
def test_without_probabilities_there_are_no_weights(logs):
    with pytest.raises(ValueError, match="probability"):
        best_weights(logs)


def test_each_part_is_tried_alone_and_left_out():
    rival = rival_in("mixture", typed.TestingSettings(rivals=["unigram_cache", "mixture"]))
    names = ("network", "a", "b", "c")
    valid, test = (dict(zip(names, scores(seed, 4), strict=True)) for seed in (5, 6))
    rival.fit(valid)
    assert set(rival.chosen) == set(names)
    found = {frozenset(one.weights): one for one in rival.smaller(valid, test)}
    pairs = [{"network", other} for other in "abc"]
    without = [set(names) - {other} for other in "abc"]
    assert set(found) == {frozenset(one) for one in (*pairs, *without)}
    everything = np.exp(-rival.score(valid).mean())
    assert all(one.valid_perplexity >= everything - 1e-6 for one in found.values())
    pair = found[frozenset({"network", "b"})]
    weights = np.array([pair.weights["network"], pair.weights["b"]])
    expected = np.exp(-mixed(np.stack([test["network"], test["b"]]), weights).mean())
    assert pair.test_perplexity == pytest.approx(expected)
