"""A neural cache of 50 words at most, which costs about as much as a vector of 20 numbers.

The best neural cache is mostly one of 500 words or more, for many times the multiply-adds of a
document vector. This one is its equal in cost: with M hidden units it adds 1 + M + 50 (M + 1)
multiply-adds per word, 5,151 for M = 100.
"""

from __future__ import annotations

from online_rnnlm.rivals import neural_cache


class Rival(neural_cache.Rival):
    """A neural cache of 20 or 50 words with the settings that are best on `valid`."""

    label = "short neural cache"
    windows = (20, 50)
