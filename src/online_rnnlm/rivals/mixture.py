"""Linear mixtures of a network with other rivals: with all of them, or with some.

    P(w) = Σ_i λ_i P_i(w),    λ_i ≥ 0,  Σ_i λ_i = 1

The weights λ are those with which `valid` is most probable. The likelihood is concave in them, so
it has one maximum, which expectation maximisation approaches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from online_rnnlm.config.evaluations import NETWORK, adaptations_of_state, parts_of_mixture
from online_rnnlm.config.rivals import CACHES, MIXTURE, RunRivalName
from online_rnnlm.core.arrays import Floats
from online_rnnlm.jobs.network import Failed, Network, Tested
from online_rnnlm.storage.evaluations import (
    Costs,
    Evaluation,
    Mixture,
    read_evaluation,
    token_scores,
)
from online_rnnlm.storage.paths import HELD_OUT

_STEPS = 20_000
"""Steps at most: two parts that are nearly the same need many, and gain nothing by them."""
_GAP = 1e-8
"""Weights are taken if no others can be better by this many nats per token."""


def evaluate(network: Network, mixture: RunRivalName) -> Tested:
    """Mix the scores that the evaluations of a mixture's parts have left.

    A text of another kind on which one of these diverged is left out. If one of them failed, so has
    the mixture. Raises UserError for files that are missing or damaged.
    """
    parts = _parts_of(network, mixture)
    main = parts[NETWORK]
    best = _best_evaluation(network)
    parts[NETWORK] = best
    texts = {
        text: {
            name: token_scores(network.experiment, part.run, part.evaluation, text).astype(float)
            for name, part in parts.items()
        }
        for text in (*HELD_OUT, *network.testing.other_texts)
        if all(text in part.splits for part in (main, *parts.values()))
    }
    weights = best_weights(_stacked(texts["valid"]))
    # A cache's costs contain those of the network in its main evaluation, which a mixture pays only
    # once.
    paid = sum(name in CACHES for name in parts)
    paid += best.evaluation == main.evaluation
    repeated = max(0, paid - 1)

    def total(quantity: Callable[[Evaluation], float]) -> float:
        return sum(map(quantity, parts.values())) - repeated * quantity(main)

    touched = [part.costs.parameters_touched_per_word for part in parts.values()]
    adds = total(lambda part: part.costs.multiply_adds_per_word)
    return Tested(
        {text: mixed(_stacked(scores), weights) for text, scores in texts.items()},
        # At least the network's, since times are noisy.
        {text: max(total(partial(_seconds, text)), _seconds(text, best)) for text in texts},
        # One multiply-add for each part's weight.
        Costs(parameters_touched_per_word=max(touched), multiply_adds_per_word=adds + len(parts)),
        chosen=dict(zip(parts, weights.tolist(), strict=True)),
        mixtures=[*smaller(texts["valid"], texts["test"])] if mixture == MIXTURE else (),
    )


def _parts_of(network: Network, mixture: RunRivalName) -> dict[str, Evaluation]:
    """Return the evaluations of a mixture's parts by name, that of the network as the first.

    Raises Failed if one of them has diverged.
    """
    places = parts_of_mixture(
        mixture,
        network.testing,
        run=network.run.name,
        corpus_folder=network.run.corpus_folder,
        document_size=network.settings.document_size,
    )
    parts: dict[str, Evaluation] = {}
    for name, place in places.items():
        tested = read_evaluation(network.experiment.evaluation(*place))
        if tested.reason:
            raise Failed(f"its part {name} is missing: {tested.reason}")
        parts[name] = tested
    return parts


def _best_evaluation(network: Network) -> Evaluation:
    """Return the evaluation of the network whose state is adapted best on `valid`; of equals, the
    first."""
    adaptations = adaptations_of_state(network.settings, network.testing)
    paths = [
        network.experiment.evaluation(network.run.name, adaptation.name)
        for adaptation in adaptations
    ]
    finished = [found for found in map(read_evaluation, paths) if not found.reason]
    return min(finished, key=lambda tested: tested.splits["valid"].perplexity)


def _seconds(text: str, tested: Evaluation) -> float:
    """Return the seconds that the scoring of a text took."""
    metrics = tested.splits[text]
    return metrics.tokens / metrics.words_per_second


def smaller(valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> Iterator[Mixture]:
    """Yield the network with each other part, then all parts without each.

    A text has natural log P of every token, float64 (N,), by part; the first is the network.
    """
    network, *others = valid
    pairs = [(network, other) for other in others]
    without = [tuple(name for name in valid if name != left_out) for left_out in others]
    for names in dict.fromkeys([*pairs, *without]):  # of three parts, each pair comes twice
        of_valid = np.stack([valid[name] for name in names])
        of_test = np.stack([test[name] for name in names])
        weights = best_weights(of_valid)
        yield Mixture(
            weights=dict(zip(names, weights.tolist(), strict=True)),
            valid_perplexity=math.exp(-mixed(of_valid, weights).mean()),
            test_perplexity=math.exp(-mixed(of_test, weights).mean()),
        )


def _stacked(text: Mapping[str, Floats]) -> Floats:
    return np.stack([*text.values()])


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
