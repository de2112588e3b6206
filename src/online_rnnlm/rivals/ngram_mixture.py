"""A linear mixture of a network with its corpus's n-gram model: hardly any more arithmetic."""

from __future__ import annotations

from collections.abc import Mapping

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.rivals import mixture
from online_rnnlm.rivals.base import Floats
from online_rnnlm.storage.evaluations import Mixture


class Rival(mixture.Rival):
    """A network mixed with the n-gram model, by weights that are best on `valid`."""

    note = "A network + an n-gram model: a mixture of both, by the weights that are best on valid."

    def __init__(self, testing: TestingSettings) -> None:
        super().__init__(testing)
        self.label = f"{testing.kneser_ney_order}-gram"
        self.phrase = f"a {self.label} model mixed in"

    def smaller(self, valid: Mapping[str, Floats], test: Mapping[str, Floats]) -> list[Mixture]:
        """Nothing: there are only two parts."""
        return []
