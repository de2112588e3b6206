"""The rules that lower the learning rate and end training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.runs import Epoch

_FAILURES = 2
"""Number of epochs without improvement after which `toolkit` ends training."""


@dataclass(frozen=True)
class Schedule:
    """A run's learning rate and its end, which follow from the epochs that it has finished.

    - `cooldown`: the rate is constant, and falls linearly to 0 in the last part of a fixed number
      of epochs.
    - `toolkit`, the RNNLM Toolkit's rule: once an epoch is no improvement, the rate is divided
      after it and after every later one; the second such epoch ends training.

    An epoch is an improvement if the lowest validation entropy falls by more than a factor.
    """

    settings: RunSettings

    @property
    def goes_back(self) -> bool:
        """True if training goes back to the best weights after an epoch that is worse."""
        return self.settings.rate_rule == "toolkit"

    def ended(self, epochs: Sequence[Epoch]) -> bool:
        """True if training is over after these epochs."""
        failed = self.goes_back and self._failures(epochs).count(True) >= _FAILURES
        return failed or len(epochs) >= self.settings.max_epochs

    def rate(self, epochs: Sequence[Epoch], share: float = 0.0) -> float:
        """Return the learning rate when this share of the epoch after these has been read."""
        settings = self.settings
        if settings.rate_rule == "cooldown":
            left = 1 - (len(epochs) + share) / settings.max_epochs
            return settings.learning_rate * min(1.0, left / settings.cooldown)
        failed = self._failures(epochs)
        falls = len(failed) - failed.index(True) if True in failed else 0
        return settings.learning_rate / settings.rate_divisor**falls

    def _failures(self, epochs: Sequence[Epoch]) -> list[bool]:
        """Return for each epoch whether it was no improvement."""
        best, failed = inf, []
        for epoch in epochs:
            entropy = math.log(epoch.valid_perplexity)
            failed.append(entropy * self.settings.improvement_factor >= best)
            best = min(entropy, best)
        return failed


def is_better(perplexity: float, epochs: Sequence[Epoch]) -> bool:
    """True if an epoch with this validation perplexity is better than all of these."""
    return perplexity < min((epoch.valid_perplexity for epoch in epochs), default=inf)
