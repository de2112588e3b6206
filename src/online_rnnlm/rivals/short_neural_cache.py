"""A neural cache of 80 words at most, which costs as much as a vector of 20 numbers.

The best neural cache is mostly one of 500 words or more, for many times the multiply-adds of a
document vector. This one is its equal in cost: with M hidden units and W words it adds
1 + M + W (M + 1) multiply-adds per word. For M = 100 these are 8,181 with 80 words, where the
vector adds 8,231 (50,000 words in 100 classes).
"""

from __future__ import annotations

from online_rnnlm.rivals import neural_cache


class Rival(neural_cache.Rival):
    """A neural cache of 20, 50 or 80 words with the settings that are best on `valid`."""

    label = "short neural cache"
    windows = (20, 50, 80)
