"""Linear mixtures of a network with other rivals: with all of them, or with some.

    P(w) = Σ_i λ_i P_i(w),    λ_i ≥ 0,  Σ_i λ_i = 1

The weights λ are those with which `valid` is most probable. The likelihood is concave in them, so
it has one maximum, which expectation maximisation approaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from online_rnnlm.config.evaluations import ways_of_network
from online_rnnlm.config.testing import MIXTURE, NGRAM_MIXTURE, RunRivalName, TestingSettings
from online_rnnlm.jobs.network import Failed, Floats, Network, Tested
from online_rnnlm.rivals import NETWORK, parts_of, rivals_of
from online_rnnlm.storage.evaluations import (
    Costs,
    DivergedEvaluation,
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


def evaluate(network: Network, testing: TestingSettings) -> Tested | Failed:
    """Mix a network with all its other rivals."""
    return _mix(network, testing, MIXTURE)


def evaluate_ngrams(network: Network, testing: TestingSettings) -> Tested | Failed:
    """Mix a network with its corpus's n-gram model alone: hardly any more arithmetic."""
    return _mix(network, testing, NGRAM_MIXTURE)


def _mix(network: Network, testing: TestingSettings, mixture: RunRivalName) -> Tested | Failed:
    """Mix the scores that the evaluations of a mixture's parts have left.

    A text of another kind on which one of these diverged is left out. If one of them failed, so has
    the mixture. Raises UserError for files that are missing or damaged.
    """
    experiment = network.experiment
    places = parts_of(network.run, mixture, testing)
    parts: dict[str, Evaluation] = {}
    for name, place in places.items():
        path = experiment.evaluation(*place)
        tested = read_evaluation(path)
        if isinstance(tested, DivergedEvaluation):
            return Failed(f"its part {name} is missing: {tested.reason}")
        parts[name] = tested
    main = parts[NETWORK]
    # Rivals that contain the network have it in its main evaluation, which is computed once.
    repeated = sum(rival.contains_network for rival in rivals_of(testing)[mixture].parts)
    for way in ways_of_network(network.settings, testing):
        place = (network.run.name, way.name)
        path = experiment.evaluation(*place)
        tested = read_evaluation(path)
        if isinstance(tested, Evaluation) and _on_valid(tested) < _on_valid(parts[NETWORK]):
            places[NETWORK] = place
            parts[NETWORK] = tested
    if parts[NETWORK] is not main:
        repeated = max(0, repeated - 1)
    texts = {
        text: {
            part: token_scores(experiment, *place, text).astype(np.float64)
            for part, place in places.items()
        }
        for text in (*HELD_OUT, *testing.other_texts)
        if all(text in part.splits for part in (main, *parts.values()))
    }
    weights = best_weights(_stacked(texts["valid"]))
    seconds = {}
    for text in texts:
        took = {
            name: part.splits[text].tokens / part.splits[text].words_per_second
            for name, part in parts.items()
        }
        of_main = main.splits[text].tokens / main.splits[text].words_per_second
        # At least the network's, since times are noisy.
        seconds[text] = max(sum(took.values()) - repeated * of_main, took[NETWORK])
    adds = {name: part.costs.multiply_adds_per_word for name, part in parts.items()}
    costs = Costs(
        parameters_touched_per_word=max(
            part.costs.parameters_touched_per_word for part in parts.values()
        ),
        # One for each part's weight.
        multiply_adds_per_word=sum(adds.values())
        - repeated * main.costs.multiply_adds_per_word
        + len(parts),
    )
    return Tested(
        {text: mixed(_stacked(scores), weights) for text, scores in texts.items()},
        seconds,
        costs,
        chosen=dict(zip(parts, weights.tolist(), strict=True)),
        mixtures=[*smaller(texts["valid"], texts["test"])] if mixture == MIXTURE else (),
    )


def _on_valid(tested: Evaluation) -> float:
    return tested.splits["valid"].perplexity


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
