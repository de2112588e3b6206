"""A neural cache of 80 words at most, which costs as much as a vector of 20 numbers.

The best neural cache is mostly one of 500 words or more, for many times the multiply-adds of a
document vector. This one is its equal in cost: with M hidden units and W words it adds
1 + M + W (M + 1) multiply-adds per word. For M = 100 these are 8,181 with 80 words, where the
vector adds 8,231 (50,000 words in 100 classes).
"""

from __future__ import annotations

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.jobs.network import Network, Tested
from online_rnnlm.rivals.caches import evaluate_cache
from online_rnnlm.rivals.neural_cache import NeuralCache

CACHE = NeuralCache(windows=(20, 50, 80))


def evaluate(network: Network, _: TestingSettings) -> Tested:
    """Test a network with a neural cache of 20, 50 or 80 words."""
    return evaluate_cache(CACHE, network)
