"""When the learning rate falls and training ends: the RNNLM Toolkit's rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True)
class Schedule:
    """The state of the rule between two epochs.

    Mikolov et al.'s toolkit: an epoch is an improvement if the validation entropy falls by more
    than a factor. After the first that is none, the rate is divided before every later epoch;
    after the second, training ends. Weights of a worse epoch are given up for the best ones.
    """

    learning_rate: float
    divisor: float
    improvement_factor: float
    best_entropy: float = inf
    """Lowest validation entropy so far, nats a token."""
    falling: bool = False
    """Whether the rate is divided before every epoch."""
    ended: bool = False

    def is_better(self, entropy: float) -> bool:
        """Whether an epoch's weights are to be kept."""
        return entropy < self.best_entropy

    def after(self, entropy: float) -> Schedule:
        """The state after an epoch with this validation entropy, nats a token."""
        improved = entropy * self.improvement_factor < self.best_entropy
        falling = self.falling or not improved
        return replace(
            self,
            learning_rate=self.learning_rate / self.divisor if falling else self.learning_rate,
            best_entropy=min(entropy, self.best_entropy),
            falling=falling,
            ended=self.falling and not improved,
        )
