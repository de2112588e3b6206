"""Linear mixtures of a network with other rivals: with all of them, or with some.

    P(w) = Σ_i λ_i P_i(w),    λ_i ≥ 0,  Σ_i λ_i = 1

The weights λ are those with which `valid` is most probable. The likelihood is concave in them, so
it has one maximum. Quadratic programming comes near to it; then weight is shifted from one part to
another, until it is known that no weights are better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from scipy.optimize import brentq, minimize

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.rivals.base import ComposedRival, Floats
from online_rnnlm.storage.records import Mixture

_STEPS = 1000
"""Shifts of weight from one part to another at most."""
_TINY = 1e-300
_GAP = 1e-8
"""Weights are taken if no others can be better by this many nats per token."""


class Rival(ComposedRival):
    """A network mixed with all its other rivals, by weights that are best on `valid`."""

    label = "mixture"
    note = (
        "In a mixture: the network, and each of its other rivals, with the weights that are best "
        "on valid."
    )
    phrase = "all rivals mixed in"

    def __init__(self, testing: TestingSettings) -> None:
        super().__init__(testing)
        self._weights: Floats = np.ones(1)

    def fit(self, valid: Mapping[str, Floats]) -> None:
        """Choose the weights."""
        self._weights = best_weights(np.stack([*valid.values()]))
        self.chosen = dict(zip(valid, self._weights.tolist(), strict=True))

    def score(self, text: Mapping[str, Floats]) -> Floats:
        """The mixture's natural log P of every token."""
        return mixed(np.stack([*text.values()]), self._weights)

    def smaller(self, valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> list[Mixture]:
        """The network with each other part, then all parts without each."""
        return [
            _mixture({name: valid[name] for name in names}, {name: test[name] for name in names})
            for names in _subsets(list(valid))
        ]


def _subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the pairs with the first name, then the names without each of the others, each once."""
    network, *others = names
    pairs = [(network, other) for other in others]
    without = [tuple(name for name in names if name != left_out) for left_out in others]
    yield from dict.fromkeys([*pairs, *without])


def _mixture(valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> Mixture:
    rows = np.stack([*valid.values()])
    weights = best_weights(rows)
    return Mixture(
        weights=dict(zip(valid, weights.tolist(), strict=True)),
        valid_perplexity=math.exp(-mixed(rows, weights).mean()),
        test_perplexity=math.exp(-mixed(np.stack([*test.values()]), weights).mean()),
    )


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

    `log_probabilities` are as in `mixed`, and some part must give each token a probability. Raises
    ValueError otherwise, and for an empty text.
    """
    parts, tokens = log_probabilities.shape
    top = log_probabilities.max(axis=0) if tokens else np.array([math.nan])
    if not np.isfinite(top).all():
        raise ValueError("every token needs a probability above 0, and there must be tokens")
    scaled = np.exp(log_probabilities - top)
    weights = _by_programming(scaled)
    if not math.isfinite(_gap(weights, scaled)):
        weights = np.full(parts, 1 / parts)
    for _ in range(_STEPS):
        if _gap(weights, scaled) < _GAP:
            break
        weights = _shifted(weights, scaled)
    return weights


def _shifted(weights: Floats, scaled: Floats) -> Floats:
    """Shift weight from the part that has some and needs it least to the one that needs it most.

    As much is shifted as makes the text most probable.
    """
    gradient = _gradient(weights, scaled)
    most = int(gradient.argmax())
    least = int(np.where(weights > 0, gradient, math.inf).argmin())
    sums, change = weights @ scaled, scaled[most] - scaled[least]

    def slope(shift: float) -> float:
        return float((change / np.maximum(sums + shift * change, _TINY)).mean())

    most_shift = float(weights[least])
    shift = most_shift if slope(most_shift) >= 0 else brentq(slope, 0, most_shift, xtol=1e-15)
    shifted = weights.copy()
    shifted[most] += shift
    shifted[least] -= shift
    return shifted


def _gradient(weights: Floats, scaled: Floats) -> Floats:
    """(parts,): the derivative of the mean log-probability by each weight."""
    with np.errstate(divide="ignore", invalid="ignore"):  # no weight on what a token needs
        gradient: Floats = scaled @ (1 / (weights @ scaled)) / scaled.shape[1]
    return gradient


def _gap(weights: Floats, scaled: Floats) -> float:
    """The most, in nats per token, that other weights could be better; NaN if it is not known.

    The likelihood is concave, its gradient g has λ·g = 1, so no weights gain more than max g - 1.
    """
    return float(_gradient(weights, scaled).max() - 1)


def _by_programming(scaled: Floats) -> Floats:
    """Find the weights by sequential quadratic programming: quick, but not always exact."""
    parts = len(scaled)

    def loss(weights: Floats) -> tuple[float, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return -float(np.log(weights @ scaled).mean()), -_gradient(weights, scaled)

    sum_to_one = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda _: np.ones(parts)}
    found = minimize(
        loss,
        np.full(parts, 1 / parts),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * parts,
        constraints=[sum_to_one],
        options={"ftol": 1e-15, "maxiter": 500},
    )
    positive = np.maximum(found.x, 0)
    weights: Floats = positive / positive.sum()
    return weights
