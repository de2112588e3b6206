"""A linear mixture of a network with its corpus's n-gram model: hardly any more arithmetic."""

from __future__ import annotations

from online_rnnlm.config.testing import NGRAM_MIXTURE, TestingSettings
from online_rnnlm.jobs.network import Failed, Network, Tested
from online_rnnlm.rivals.mixture import evaluate_mixture


def evaluate(network: Network, testing: TestingSettings) -> Tested | Failed:
    """Mix a network with the n-gram model, by weights that are best on `valid`."""
    return evaluate_mixture(network, testing, NGRAM_MIXTURE)
