"""The way in which a text is scored: what learns from it, after how much text, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings

UnitOfText = Literal["sentence", "document", "stream"]
Part = Literal["document_vector", "embeddings", "recurrent", "output"]

DOCUMENT_VECTOR: Part = "document_vector"
GROUPS: tuple[Part, ...] = ("embeddings", "recurrent", "output")
"""The groups of weights that can learn in testing, beside the document vector."""
PARTS: tuple[Part, ...] = (DOCUMENT_VECTOR, *GROUPS)
"""All parts of a network, in the order of a name."""
NONE, ALL = "none", "all"
"""The names of the ways in which nothing learns, and everything that the network has."""


class Reading(NamedTuple):
    """The unit of text at whose start a network's vector and state are reset."""

    unit_of_text: UnitOfText
    state: bool
    """True if the hidden state is carried over from one sentence of the unit to the next, as the
    vector is."""

    def lanes(self, wanted: int) -> int:
        """Number of lanes to score in: as many as wanted, but a stream is a single unit."""
        return 1 if self.unit_of_text == "stream" else wanted


@dataclass(frozen=True)
class Way:
    """A way to score a text: the parts of the network that learn from it, by which rates, after
    how much text, and the unit of text at whose end all that was learnt is forgotten."""

    parts: tuple[Part, ...] = ()
    """The parts that learn, in the order of `PARTS`. `PARTS` means everything, in static networks,
    too."""
    weight_rate: float | None = None
    """Learning rate of the weights that learn; None if none do, or if it is still to be chosen."""
    vector_rate: float | None = None
    """Learning rate of the document vector; None: that of its training, or one that is still to be
    chosen on `valid`."""
    after: int | Literal["sentence"] = 1
    """Number of words after which a step is taken, or `sentence` for one at a sentence's end."""
    unit_of_text: UnitOfText | None = None
    """The unit at whose end all that was learnt is forgotten; None: the unit of training, with what
    lives on within it as in training."""
    steps: int = 5
    """Number of hidden states that a word's error is propagated back through if weights learn."""

    @property
    def name(self) -> str:
        """The name of its files: `none`, `document_vector` or `all.word.sentence`, for example."""
        parts = ALL if self.parts == PARTS else "+".join(self.parts) or NONE
        if self.unit_of_text is None:
            return parts
        return f"{parts}.{'word' if self.after == 1 else self.after}.{self.unit_of_text}"

    @property
    def groups(self) -> tuple[Part, ...]:
        """The groups of weights that learn."""
        return tuple(part for part in self.parts if part != DOCUMENT_VECTOR)

    @property
    def vector_learns(self) -> bool:
        """True if the document vector learns."""
        return DOCUMENT_VECTOR in self.parts

    def vector_rate_in(self, settings: RunSettings) -> float:
        """Return the learning rate of a run's document vector; 0 if it does not learn."""
        if not self.vector_learns:
            return 0.0
        return settings.document_rate if self.vector_rate is None else self.vector_rate

    @property
    def words_a_step(self) -> int:
        """Number of words after which a step is taken; 0 for one at a sentence's end."""
        return 0 if self.after == "sentence" else self.after

    @property
    def only_vector_learns(self) -> bool:
        """True if the document vector learns and no weights do."""
        return self.parts == (DOCUMENT_VECTOR,)


def reading_of(settings: RunSettings, way: Way | None = None) -> Reading:
    """Return how a network reads a text: as in training, or as a way to score it says."""
    trained = settings.unit_of_text
    unit = trained if way is None else way.unit_of_text or trained
    return Reading(unit, state="sentence" not in (unit, trained))
