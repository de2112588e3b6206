"""When the learning rate falls and training ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Literal

PLATEAUS = 3
"""The plateau rule ends training after so many epochs that were no improvement."""


@dataclass(frozen=True)
class Schedule:
    """The state of a rule between two epochs.

    An epoch is an improvement if the lowest validation entropy falls by more than a factor.
    `toolkit`, the RNNLM Toolkit's rule: after the first epoch that is none, the rate is divided
    before every later epoch; after the second, training ends. `plateau`: the rate is divided
    after each such epoch only, and training ends after the third: one noisy epoch decides less.
    Weights of a worse epoch are given up for the best ones.
    """

    learning_rate: float
    divisor: float
    improvement_factor: float
    rule: Literal["toolkit", "plateau"] = "toolkit"
    best_entropy: float = inf
    """Lowest validation entropy so far, nats a token."""
    failures: int = 0
    """Epochs so far that were no improvement."""

    @property
    def ended(self) -> bool:
        """Whether training is over."""
        return self.failures >= (PLATEAUS if self.rule == "plateau" else 2)

    def is_better(self, entropy: float) -> bool:
        """Whether an epoch's weights are to be kept."""
        return entropy < self.best_entropy

    def after(self, entropy: float) -> Schedule:
        """The state after an epoch with this validation entropy, nats a token."""
        improved = entropy * self.improvement_factor < self.best_entropy
        failures = self.failures + (not improved)
        falls = failures > 0 if self.rule == "toolkit" else not improved
        return replace(
            self,
            learning_rate=self.learning_rate / self.divisor if falls else self.learning_rate,
            best_entropy=min(entropy, self.best_entropy),
            failures=failures,
        )
