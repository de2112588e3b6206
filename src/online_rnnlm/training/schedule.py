"""The rules that lower the learning rate and end training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Literal

PLATEAUS = 3
"""Number of epochs without improvement after which the plateau rule ends training."""


@dataclass(frozen=True)
class Schedule:
    """The state of a rule between two epochs.

    An epoch is an improvement if the lowest validation entropy falls by more than a factor.
    `toolkit`, the RNNLM Toolkit's rule: from the first epoch that is no improvement on, the rate is
    divided after every epoch; the second such epoch ends training. `plateau`: the rate is divided
    only after each such epoch, and the third one ends training, so that a single noisy epoch has
    less influence. After an epoch that is worse, training goes back to the best weights.
    """

    learning_rate: float
    divisor: float
    improvement_factor: float
    rule: Literal["toolkit", "plateau"] = "toolkit"
    best_entropy: float = inf
    """Lowest validation entropy so far, in nats per token."""
    failures: int = 0
    """Number of epochs so far that were no improvement."""

    @property
    def ended(self) -> bool:
        """True if training is over."""
        return self.failures >= (PLATEAUS if self.rule == "plateau" else 2)

    def is_better(self, entropy: float) -> bool:
        """True if the weights of an epoch with this validation entropy are the best so far."""
        return entropy < self.best_entropy

    def after(self, entropy: float) -> Schedule:
        """Return the state after an epoch with this validation entropy, in nats per token."""
        improved = entropy * self.improvement_factor < self.best_entropy
        failures = self.failures + (not improved)
        falls = failures > 0 if self.rule == "toolkit" else not improved
        return replace(
            self,
            learning_rate=self.learning_rate / self.divisor if falls else self.learning_rate,
            best_entropy=min(entropy, self.best_entropy),
            failures=failures,
        )
