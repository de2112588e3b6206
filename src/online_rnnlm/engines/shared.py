"""Weights as PyTensor keeps them: shared variables that its functions update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt

from online_rnnlm.config.training import RunSettings
from online_rnnlm.model.parameters import Parameters, like, named


@dataclass(frozen=True)
class SharedState:
    """Weights and accumulators as PyTensor's shared variables."""

    weights: Parameters
    accumulators: Parameters

    @classmethod
    def copy_of(
        cls, weights: Parameters, accumulators: Parameters, *, fixed_shapes: bool = False
    ) -> SharedState:
        """Make new shared variables with copies of these values.

        With `fixed_shapes` the values' shapes are part of the variables' types.
        """
        variables = (_shared(values, fixed_shapes) for values in (weights, accumulators))
        return cls(*variables)

    def values(self) -> tuple[Parameters, Parameters]:
        """The weights and accumulators themselves, not copies."""
        weights = like(self.weights, (v.get_value(borrow=True) for v in self.weights))
        return weights, like(weights, (v.get_value(borrow=True) for v in self.accumulators))

    def set(self, weights: Parameters, accumulators: Parameters) -> None:
        """Copy these values into the shared variables."""
        for variable, array in zip(self.weights, weights, strict=True):
            variable.set_value(array)
        for variable, array in zip(self.accumulators, accumulators, strict=True):
            variable.set_value(array)


def _shared(values: Parameters, fixed_shapes: bool) -> Parameters:
    items = values._asdict().items()
    return like(
        values,
        (pytensor.shared(a, n, **({"shape": a.shape} if fixed_shapes else {})) for n, a in items),
    )


class SharedTrainer:
    """Base of the trainers: keeps the settings, the weights and the accumulators."""

    def __init__(
        self,
        settings: RunSettings,
        weights: Parameters,
        accumulators: Parameters,
        *,
        fixed_shapes: bool = False,
    ) -> None:
        self._settings = settings
        self._real = np.dtype(settings.precision).type
        self._state = SharedState.copy_of(weights, accumulators, fixed_shapes=fixed_shapes)

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


def weight_symbols(dtype: str, names: tuple[str, ...] = Parameters._fields) -> Parameters:
    """Make symbolic inputs for all weights; `names` are the sigmoid cell's unless given."""
    return named({name: pt.matrix(name, dtype=dtype) for name in names})
