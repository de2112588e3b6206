"""The rules that lower the learning rate and end training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from online_rnnlm.core.settings import TrainingRule

_FAILURES = 2
"""Number of epochs without improvement after which `toolkit` ends training."""


@dataclass(frozen=True)
class Schedule:
    """A run's learning rate and its end: they follow from the perplexities of `valid` after the
    epochs that it has finished.

    - `cooldown`: the rate is constant, and falls linearly to 0 in the last part of a fixed number
      of epochs, a little lower with each call of `Engine.train`.
    - `toolkit`, the RNNLM Toolkit's rule: once an epoch is no improvement, the rate is divided
      after it and after every later one; the second such epoch ends training.

    An epoch is an improvement if the lowest validation entropy falls by more than a factor.
    """

    rule: TrainingRule

    @property
    def goes_back(self) -> bool:
        """True if training goes back to the best weights after an epoch that is worse."""
        return self.rule.rate_rule == "toolkit"

    def ended(self, perplexities: Sequence[float]) -> bool:
        """True if training is over after these epochs."""
        failed = self.goes_back and self._failures(perplexities).count(True) >= _FAILURES
        return failed or len(perplexities) >= self.rule.max_epochs

    def rate(self, perplexities: Sequence[float], share: float = 0.0) -> float:
        """Return the learning rate when this share of the epoch after these has been read."""
        rule = self.rule
        if rule.rate_rule == "cooldown":
            left = 1 - (len(perplexities) + share) / rule.max_epochs
            return rule.learning_rate * min(1.0, left / rule.cooldown)
        failed = self._failures(perplexities)
        falls = len(failed) - failed.index(True) if True in failed else 0
        return rule.learning_rate / rule.rate_divisor**falls

    def _failures(self, perplexities: Sequence[float]) -> list[bool]:
        """Return for each epoch whether it was no improvement."""
        best = math.inf
        failed = []
        for perplexity in perplexities:
            entropy = math.log(perplexity)
            failed.append(entropy * self.rule.improvement_factor >= best)
            best = min(entropy, best)
        return failed
