"""Adaptation: the updates of a network while a text is scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from online_rnnlm.core.settings import NetworkSettings

# Pydantic reads the annotations of `Adaptation`.
from online_rnnlm.core.settings import UnitOfText

Part = Literal["document_vector", "embeddings", "recurrent", "output"]

DOCUMENT_VECTOR: Part = "document_vector"
WEIGHTS: tuple[Part, ...] = ("embeddings", "recurrent", "output")
"""The parts that consist of weights, all but the document vector."""
PARTS: tuple[Part, ...] = (DOCUMENT_VECTOR, *WEIGHTS)
"""All parts of a network, in the order of a name."""
NONE, ALL = "none", "all"
"""The names of the adaptations that update nothing, and everything that the network has."""


@dataclass(frozen=True)
class Adaptation:
    """The parts of a network that are updated while a text is scored, the rates and the moments of
    their steps, and the unit of text at whose end all that was learnt is forgotten, and with it all
    that slow context units remember."""

    parts: tuple[Part, ...] = ()
    """The parts that are updated, in the order of `PARTS`. `PARTS` means everything, in static
    networks, too."""
    weight_rate: float | None = None
    """Learning rate of the weights; None if none are updated, or if it is still to be chosen."""
    vector_rate: float | None = None
    """Learning rate of the document vector; None: that of its training, or one that is still to be
    chosen on `valid`."""
    after: int | Literal["sentence"] = 1
    """Number of words after which a step is taken, or `sentence` for one at a sentence's end."""
    unit_of_text: UnitOfText | None = None
    """The unit at whose end all that was learnt is forgotten; None: the unit of training."""
    steps: int = 5
    """Number of hidden states that a word's error goes back through if weights are updated."""

    @property
    def name(self) -> str:
        """The name of its files: `none`, `document_vector` or `all.word.sentence`, for example."""
        parts = ALL if self.parts == PARTS else "+".join(self.parts) or NONE
        if self.unit_of_text is None:
            return parts
        return f"{parts}.{'word' if self.after == 1 else self.after}.{self.unit_of_text}"

    @property
    def weights(self) -> tuple[Part, ...]:
        """The parts that are updated and consist of weights."""
        return tuple(part for part in self.parts if part != DOCUMENT_VECTOR)

    @property
    def updates_vector(self) -> bool:
        """True if the document vector is updated."""
        return DOCUMENT_VECTOR in self.parts

    @property
    def words_a_step(self) -> int:
        """Number of words after which a step is taken; 0 for one at a sentence's end."""
        return 0 if self.after == "sentence" else self.after

    def vector_rate_in(self, network: NetworkSettings) -> float:
        """Return the learning rate of a network's document vector; 0 if it is not updated."""
        if not self.updates_vector:
            return 0.0
        return network.document_rate if self.vector_rate is None else self.vector_rate

    def unit_in(self, network: NetworkSettings) -> UnitOfText:
        """Return the unit of text at whose end a network forgets what was learnt."""
        return self.unit_of_text or network.unit_of_text

    def first_kept_in(self, network: NetworkSettings) -> int:
        """Return the first element of h that is carried over within the unit, as d is.

        In a network that was trained on single sentences, the hidden units begin with each
        sentence; slow context units, which follow them in h, are carried over in any network.
        """
        carries_all = "sentence" not in (self.unit_in(network), network.unit_of_text)
        return 0 if carries_all else network.hidden_size
