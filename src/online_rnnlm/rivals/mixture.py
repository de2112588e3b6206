"""Linear mixtures of a network with other rivals: with all of them, or with some.

    P(w) = Σ_i λ_i P_i(w),    λ_i ≥ 0,  Σ_i λ_i = 1

The weights λ are those with which `valid` is most probable. The likelihood is concave in them, so
it has one maximum, which expectation maximisation approaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from online_rnnlm.rivals.base import ComposedRival, Floats
from online_rnnlm.storage.evaluations import Mixture

_STEPS = 20_000
"""Steps at most: two parts that are nearly the same need many, and gain nothing by them."""
_GAP = 1e-8
"""Weights are taken if no others can be better by this many nats per token."""


class Rival(ComposedRival):
    """A network mixed with all its other rivals, by weights that are best on `valid`."""

    label = "mixture"
    note = (
        "In a mixture: the network, and each of its other rivals but a short neural cache, with "
        "the weights that are best on valid."
    )
    phrase = "all rivals mixed in"

    def fit(self, valid: Mapping[str, Floats]) -> None:
        """Choose the weights."""
        self._weights = best_weights(np.stack([*valid.values()]))
        self.chosen = dict(zip(valid, self._weights.tolist(), strict=True))

    def score(self, text: Mapping[str, Floats]) -> Floats:
        """The mixture's natural log P of every token."""
        return mixed(np.stack([*text.values()]), self._weights)

    def smaller(self, valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> list[Mixture]:
        """The network with each other part, then all parts without each."""
        network, *others = valid
        pairs = [(network, other) for other in others]
        without = [tuple(name for name in valid if name != left_out) for left_out in others]
        reached = []
        for names in dict.fromkeys([*pairs, *without]):  # of three parts, each pair comes twice
            of_valid = np.stack([valid[name] for name in names])
            of_test = np.stack([test[name] for name in names])
            weights = best_weights(of_valid)
            mixture = Mixture(
                weights=dict(zip(names, weights.tolist(), strict=True)),
                valid_perplexity=math.exp(-mixed(of_valid, weights).mean()),
                test_perplexity=math.exp(-mixed(of_test, weights).mean()),
            )
            reached.append(mixture)
        return reached


def mixed(log_probabilities: Floats, weights: Floats) -> Floats:
    """log Σ_i λ_i P_i of every token: float64 (N,).

    `log_probabilities` (parts, N) are natural logs, -inf where a part gives a token no probability;
    `weights` λ (parts,).
    """
    top = log_probabilities.max(axis=0)
    result: Floats = top + np.log(weights @ np.exp(log_probabilities - top))
    return result


def best_weights(log_probabilities: Floats) -> Floats:
    """The weights λ, float64 (parts,), with which a text is most probable.

    `log_probabilities` are as in `mixed`; some part must give each token a probability. A step of
    expectation maximisation multiplies each weight by the derivative g of the mean log-probability
    by it. Since λ·g = 1 and the likelihood is concave, no weights gain more than max g - 1.
    """
    parts, tokens = log_probabilities.shape
    scaled = np.exp(log_probabilities - log_probabilities.max(axis=0))
    weights: Floats = np.full(parts, 1 / parts)
    for _ in range(_STEPS):
        gradient = scaled @ (1 / (weights @ scaled)) / tokens
        if gradient.max() - 1 < _GAP:
            break
        weights *= gradient
    return weights
