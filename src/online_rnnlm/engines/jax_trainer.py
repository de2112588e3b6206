"""The loop over batches that all training by JAX has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.base import Array
from online_rnnlm.engines.jax_device import bits_of
from online_rnnlm.engines.lanes import Batches, Booleans, Carried, Integers


class JaxTrainer(ABC):
    """Base of the trainers that compute by JAX."""

    _settings: RunSettings
    carried: Carried
    """The states and vectors after the segments read last, by lane."""

    def update(self, batches: Batches, learning_rate: float, key: int = 0) -> float:
        """Learn from segments of the training text, batch after batch; return their log P.

        The engine has no dropout, so `key` is not used.
        """
        settings = self._settings
        values = learning_rate, settings.document_rate
        rates = [np.asarray(value, settings.precision) for value in values]
        with bits_of(settings.precision):
            totals = [
                self._learn(segments, begins, rates)
                for segments, begins in zip(*batches, strict=True)
            ]
        # Reading a total waits for the device, so it is left until all batches have been sent.
        return float(sum(map(float, totals)))

    @abstractmethod
    def _learn(self, segments: Integers, begins: Booleans, rates: list[Array]) -> Any:
        """Learn from a batch, (B,) each; return log P of its words, which may be on the device.

        `rates` are those of the weights and of the document vector. If the unit of text is a
        document, `carried` is set anew.
        """
