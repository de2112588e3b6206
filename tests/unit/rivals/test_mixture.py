"""Tests of the mixture: its equation, its weights, and what each part adds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.rivals.mixture import best_weights, mixed, smaller


def scores(seed, parts=3, tokens=400):
    """Log-probabilities of models that are good at different tokens."""
    return np.log(np.random.default_rng(seed).beta(0.3, 1.5, (parts, tokens)) + 1e-6)


def test_a_mixture_by_hand():
    logs = np.log([[0.5, 0.1], [0.1, 0.3]])
    np.testing.assert_allclose(np.exp(mixed(logs, np.array([0.25, 0.75]))), [0.2, 0.25])


def test_a_part_may_give_a_token_no_probability():
    logs = np.array([[-np.inf, -1.0], [-2.0, -np.inf]])
    np.testing.assert_allclose(mixed(logs, np.array([0.5, 0.5])), np.array([-2, -1]) - np.log(2))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 5), st.booleans())
def test_no_other_weights_are_better(seed, parts, alike):
    logs = scores(seed, parts, 60)
    if alike:  # a part that is mostly another one, as a network with a cache
        logs[1] = np.logaddexp(logs[0] + np.log(0.8), scores(seed + 1, 1, 60)[0] + np.log(0.2))
    found = best_weights(logs)
    reached = mixed(logs, found).mean()
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    others = np.random.default_rng(seed).dirichlet(np.ones(parts), 200)
    nearby = 0.99 * found + 0.01 * np.vstack([np.eye(parts), others])
    for weights in (*others, *np.eye(parts), *nearby):
        assert mixed(logs, weights).mean() <= reached + 1e-7


def test_each_part_is_tried_alone_and_left_out():
    names = ("network", "a", "b", "c")
    valid, test = (dict(zip(names, scores(seed, 4), strict=True)) for seed in (5, 6))
    found = {frozenset(one.weights): one for one in smaller(valid, test)}
    pairs = [{"network", other} for other in "abc"]
    without = [set(names) - {other} for other in "abc"]
    assert set(found) == {frozenset(one) for one in (*pairs, *without)}
    logs = np.stack([*valid.values()])
    everything = np.exp(-mixed(logs, best_weights(logs)).mean())
    assert all(one.valid_perplexity >= everything - 1e-6 for one in found.values())
    pair = found[frozenset({"network", "b"})]
    weights = np.array([pair.weights["network"], pair.weights["b"]])
    expected = np.exp(-mixed(np.stack([test["network"], test["b"]]), weights).mean())
    assert pair.test_perplexity == pytest.approx(expected)
