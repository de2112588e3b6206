"""Weights as PyTensor keeps them: shared variables that its functions update.

The original Theano runs this file, too (`engines.theano`): so it keeps to Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np
import pytensor

from online_rnnlm.model.parameters import Parameters, like

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings


class State(Protocol):
    """Weights and accumulators, wherever they are kept."""

    def values(self) -> tuple[Parameters, Parameters]:
        """The weights and accumulators; not copies, if they are in this process."""

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""


AnyState = TypeVar("AnyState", bound=State)


class SharedState:
    """Weights and accumulators as PyTensor's shared variables, made with copies of these values.

    With `fixed_shapes` the values' shapes are part of the variables' types.
    """

    def __init__(
        self, weights: Parameters, accumulators: Parameters, *, fixed_shapes: bool = False
    ) -> None:
        self.weights = _shared(weights, fixed_shapes)
        self.accumulators = _shared(accumulators, fixed_shapes)

    def values(self) -> tuple[Parameters, Parameters]:
        """The weights and accumulators themselves, not copies."""
        weights = like(self.weights, (v.get_value(borrow=True) for v in self.weights))
        return weights, like(weights, (v.get_value(borrow=True) for v in self.accumulators))

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Copy these values into the shared variables."""
        for variables, arrays in ((self.weights, weights), (self.accumulators, accumulators)):
            # `like` raises an error for another number of arrays; Python 3.8 has no strict `zip`.
            for variable, array in zip(variables, like(variables, arrays)):
                variable.set_value(array)


def _shared(values: Parameters, fixed_shapes: bool) -> Parameters:
    items = values._asdict().items()
    return like(
        values,
        (pytensor.shared(a, n, **({"shape": a.shape} if fixed_shapes else {})) for n, a in items),
    )


class StateTrainer(Generic[AnyState]):
    """Base of the trainers: keeps the settings, and the weights and accumulators as a state."""

    def __init__(self, settings: RunSettings, state: AnyState) -> None:
        self._settings = settings
        self._real = np.dtype(settings.precision).type
        self._state = state

    @property
    def weights(self) -> Parameters:
        """The current weights, not copies."""
        return self._state.values()[0]

    @property
    def accumulators(self) -> Parameters:
        """AdaGrad's current sums of squared gradients, not copies."""
        return self._state.values()[1]

    def restore(self, weights: Parameters, accumulators: Parameters) -> None:
        """Continue from copies of these."""
        self._state.set(weights, accumulators)
